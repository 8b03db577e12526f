"""Which columns of a table are the text and its label, told by what is there.

By the header's names first, then by the cells. More than one is for the
caller to refuse. Imports neither TensorFlow nor NumPy.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from bert.data.tables import label_forms

# Columns by their names, with their cells.
Columns = Mapping[str, Sequence[str]]

_TEXTS = (
    *("text", "sentence", "review", "message", "comment", "body", "question"),
    *("utterance", "content", "tweet", "description", "query"),
)
_LABELS = (
    *("label", "class", "category", "target", "sentiment", "intent", "team"),
    *("topic", "labels", "classes", "categories", "topics", "tag", "tags"),
    *("emotion", "department"),
)
_SCORES = ("label", "score", "rating", "target", "stars", "grade", "value")
# Chinese and Japanese have no spaces: each of their characters is a word.
_CJK = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")
_LEAST_WORDS = 3
_FLAG_NAMES = ("is", "has", "num", "n")


def texts(columns: Columns) -> list[str]:
    """Returns the columns that may be the text, equally well."""
    return _named(columns, _TEXTS, are_texts) or [
        name for name, cells in columns.items() if are_texts(cells)
    ]


def labels(columns: Columns, separator: str | None = None) -> list[str]:
    """Returns the columns that may be the label, equally well.

    Args:
        columns: without that of the text.
        separator: between several labels of a cell; None: it has one.
    """

    def repeat(cells: Sequence[str]) -> bool:
        if separator is None:
            return _repeat(cells)
        return _repeat([p for cell in cells for p in cell.split(separator)])

    return _named(columns, _LABELS, repeat) or [
        name
        for name, cells in columns.items()
        if repeat(cells) and not are_texts(cells)
    ]


def numbers(columns: Columns) -> list[str]:
    """Returns the columns that may be labels that are numbers, equally well."""
    own = {name: cells for name, cells in columns.items() if _numbers(cells)}
    return _named(own, _SCORES, _numbers) or list(own)


def looks_like_a_row(header: str, cells: Sequence[str]) -> bool:
    """Whether what should name a column is one of its cells, or a text.

    Args:
        header: of the column.
        cells: below it.
    """
    is_named = {*_words(header)[-1:]} & {*_TEXTS, *_LABELS, *_SCORES}
    return header in cells or (not is_named and are_texts([header]))


def are_texts(cells: Sequence[str]) -> bool:
    """Whether cells have three words or more, on average."""
    words = [
        sum(any(map(str.isalpha, word)) for word in _WORD.findall(cell))
        for cell in cells
        if cell.strip()
    ]
    return bool(words) and sum(words) >= _LEAST_WORDS * len(words)


def _named(
    columns: Columns, names: Sequence[str], fits: Callable[..., bool]
) -> list[str]:
    """Returns the columns of the first rule that finds any.

    A column has the first of the names; one of them; or one as its last word,
    where its cells fit, too.
    """
    words = {name: _words(name) for name in columns}
    rules: Iterable[Callable[[str], bool]] = (
        lambda name: words[name] == [names[0]],
        lambda name: len(words[name]) == 1 and words[name][0] in names,
        lambda name: (
            bool(words[name])
            and words[name][-1] in names
            and words[name][0] not in _FLAG_NAMES
            and fits(columns[name])
        ),
    )
    for rule in rules:
        if found := [name for name in columns if rule(name)]:
            return found
    return []


def _words(name: str) -> list[str]:
    """Returns the words of a name: review_text, ReviewText, Review text."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", apart.casefold())


def _repeat(cells: Sequence[str]) -> bool:
    """Whether cells are of two values or more, each twice on average."""
    there = [cell.strip() for cell in cells if cell.strip()]
    return 2 <= len({*there}) <= len(there) / 2


def _numbers(cells: Sequence[str]) -> bool:
    """Whether all cells are numbers that do not just count the rows."""
    there = [cell.strip() for cell in cells if cell.strip()]
    return (
        bool(there)
        and all(map(_is_number, there))
        and not label_forms.is_count(there)
    )


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False

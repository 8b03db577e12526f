"""Which lines of a CoNLL file are words.

# text = Zum Haus       a comment
1-2  Zum   _            a range: its words follow
1    zu    ADP
2    dem   DET
2.1  das   PRON         an empty node: a word that nobody wrote
3    Haus  NOUN

Comments stand before a sentence's first word, since `#` is a word, too. Ranges
and empty nodes are those of a column that counts the words.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from absl import logging

from bert.data.tables.rows import Place

_DOCUMENT_START = "-DOCSTART-"
# A range, or an empty node.
_NODE = re.compile("[0-9]+[-.][0-9]+")


class Line(NamedTuple):
    """A line that is not blank.

    Attributes:
        place: where it stands.
        columns: at least one.
    """

    place: Place
    columns: list[str]

    def column(self, number: int | None) -> str | None:
        """Returns a column; None where there is none."""
        if number is None or number >= len(self.columns):
            return None
        return self.columns[number]


class Lines(NamedTuple):
    """The lines of a file.

    Attributes:
        sentences: those between blank lines and -DOCSTART-.
        first: that of the first word.
        separator: what stands between columns, TAB or space.
    """

    sentences: list[list[Line]]
    first: Line
    separator: str


def split(places: Iterable[Place]) -> Lines | None:
    """Splits a file's lines into columns; None where there are only blank ones.

    The first word's line decides: where it has a TAB, columns are what stands
    between TABs, else what stands between spaces.
    """
    parted = [
        list(own)
        for is_end, own in itertools.groupby(places, key=_ends_sentence)
        if not is_end
    ]
    if not parted:
        return None
    first = _first_word(parted)
    separator = "\t" if "\t" in first.content.rstrip(" \t") else " "
    sentences = [
        [Line(place, _split(place.content, separator)) for place in own]
        for own in parted
    ]
    return Lines(
        sentences, Line(first, _split(first.content, separator)), separator
    )


def words_of(lines: Lines, token: int, label: int | None) -> list[list[Line]]:
    """Returns the lines of each sentence that are its words.

    What is left out is logged. A line that begins like a comment is a word
    where it has as many columns as others, with the label of another line.

    Args:
        lines: of a file.
        token: the column of the words.
        label: that of the labels; None: there are none.
    """
    path = lines.first.place.file
    sentences = list(filter(None, _without_comments(lines, label)))
    _log(path, "comment line(s)", lines.sentences, sentences)
    counts = _counting_column(sentences)
    if counts is None:
        return sentences
    _warn_of_numbers(path, counts, token, label)
    words = [
        [line for line in own if not _is_node(line.columns[counts])]
        for own in sentences
    ]
    _log(path, "range(s) and empty node(s) of CoNLL-U", sentences, words)
    return words


def _ends_sentence(place: Place) -> bool:
    content = place.content
    return not content.strip(" \t") or (
        _DOCUMENT_START in content and _DOCUMENT_START in _split(content, " ")
    )


def _split(content: str, separator: str) -> list[str]:
    if separator == "\t":
        columns = content.rstrip(" \t").split("\t")
        return [column.strip(" ") for column in columns]
    return [
        column for column in content.replace("\t", " ").split(" ") if column
    ]


def _may_be_comment(content: str) -> bool:
    """Whether a line begins as comments do; so do some words."""
    return content.lstrip(" ").startswith("#")


def _first_word(sentences: Sequence[Sequence[Place]]) -> Place:
    """Returns the first line that is no comment; else the first one."""
    for place in itertools.chain.from_iterable(sentences):
        if not _may_be_comment(place.content):
            return place
    return sentences[0][0]


def _head(sentence: Sequence[Line]) -> list[Line]:
    """Returns the first lines, which may be comments."""
    lines = []
    for line in sentence:
        if not _may_be_comment(line.place.content):
            break
        lines.append(line)
    return lines


def _without_comments(lines: Lines, label: int | None) -> Iterator[list[Line]]:
    heads = [_head(sentence) for sentence in lines.sentences]
    width = len(lines.first.columns)
    labels = {
        line.column(label)
        for head, own in zip(heads, lines.sentences, strict=True)
        for line in own[len(head) :]
        if len(line.columns) == width
    }

    def is_comment(line: Line) -> bool:
        # Of lines that all begin so, and of those without labels, only the
        # number of columns tells.
        return len(line.columns) != width or bool(
            labels and line.column(label) not in labels
        )

    for head, own in zip(heads, lines.sentences, strict=True):
        yield own[len(list(itertools.takewhile(is_comment, head))) :]


def _counting_column(sentences: Sequence[Sequence[Line]]) -> int | None:
    """Returns the first column that counts the words of every sentence."""
    if max(map(len, sentences), default=0) < 2:
        return None
    for number in range(min(len(x.columns) for own in sentences for x in own)):
        for start in (0, 1):
            # Most columns fail at the first sentence.
            values = ((x.columns[number] for x in own) for own in sentences)
            if all(_counts(each, start) for each in values):
                return number
    return None


def _counts(values: Iterable[str], start: int) -> bool:
    """Whether values are start, start + 1, …, with nodes where they belong."""
    following = start
    for value in values:
        if value == str(following):
            following += 1
        elif value not in (
            f"{following}-{value.rpartition('-')[2]}",
            f"{following - 1}.{value.rpartition('.')[2]}",
        ) or not _is_node(value):
            return False
    return following > start


def _is_node(value: str) -> bool:
    return _NODE.fullmatch(value) is not None


def _warn_of_numbers(
    path: str, counts: int, token: int, label: int | None
) -> None:
    for flag, column in (("token_column", token), ("label_column", label)):
        if column == counts:
            logging.warning(
                "%s: column %d (--%s) does nothing but count the words; is "
                "what you mean in another column?",
                path,
                counts,
                flag,
            )


def _log(
    path: str,
    what: str,
    before: Iterable[Sequence[Line]],
    after: Iterable[Sequence[Line]],
) -> None:
    """Logs how many lines have been left out, if any."""
    count = sum(map(len, before)) - sum(map(len, after))
    if count:
        logging.info("%s: %d %s are left out.", path, count, what)

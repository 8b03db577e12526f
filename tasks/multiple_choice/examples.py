"""Questions with choices, from SWAG's, RACE's and one's own files.

Imports neither TensorFlow nor NumPy.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bert.data.tables import json_node, rows, table_cells
from bert.data.tables.rows import Place
from bert.errors import UserError

# The files of a data_dir, by --task_name and set.
FILES: Mapping[str, Mapping[str, str]] = {
    "swag": {"train": "train.csv", "dev": "val.csv", "test": "test.csv"},
    **{
        name: {part: f"{part}.{ending}" for part in ("train", "dev", "test")}
        for name, ending in (
            ("race", "jsonl"),
            ("csv", "csv"),
            ("tsv", "tsv"),
            ("jsonl", "jsonl"),
        )
    },
}
# Whose columns are known.
BENCHMARKS = ("swag", "race")
_SWAG_TEXTS = ("sent1", "sent2", "ending0", "ending1", "ending2", "ending3")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Columns(NamedTuple):
    """Where one's own files have what.

    Attributes:
        text: the column of the text: its name in the header, its number from
            0, or its key (jsonl). So for the others.
        choices: those of the choices; in jsonl one key may hold a list.
        label: that of the right choice; not read in a test set.
        header: whether the first line of a csv or tsv file names the columns.
    """

    text: str
    choices: tuple[str, ...]
    label: str
    header: bool = True


class ChoiceExample(NamedTuple):
    """A text and what may go with it.

    Attributes:
        guid: its name.
        text: the first text of each pair.
        choices: the second ones; "" is a choice that there is not.
        label: the number of the right one; None in a test set.
    """

    guid: str
    text: str
    choices: tuple[str, ...]
    label: int | None = None


def read(
    path: str, file_format: str, set_type: str, columns: Columns
) -> list[ChoiceExample]:
    """Reads a file of examples.

    Args:
        path: the file.
        file_format: a key of `FILES`.
        set_type: train, dev or test, which needs no labels.
        columns: of one's own files.

    Raises:
        UserError: the file cannot be read, or a row is not as it must be.
    """
    is_test = set_type == "test"
    if file_format == "race":
        found = list(_race(path, is_test))
    elif file_format == "swag":
        found = list(_swag(path, is_test))
    else:
        found = list(_own(path, file_format, columns, is_test))
    if not found:
        raise UserError(
            f"{path}: expected examples. Received: no row but the header."
        )
    return [
        ChoiceExample(f"{set_type}-{number}", *each)
        for number, each in enumerate(found, start=1)
    ]


# A text, its choices, and the number of the right one.
_Parts = tuple[str, tuple[str, ...], int | None]


def _swag(path: str, is_test: bool) -> Iterator[_Parts]:
    """Yields SWAG's rows: how does a text that has begun go on?"""
    names = [*_SWAG_TEXTS, *([] if is_test else ["label"])]
    for place, cells in table_cells.read(
        path, names, is_csv=True, header=True, is_test=is_test
    ):
        first, begun, *endings = (cells[name] for name in _SWAG_TEXTS)
        choices = tuple(f"{begun} {ending}" for ending in endings)
        yield _parts(place, first, choices, cells.get("label"), is_test)


def _race(path: str, is_test: bool) -> Iterator[_Parts]:
    """Yields RACE's questions; a line has an article and all of its own."""
    for place, values in json_node.read_lines(path):
        article = _value(place, values, "article")
        questions, options = (
            _value(place, values, key, list) for key in ("questions", "options")
        )
        answers = (
            [None] * len(questions)
            if is_test and "answers" not in values
            else _value(place, values, "answers", list)
        )
        if not len(questions) == len(options) == len(answers):
            raise place.fault(
                "as many questions as options and answers, found "
                f"{len(questions)}, {len(options)} and {len(answers)}"
            )
        for question, own, answer in zip(
            questions, options, answers, strict=True
        ):
            if not isinstance(question, str):
                raise place.fault(
                    f"questions that are texts, found {rows.shorten(question)}"
                )
            choices = tuple(
                _completed(question, each) for each in _texts(place, own)
            )
            yield _parts(place, article, choices, answer, is_test)


def _completed(question: str, option: str) -> str:
    """Returns a question with an option in its blank, or behind it."""
    if not option:
        return ""
    if "_" in question:
        return question.replace("_", option)
    return f"{question} {option}"


def _own(
    path: str, file_format: str, columns: Columns, is_test: bool
) -> Iterator[_Parts]:
    names = [columns.text, *columns.choices]
    names += [] if is_test else [columns.label]
    found = (
        table_cells.read_json(path, names)
        if file_format == "jsonl"
        else table_cells.read(
            path,
            names,
            is_csv=file_format == "csv",
            header=columns.header,
            is_test=is_test,
            differ=True,
        )
    )
    for place, cells in found:
        values: Any = [cells[name] for name in columns.choices]
        if len(values) == 1:  # a list; anything else is refused
            values = values[0]
        yield _parts(
            place,
            _value(place, cells, columns.text),
            _texts(place, values),
            cells.get(columns.label),
            is_test,
        )


def _parts(
    place: Place, text: str, choices: Sequence[str], label: Any, is_test: bool
) -> _Parts:
    """Returns what makes an example, checked."""
    kept = list(choices)
    while kept and not kept[-1].strip():
        kept.pop()
    kept = [choice if choice.strip() else "" for choice in kept]
    there = [number for number, choice in enumerate(kept) if choice]
    if len(there) < 2:
        raise place.fault(f"at least 2 choices, found {len(there)}")
    if is_test:
        return text, tuple(kept), None
    number = _number(label)
    if number not in there:
        raise place.fault(
            "as label the number of a choice, from 0 to "
            f"{len(kept) - 1}, or its letter, found {rows.shorten(label)}"
        )
    return text, tuple(kept), number


def _number(label: Any) -> int | None:
    """Returns the number that a label means; None: it is none."""
    if isinstance(label, int) and not isinstance(label, bool):
        return label
    text = label.strip().upper() if isinstance(label, str) else ""
    if len(text) == 1 and text in _LETTERS:
        return _LETTERS.index(text)
    # Not what only Python takes for a number: other scripts' digits, 1_0.
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    return None


def _texts(place: Place, values: Any) -> tuple[str, ...]:
    """Returns choices; null is one that there is not."""
    if isinstance(values, list):
        values = ["" if value is None else value for value in values]
        if all(isinstance(value, str) for value in values):
            return tuple(values)
    raise place.fault(f"choices that are texts, found {rows.shorten(values)}")


def _value(
    place: Place, values: Mapping[str, Any], key: str, kind: type = str
) -> Any:
    """Returns the text or, where `kind` is list, the list of a key."""
    if not isinstance(values.get(key), kind):
        name = "text" if kind is str else "list"
        raise place.fault(
            f"a {name} in {key}, found {rows.shorten(values.get(key))}"
        )
    return values[key]

"""One's own data as a task: tsv, csv and jsonl files."""

import dataclasses
import os
import string
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from bert.data.tables import rows, table_cells
from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.tasks.classification import kinds
from bert.tasks.classification.processors import DataProcessor, InputExample

FORMATS = ("tsv", "csv", "jsonl")
_FILE_FLAGS = {"train": "train_file", "dev": "dev_file", "test": "test_file"}


@dataclasses.dataclass(frozen=True)
class TableSettings:
    """How files are to be read: values of the flags of the same names.

    Attributes:
        format: "tsv", "csv" or "jsonl".
        train_file: the training set; None: data_dir's train.tsv (.csv, …).
        dev_file: the set that is evaluated; None: data_dir's dev.tsv.
        test_file: the set that is predicted; None: data_dir's test.tsv.
        text_column: the text's column: its name in the header, or its number
            from 0; in jsonl its key. So the next ones.
        pair_column: the second text's; None: there is none.
        label_column: the label's; not read in the test set.
        id_column: a name for the example; None: they are numbered.
        header: whether the first line of a tsv or csv file names the columns.
        label_type: "single", "multi" or "regression".
        label_separator: between the labels of a tsv or csv cell.

    Raises:
        UserError: a text's column is the label's.
    """

    format: str
    train_file: str | None = None
    dev_file: str | None = None
    test_file: str | None = None
    text_column: str = "text"
    pair_column: str | None = None
    label_column: str = "label"
    id_column: str | None = None
    header: bool = True
    label_type: str = "single"
    label_separator: str = ","

    def __post_init__(self) -> None:
        for name in ("text_column", "pair_column"):
            if getattr(self, name) == self.label_column:
                raise UserError(
                    f"--{name} and --label_column must differ. Received: "
                    f"{rows.shorten(self.label_column)} for both."
                )

    @classmethod
    def from_config(cls, table_format: str, config: object) -> "TableSettings":
        """Takes what the format leaves open from attributes of `config`."""
        return cls(table_format, **{n: getattr(config, n) for n in _defaults()})


def _defaults() -> dict[str, Any]:
    fields = dataclasses.fields(TableSettings)
    return {f.name: f.default for f in fields if f.name != "format"}


def given_flags(config: object) -> list[str]:
    """Returns the flags for one's own data that are not at their defaults."""
    defaults = {**_defaults(), "labels": None}
    return [n for n, value in defaults.items() if getattr(config, n) != value]


class TableProcessor(DataProcessor):
    """The task that one's own files are.

    Args:
        settings: what to read, and how.
        labels: the labels' names in the order of their ids; None: those of
            the training set, sorted, once it has been read.
        origin: where the labels come from, for messages.
    """

    def __init__(
        self,
        settings: TableSettings,
        labels: Sequence[str] | None = None,
        origin: str = "the training set",
    ) -> None:
        self.settings = settings
        self._kind = kinds.BY_LABEL_TYPE[settings.label_type]
        self.kind = self._kind.name
        self.metric_names = ("macro_f1",) if self._kind.has_classes else ()
        self._labels = labels
        self._origin = origin

    def get_labels(self):
        """Returns the labels' names, once they are known."""
        return list(self._labels or [])

    def get_train_examples(self, data_dir):
        """Returns train_file's examples."""
        read = self._read(data_dir, "train")
        if self._labels is None and self._kind.least_labels:
            self._labels = sorted(
                {name for _, example in read for name in self._names(example)}
            )
            if self._kind.has_classes and _look_like_scores(self._labels):
                logging.warning(
                    "%s: the labels are numbers (%s), but each is taken for "
                    "a class of its own; --label_type=regression is for "
                    "numbers.",
                    self.path(data_dir, "train"),
                    rows.some(self._labels),
                )
        return self._checked(read)

    def get_dev_examples(self, data_dir):
        """Returns dev_file's examples."""
        return self._checked(self._read(data_dir, "dev"))

    def get_test_examples(self, data_dir):
        """Returns test_file's examples, without labels."""
        return [example for _, example in self._read(data_dir, "test")]

    def path(self, data_dir: str | None, set_type: str) -> str:
        """Returns the file of the "train", "dev" or "test" set.

        Raises:
            UserError: no flag says where it is.
        """
        flag = _FILE_FLAGS[set_type]
        path = getattr(self.settings, flag)
        if path:
            return path
        name = f"{set_type}.{self.settings.format}"
        if data_dir:
            return os.path.join(data_dir, name)
        raise UserError(
            f"Expected --{flag}, or --data_dir, the folder of {name}. "
            "Received: neither."
        )

    def _read(
        self, data_dir: str | None, set_type: str
    ) -> list[tuple[Place, InputExample]]:
        """Returns the examples of a file and where they stand."""
        path = self.path(data_dir, set_type)
        given = self.settings
        wanted = [given.text_column, given.pair_column, given.id_column]
        if set_type != "test":
            wanted.append(given.label_column)
        columns = [column for column in wanted if column is not None]
        if given.format == "jsonl":
            found = table_cells.read_json(path, columns)
        else:
            found = table_cells.read(
                path,
                columns,
                is_csv=given.format == "csv",
                header=given.header,
                is_test=set_type == "test",
            )
        read = [
            (place, self._example(place, cells, f"{set_type}-{number}"))
            for number, (place, cells) in enumerate(found, start=1)
        ]
        if not read:
            raise UserError(
                f"{path}: expected examples. Received: no row but the header "
                "(--noheader if the first row is an example)."
            )
        return read

    def _example(
        self, place: Place, cells: Mapping[str, Any], name: str
    ) -> InputExample:
        """Makes an example of the cells that its line has."""
        given = self.settings
        pair = given.pair_column
        return InputExample(
            guid=str(cells[given.id_column]) if given.id_column else name,
            text_a=_text(place, cells, given.text_column),
            text_b=None if pair is None else _text(place, cells, pair),
            label=self._kind.read_cell(
                place,
                cells[given.label_column],
                given.label_column,
                given.label_separator,
            )
            if given.label_column in cells
            else None,
        )

    def _checked(
        self, read: list[tuple[Place, InputExample]]
    ) -> list[InputExample]:
        """Returns the examples; UserError where a label is not known."""
        known = self.get_labels()
        for place, example in read:
            for label in self._names(example):
                if label not in known:
                    raise place.fault(
                        f"one of the labels {rows.some(known)} (those of "
                        f"{self._origin}), found {rows.shorten(label)}",
                        "correct the line, or give all labels (--labels)",
                    )
        return [example for _, example in read]

    def _names(self, example: InputExample) -> Sequence[str]:
        return self._kind.names_of(example.label)


def _look_like_scores(labels: Sequence[str]) -> bool:
    """Returns whether all are decimal numbers, not all of them whole."""
    if not all(set(label) <= {*string.digits, "-", "."} for label in labels):
        return False
    try:
        numbers = [float(label) for label in labels]
    except ValueError:  # a date, a version
        return False
    return not all(number.is_integer() for number in numbers)


def _text(place: Place, cells: Mapping[str, Any], column: str) -> str:
    if not isinstance(cells[column], str):
        raise place.fault(
            f"a text in {column}, found {rows.shorten(cells[column])}"
        )
    return cells[column]

"""One's own data as a task: tsv, csv and jsonl files."""

import collections
import itertools
import os
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.data.tables import label_forms, rows, table_cells
from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.tasks import label_counts
from bert.tasks.classification import kinds, label_cells, table_labels
from bert.tasks.classification.processors import DataProcessor, InputExample
from bert.tasks.classification.table_labels import RowLabels
from bert.tasks.classification.table_settings import SetColumns, TableSettings

_FILE_FLAGS = {"train": "train_file", "dev": "dev_file", "test": "test_file"}


class _Row(NamedTuple):
    """An example, and where it stands."""

    place: Place
    example: InputExample


class _Cells(NamedTuple):
    """The cells of a file.

    Attributes:
        titles: of its columns, by what they were asked for as.
        rows: where each row stands, and its cells by column.
    """

    titles: Mapping[str, str]
    rows: Iterator[tuple[Place, dict[str, Any]]]


class TableProcessor(DataProcessor):
    """The task that one's own files are.

    Args:
        settings: what to read, and how.
        labels: the labels' names in the order of their ids; None: those of
            the training set, in their order, once it has been read.
        origin: where the labels come from, for messages.
        first: labels that stand before those of the training set, and that it
            need not have.
    """

    def __init__(
        self,
        settings: TableSettings,
        labels: Sequence[str] | None = None,
        origin: str = "the training set",
        first: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self._delimiter: str | None = None
        self._kind = kinds.BY_LABEL_TYPE[settings.label_type]
        self.kind = self._kind.name
        self.metric_names = ("macro_f1",) if self._kind.has_classes else ()
        self._labels = labels
        self.origin = origin
        self._first = first

    def get_labels(self):
        """Returns the labels' names, once they are known."""
        return list(self._labels or [])

    def get_train_examples(self, data_dir):
        """Returns train_file's examples."""
        path = self.path(data_dir, "train")
        are_known = self._labels is not None
        read = self._read(path, "train")
        if self._labels is None and self._kind.least_labels:
            names = {name for row in read for name in self._names(row)}
            self._labels = [
                *self._first,
                *label_forms.in_order(names - {*self._first}),
            ]
        _warn_of_counts(path, [row.example for row in read])
        if not are_known:
            self._warn_of_labels(path, read)
        return self._checked(read)

    def get_dev_examples(self, data_dir):
        """Returns dev_file's examples."""
        return self._checked(self._read(self.path(data_dir, "dev"), "dev"))

    def get_test_examples(self, data_dir):
        """Returns test_file's examples, without labels."""
        found = self._read(self.path(data_dir, "test"), "test")
        return [row.example for row in found]

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

    @property
    def kept_settings(self) -> dict[str, str | bool]:
        """How further tables are to be read by default."""
        given = self.settings
        kept = {
            "text_column": given.text_column,
            "pair_column": given.pair_column,
            "label_separator": given.label_separator,
            "delimiter": self._delimiter,
            "header": given.header,
        }
        return {
            name: value for name, value in kept.items() if value is not None
        }

    def has_column(self, path: str, name: str) -> bool:
        """Whether a file can be read, and has one column of this name."""
        try:
            self._cells(path, [[name]], is_test=False)
        except UserError:
            return False
        return True

    def _read(self, path: str, set_type: str) -> list[_Row]:
        """Returns the examples of a file, and where they stand."""
        wanted = self.settings.columns(set_type)
        is_test = set_type == "test"
        choices = [wanted.texts]
        if not is_test:
            choices = [[*wanted.texts, *own] for own in wanted.label_choices]
        cells = self._cells(path, choices, is_test)
        labels = None if is_test else self._row_labels(path, wanted, cells)
        read = []
        for number, (place, values) in enumerate(cells.rows, start=1):
            label = labels.read(place, values) if labels else None
            if labels and label is None:
                continue
            example = _example(place, values, wanted, f"{set_type}-{number}")
            example.label = label
            read.append(_Row(place, example))
        if labels:
            labels.log_skipped(path)
            self._name_vectors(read)
        if not read:
            raise UserError(
                f"{path}: expected examples. Received: no row but the header "
                "(--noheader if the first row is an example), or "
                "--skip_labels leaves none."
            )
        return read

    def _cells(
        self, path: str, choices: Sequence[Sequence[str]], is_test: bool
    ) -> _Cells:
        if self.settings.format == "jsonl":
            found = table_cells.read_json(path, *choices)
            first = next(found)
            titles = {name: name for name in first[1]}
            return _Cells(titles, itertools.chain([first], found))
        table = table_cells.open_table(
            path, choices, self.settings.form, is_test=is_test
        )
        if table.form.delimiter != self.settings.form.own_delimiter:
            self._delimiter = table.form.delimiter
        titles = {
            name: table.first[place].strip() if table.form.header else name
            for name, place in table.columns.items()
        }
        return _Cells(titles, table_cells.cells_of(table, is_test))

    def _row_labels(
        self, path: str, wanted: SetColumns, cells: _Cells
    ) -> RowLabels:
        """Returns what reads the labels of a file's rows."""
        columns = next(
            own for own in wanted.label_choices if {*own} <= cells.titles.keys()
        )
        titles = {column: cells.titles[column] for column in columns}
        return RowLabels(
            self._kind,
            titles
            if len(columns) == 1
            else self._names_of_columns(path, wanted, titles),
            self.settings.label_separator,
            table_labels.skipped_labels(self.settings.skip_labels),
        )

    def _names_of_columns(
        self, path: str, wanted: SetColumns, titles: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Returns the label of each column; those of the titles if unknown."""
        if self._labels is None:
            new = [n for n in titles.values() if n not in self._first]
            self._labels = [*self._first, *new]
        known = self.get_labels()
        is_renamed = wanted.label_column != self.settings.label_column
        if is_renamed and len(titles) == len(known):
            return dict(zip(titles, known, strict=True))
        if {*titles.values(), *self._first} != {*known}:
            raise UserError(
                f"{path}: expected a column for each of the labels "
                f"{rows.some(known)} (those of {self.origin}). Received: "
                f"{rows.some(list(titles.values()))} (--label_column)."
            )
        return titles

    def _name_vectors(self, read: Sequence[_Row]) -> None:
        """Makes labels of lists that have a 0 or 1 for each."""
        own = [self._names(row) for row in read] if self._kind.has_many else []
        if not label_cells.are_vectors(own):
            return
        for (place, example), vector in zip(read, own, strict=True):
            example.label = label_cells.vector_labels(
                place, vector, self.get_labels()
            )

    def _warn_of_labels(self, path: str, read: Sequence[_Row]) -> None:
        """Warns of labels that are hardly meant."""
        names = self.get_labels()
        label_counts.warn_of_forms(path, names)
        if not self._kind.has_classes:
            return
        counts = collections.Counter(
            n for row in read for n in self._names(row)
        )
        label_counts.warn_of_number(path, len(counts), len(read))
        label_counts.warn_of_cells(path, counts)
        if _look_like_scores(names):
            logging.warning(
                "%s: the labels are numbers (%s), but each is taken for "
                "a class of its own; --label_type=regression is for "
                "numbers.",
                path,
                rows.some(names),
            )

    def _checked(self, read: Sequence[_Row]) -> list[InputExample]:
        """Returns the examples; UserError where a label is not known."""
        known = self.get_labels()
        for row in read:
            for label in self._names(row):
                if label not in known:
                    raise row.place.fault(
                        f"one of the labels {rows.some(known)} (those of "
                        f"{self.origin}), found {rows.shorten(label)}",
                        "correct the line, or give all labels (--labels)",
                    )
        return [row.example for row in read]

    def _names(self, row: _Row) -> Sequence[str]:
        return self._kind.names_of(row.example.label)


def _example(
    place: Place, cells: Mapping[str, Any], columns: SetColumns, name: str
) -> InputExample:
    """Makes an example, without its label, of the cells of a row."""
    pair, own_name = columns.pair_column, columns.id_column
    return InputExample(
        guid=str(cells[own_name]) if own_name else name,
        text_a=_text(place, cells, columns.text_column),
        text_b=None if pair is None else _text(place, cells, pair),
    )


def _warn_of_counts(path: str, examples: Sequence[InputExample]) -> None:
    """Warns of columns that are the numbers of the rows."""
    for flag, cells in (
        ("text_column", [example.text_a for example in examples]),
        ("label_column", [str(example.label) for example in examples]),
    ):
        if label_forms.is_count(cells):
            logging.warning(
                "%s: --%s is a column that does nothing but count the rows; "
                "is it the right one?",
                *(path, flag),
            )


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

"""Cells of tsv and csv files, and values of jsonl files, by their columns.

Imports neither TensorFlow nor NumPy.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.data.tables import json_node, rows
from bert.data.tables.rows import Place, Row
from bert.errors import UserError

# Where the header does not have the columns with the format's own delimiter.
_OTHER_DELIMITERS = (",", ";", "\t", "|")
_NAMES_OF_DELIMITERS = {"tab": "\t", "\\t": "\t"}
_FLAGS = "(--text_column, --pair_column, --label_column, --id_column)"


class Form(NamedTuple):
    """How a tsv or csv file is written.

    Attributes:
        is_csv: whether cells may be quoted, as Python's csv module has it.
        header: whether the first row names the columns.
        delimiter: what stands between cells; None: TABs, or commas in csv,
            and where there is a header that does not have the columns then,
            what makes it have them.
        usual: what is looked for first then, in place of TABs or commas.
    """

    is_csv: bool
    header: bool = True
    delimiter: str | None = None
    usual: str = ""

    @property
    def own_delimiter(self) -> str:
        """What stands between cells where nothing is said."""
        return self.usual or ("," if self.is_csv else "\t")

    @property
    def quotechar(self) -> str | None:
        """What cells may be quoted with."""
        return '"' if self.is_csv else None

    def line(self, cells: Iterable[str]) -> str:
        """Returns a row as text, without a line end.

        Where cells cannot be quoted, spaces stand for their delimiters.
        """
        mark = self.delimiter or self.own_delimiter
        if not self.is_csv:
            special = re.compile(rf"[\r\n{re.escape(mark)}]")
            return mark.join(special.sub(" ", cell) for cell in cells)
        out = io.StringIO()
        csv.writer(out, delimiter=mark, lineterminator="").writerow(cells)
        return out.getvalue()


class Table(NamedTuple):
    """A tsv or csv file.

    Attributes:
        first: its first row, the header where there is one.
        rows: the others, or all.
        columns: the place of each column that was asked for, by its name.
        form: how it is written, its delimiter included.
    """

    first: Row
    rows: Sequence[Row]
    columns: Mapping[str, int]
    form: Form

    def misfit(self, row: Row) -> UserError | None:
        """Returns what is wrong with a row that has not as many cells."""
        if len(row) == len(self.first):
            return None
        names = rows.some(self.first) if self.form.header else "none is named"
        advice = "correct the line or remove it"
        if self.form.is_csv:
            mark = self.form.delimiter
            marks = "commas" if mark == "," else repr(mark)
            advice = f"put a cell that has {marks} in quotes, or {advice}"
        return row.place.fault(
            f"{len(self.first)} columns ({names}), as in the first line; "
            f"there are {len(row)}",
            advice,
        )


def delimiter_of(flag: str | None) -> str | None:
    r"""Returns what --delimiter means: a character, or `tab` or `\t`.

    Raises:
        UserError: it is none that can stand between cells.
    """
    found = _NAMES_OF_DELIMITERS.get((flag or "").lower(), flag)
    if found is None or (
        len(found) == 1 and found not in '"\r\n' and not found.isalnum()
    ):
        return found
    raise UserError(
        "--delimiter must be a character, or tab, but no letter, digit, quote "
        f"or line end. Received: {rows.shorten(found)}."
    )


def open_table(
    path: str,
    choices: Sequence[Sequence[str]],
    form: Form,
    *,
    is_test: bool,
    text: str | None = None,
) -> Table:
    """Reads a tsv or csv file.

    Args:
        path: the file.
        choices: the columns to find: names of the header, or numbers from 0.
            The first list whose columns are all there counts.
        form: how it is written.
        is_test: whether every row counts, so that there is a result for each
            row: in a file of one column a blank line is an empty text.
        text: what the file holds, if it has been read.

    Raises:
        UserError: the file cannot be read, or a column is not there.
    """
    text = rows.read_text(path) if text is None else text
    form = form._replace(delimiter=_delimiter(text, path, choices, form))
    found = rows.split_rows(
        text,
        path,
        delimiter=form.delimiter or "",
        quotechar=form.quotechar,
        keeps_blank=is_test,
    )
    columns = _which(found[0], choices, form.header) or choices[-1]
    indexes = {name: _index(found[0], name, form.header) for name in columns}
    return Table(found[0], found[form.header :], indexes, form)


def read(
    path: str,
    columns: Sequence[str],
    *,
    is_csv: bool,
    header: bool,
    is_test: bool,
    differ: bool = False,
) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yields where each row of a tsv or csv file stands, and its cells.

    Args:
        path: the file.
        columns: those wanted: names of the header, or numbers from 0.
        is_csv: whether commas separate cells, which may be quoted; else TABs.
        header: whether the first row names the columns.
        is_test: see `open_table`.
        differ: whether no two of the columns may be the same one.

    Raises:
        UserError: the file cannot be read, a column is not there, or not all
            rows have as many cells.
    """
    table = open_table(path, [columns], Form(is_csv, header), is_test=is_test)
    if differ and len(set(table.columns.values())) < len(table.columns):
        raise UserError(
            f"{path}: expected columns that differ. Received: "
            f"{rows.some(columns)}, of which two are one; name each once."
        )
    return cells_of(table, is_test)


def cells_of(
    table: Table, is_test: bool
) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yields where each row of a table stands, and its cells.

    Args:
        table: the table.
        is_test: whether every row counts; else rows of empty cells are left
            out, with a warning.

    Raises:
        UserError: not all rows have as many cells.
    """
    empty = []
    for row in table.rows:
        if not (is_test or any(cell.strip() for cell in row)):
            empty.append(row)
            continue
        if fault := table.misfit(row):
            raise fault
        yield row.place, {name: row[i] for name, i in table.columns.items()}
    rows.warn_of(
        empty,
        "{count} row(s) of empty cells are left out, the first in line {line}.",
    )


def read_json(
    path: str, *choices: Sequence[str]
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yields where each line of a jsonl file stands, and its values.

    Args:
        path: the file.
        *choices: the keys wanted. The first list whose keys the first line
            has counts.

    Raises:
        UserError: the file cannot be read, a line is no object, or lacks one
            of the keys.
    """
    lines = json_node.read_lines(path)
    keys = next(
        (names for names in choices if {*names} <= lines[0][1].keys()),
        choices[-1],
    )
    for place, values in lines:
        missing = [key for key in keys if key not in values]
        if missing:
            raise place.fault(
                f"the keys {rows.some(keys)}; {rows.some(missing)} is missing",
                f"correct the line, or name the right keys {_FLAGS}",
            )
        yield place, {key: values[key] for key in keys}


def _delimiter(
    text: str, path: str, choices: Sequence[Sequence[str]], form: Form
) -> str:
    """Returns what stands between cells, guessed where the header says so."""
    if form.delimiter is not None:
        return form.delimiter
    own = form.own_delimiter
    if not form.header:
        return own
    for delimiter, first in headers(text, path, form):
        if _which(first, choices, form.header) is not None:
            if delimiter != own:
                logging.info(
                    "%s: columns stand between %r, as its header shows "
                    "(--delimiter).",
                    path,
                    delimiter,
                )
            return delimiter
    return own


def headers(text: str, path: str, form: Form) -> Iterator[tuple[str, Row]]:
    """Yields what may stand between a text's columns, and its first row then.

    Args:
        text: of the file.
        path: the file, for messages.
        form: how it is written; without a delimiter the usual one comes first,
            and then others.
    """
    others = (form.own_delimiter, *_OTHER_DELIMITERS)
    for delimiter in others if form.delimiter is None else (form.delimiter,):
        try:
            yield (
                delimiter,
                rows.first_row(text, path, delimiter, form.quotechar),
            )
        except UserError:
            continue


def _which(
    first: Row, choices: Sequence[Sequence[str]], header: bool
) -> Sequence[str] | None:
    """Returns the first list whose columns are all there."""
    for names in choices:
        if all(_place(first, name, header) is not None for name in names):
            return names
    return None


def _place(first: Row, column: str, header: bool) -> int | None:
    """Returns the place of a column; None where it is not there."""
    if header and column in first:
        return first.index(column)
    numbers = [str(number) for number in range(len(first))]
    return numbers.index(column) if column in numbers else None


def _index(first: Row, column: str, header: bool) -> int:
    """Returns the place of a column that a flag names."""
    where = f"{first.place.file}, line {first.place.line}"
    if header and first.count(column) > 1:
        raise UserError(
            f"{where}: expected columns that differ. "
            f"Received: {rows.shorten(column)} {first.count(column)} times; "
            "rename them, or name the column by its number from 0."
        )
    place = _place(first, column, header)
    if place is not None:
        return place
    there = (
        f"the columns {rows.some(first)}"
        if header
        else f"{len(first)} columns without names (--noheader)"
    )
    raise UserError(
        f"{where}: expected the column "
        f"{rows.shorten(column)}. Received: {there}; name the right one by its "
        f"header or its number from 0 {_FLAGS}."
    )

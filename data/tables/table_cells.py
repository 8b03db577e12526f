"""Cells of tsv and csv files, and values of jsonl files, by their columns.

Imports neither TensorFlow nor NumPy.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from bert.data.tables import json_node, rows
from bert.data.tables.rows import Place, Row
from bert.errors import UserError


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
        is_test: whether every row counts, so that there is a result for each
            row: in a file of one column a blank line is an empty text.
            Else rows of empty cells are left out, with a warning.
        differ: whether no two of the columns may be the same one.

    Raises:
        UserError: the file cannot be read, a column is not there, or not all
            rows have as many cells.
    """
    marks = {"delimiter": ",", "quotechar": '"'} if is_csv else {}
    table = rows.read_rows(path, keeps_blank=is_test, **marks)
    width = len(table[0])
    indexes = {column: _index(table[0], column, header) for column in columns}
    if differ and len(set(indexes.values())) < len(indexes):
        raise UserError(
            f"{path}: expected columns that differ. Received: "
            f"{rows.some(columns)}, of which two are one; name each once."
        )
    names = rows.some(table[0]) if header else "none is named"
    advice = "correct the line or remove it"
    if is_csv:
        advice = f"put a cell that has commas in quotes, or {advice}"
    empty = []
    for row in table[1:] if header else table:
        if not (is_test or any(cell.strip() for cell in row)):
            empty.append(row)
            continue
        if len(row) != width:
            raise row.place.fault(
                f"{width} columns ({names}), as in the first line; there are "
                f"{len(row)}",
                advice,
            )
        yield row.place, {name: row[i] for name, i in indexes.items()}
    rows.warn_of(
        empty,
        "{count} row(s) of empty cells are left out, the first in line {line}.",
    )


def read_json(
    path: str, keys: Sequence[str]
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yields where each line of a jsonl file stands, and its values.

    Raises:
        UserError: the file cannot be read, a line is no object, or lacks one
            of the keys.
    """
    for place, values in json_node.read_lines(path):
        missing = [key for key in keys if key not in values]
        if missing:
            raise place.fault(
                f"the keys {rows.some(keys)}; {rows.some(missing)} is missing",
                "correct the line, or name the right keys (--text_column, "
                "--pair_column, --label_column, --id_column)",
            )
        yield place, {key: values[key] for key in keys}


def _index(first: Row, column: str, header: bool) -> int:
    """Returns the place of a column that a flag names."""
    where = f"{first.place.file}, line {first.place.line}"
    if header and first.count(column) > 1:
        raise UserError(
            f"{where}: expected columns that differ. "
            f"Received: {rows.shorten(column)} {first.count(column)} times; "
            "rename them, or name the column by its number from 0."
        )
    if header and column in first:
        return first.index(column)
    numbers = [str(number) for number in range(len(first))]
    if column in numbers:
        return numbers.index(column)
    there = (
        f"the columns {rows.some(first)}"
        if header
        else f"{len(first)} columns without names (--noheader)"
    )
    raise UserError(
        f"{where}: expected the column "
        f"{rows.shorten(column)}. Received: {there}; name the right one by its "
        "header or its number from 0 (--text_column, --pair_column, "
        "--label_column, --id_column)."
    )

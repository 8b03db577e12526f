"""The columns of one's own file that no flag names, told by what is there."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

from absl import logging

from bert.data.tables import json_node, rows, table_cells, told_columns
from bert.data.tables.rows import Place
from bert.data.tables.told_columns import Columns
from bert.errors import UserError
from bert.tasks.classification import label_cells
from bert.tasks.classification.table_settings import TableSettings

_MEANINGS = {"text_column": "texts", "label_column": "labels"}


def told(
    settings: TableSettings, path: str, set_type: str, unnamed: Collection[str]
) -> TableSettings:
    """Returns settings with the columns that a file has; logs what was told.

    Where the file has the columns that the settings name, and where it cannot
    be read or has no texts (who reads it later says so), they are returned as
    they are.

    Args:
        settings: with the defaults of flags that are not given.
        path: the file.
        set_type: train, dev, or test, which needs no label.
        unnamed: the flags that are not given.

    Raises:
        UserError: no column can be the label, or several are equally good.
    """
    own = settings.columns(set_type)
    wanted = [
        name
        for name in _MEANINGS
        if name in unnamed
        and getattr(own, name) == getattr(settings, name)
        and (name, set_type) != ("label_column", "test")
    ]
    if not wanted or not (settings.header or settings.format == "jsonl"):
        return settings
    try:
        tables = list(
            _tables(settings, path, [getattr(own, n) for n in wanted])
        )
    except UserError:
        return settings
    faults: list[UserError] = []
    for columns in tables:
        try:
            found = _told(settings, path, columns, wanted)
        except UserError as error:
            faults.append(error)
            continue
        if found is None:
            continue
        logging.info(
            "%s: its columns tell %s.",
            *(
                path,
                " ".join(f"--{n}={rows.quoted(v)}" for n, v in found.items()),
            ),
        )
        return dataclasses.replace(
            settings,
            text_column=found.get("text_column", settings.text_column),
            label_column=found.get("label_column", settings.label_column),
        )
    if faults:
        raise faults[0]
    return settings


def _tables(
    settings: TableSettings, path: str, wanted: Sequence[str]
) -> Iterator[Columns]:
    """Yields what a file's columns may be, the likeliest first.

    None where one of them is called as is wanted.

    Raises:
        UserError: the file is not sound.
    """
    text = rows.read_text(path)
    if settings.format == "jsonl":
        first = next(rows.numbered_lines(text), (0, "{}"))
        keys = json_node.parse_line(Place(path, *first))
        if not {*wanted} <= keys.keys():
            lines = [values for _, values in json_node.read_lines(path)]
            yield {
                key: [label_cells.cell_text(own.get(key, "")) for own in lines]
                for key in keys
            }
        return
    headers = dict(table_cells.headers(text, path, settings.form))
    usual = settings.form.delimiter or settings.form.own_delimiter
    if usual not in headers:
        return
    if any({*wanted} <= {*header} for header in headers.values()):
        return
    # With a wrong delimiter all is one column.
    marks = [mark for mark, header in headers.items() if len(header) > 1]
    for mark in marks or [usual]:
        form = settings.form._replace(delimiter=mark)
        table = table_cells.open_table(
            path, [[]], form, is_test=False, text=text
        )
        whole = [row for row in table.rows if len(row) == len(table.first)]
        yield {
            # Without a name, a column has a number.
            name if name.strip() else str(number): [r[number] for r in whole]
            for number, name in enumerate(table.first)
        }


def _told(
    settings: TableSettings, path: str, columns: Columns, wanted: Sequence[str]
) -> Mapping[str, str] | None:
    """Returns the column of each meaning that is wanted and not called so.

    None where there are no texts.

    Raises:
        UserError: see `told`.
    """
    found: dict[str, str] = {}
    for name in wanted:
        if getattr(settings, name) in columns:
            continue
        # A column that means one thing does not mean another.
        named = {**dataclasses.asdict(settings), **found}
        taken = {
            named[other]
            for other in ("text_column", "pair_column", "id_column")
            if other != name
        }
        if name == "text_column":
            taken.update(*settings.columns("train").label_choices)
        left = {n: cells for n, cells in columns.items() if n not in taken}
        candidates = _candidates(settings, name, left)
        if name == "text_column" and not candidates:
            # The only column there is needs no likeness.
            candidates = list(left) if len(columns) == 1 else []
            if not candidates:
                return None
        if len(candidates) != 1:
            raise _fault(path, name, columns, candidates)
        found[name] = candidates[0]
    _check_header(settings, path, columns, found)
    return found


def _candidates(
    settings: TableSettings, name: str, columns: Columns
) -> list[str]:
    """Returns the columns that may have a meaning, equally well."""
    if name == "text_column":
        return told_columns.texts(columns)
    if settings.label_type == "regression":
        return told_columns.numbers(columns)
    is_multi = settings.label_type == "multi"
    separator = settings.label_separator if is_multi else None
    return told_columns.labels(columns, separator)


def _fault(
    path: str, name: str, columns: Columns, candidates: Sequence[str]
) -> UserError:
    """Returns what to raise where none or several columns may be meant."""
    expected = f"one column of {_MEANINGS[name]}"
    may, more = f", of which {rows.some(candidates)} may be it", ""
    if not candidates:
        expected = "a column of labels beside the texts"
        may, more = "", "; texts without labels are for --do_predict"
    return UserError(
        f"{path}, line 1: expected {expected}. Received: the columns "
        f"{rows.some(list(columns))}{may}; name the right one by its header "
        f"or its number from 0 (--{name}){more}."
    )


def _check_header(
    settings: TableSettings,
    path: str,
    columns: Columns,
    found: Mapping[str, str],
) -> None:
    """Raises UserError where the names of columns are a row's cells."""
    is_row = any(
        told_columns.looks_like_a_row(name, columns[name])
        for name in found.values()
    )
    if is_row and settings.format != "jsonl":
        places = list(columns)
        said = (f"--{n}={places.index(v)}" for n, v in found.items())
        raise UserError(
            f"{path}, line 1: expected the names of the columns. Received: "
            f"{rows.some(places)}, which looks like a row; give --noheader "
            f"{' '.join(said)}, or a first line with names."
        )

"""Labels with names in the cells of tables."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bert.data.tables import rows
from bert.data.tables.rows import Place

# A Python list of texts, numbers and truth values. Its quotes and commas must
# be there: NumPy's have none of the latter, and Python joins such texts.
_ITEM = re.compile(
    r"""u?'((?:[^'\\]|\\['"\\])*)'|u?"((?:[^"\\]|\\['"\\])*)"|(-?\d+|True|False)"""
)
_LIST = re.compile(
    rf"\[\s*(?:(?:{_ITEM.pattern})\s*(?:,\s*(?:{_ITEM.pattern})\s*)*,?\s*)?\]"
)
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_TRUTH = {"0": False, "1": True, "false": False, "true": True}


def label_name(place: Place, label: Any) -> str:
    """Returns a label as text; JSON has numbers and truth values too."""
    if isinstance(label, bool):
        return str(label).lower()
    if not isinstance(label, str | int):
        is_number = isinstance(label, float)
        raise place.fault(
            "a label that is a text or a whole number, found "
            f"{rows.shorten(label)}",
            "give --label_type=regression if labels are numbers, or correct "
            "the line"
            if is_number
            else "correct the line or remove it",
        )
    name = str(label).strip()
    if len(name.splitlines()) > 1:  # labels.txt has one a line
        raise place.fault(
            f"labels that are texts of one line, found {rows.shorten(name)}"
        )
    return name


def several_labels(place: Place, cell: Any, separator: str) -> list[str]:
    """Returns the labels of a cell that may have any number of them.

    Args:
        place: where it is.
        cell: a list, or a text: a list as JSON or Python writes it, or labels
            with a separator between them.
        separator: stands between labels.

    Raises:
        UserError: it is none of these, or only looks like a list.
    """
    if isinstance(cell, str):
        cell = _listed(place, cell.strip(), separator)
    if not isinstance(cell, list):
        raise place.fault(
            f"a list of labels, or a text of labels separated by {separator!r}"
        )
    names = [label_name(place, label) for label in cell]
    return [name for name in names if name]


def _listed(place: Place, text: str, separator: str) -> list[Any]:
    """Returns the parts of a text."""
    inner = text[1:-1]
    is_wrapped = text[-1:] == _BRACKETS.get(text[:1], " ")
    # A label may be in other brackets than a list's: (other).
    is_label = inner.strip() and not any(
        m in inner for m in (separator, *"'\"")
    )
    if not is_wrapped or (is_label and text[0] != "["):
        return text.split(separator)
    if text[0] == "[":
        try:
            found = json.loads(text)
            # An escape may make half a character, which nothing can write.
            json.dumps(found, ensure_ascii=False).encode()
            return found
        except (ValueError, RecursionError):
            if _LIST.fullmatch(text):
                return [_item(*found) for found in _ITEM.findall(text)]
    raise place.fault(
        "labels, or a list of them (['a', 'b']), found what only looks like "
        f"a list: {rows.shorten(text)}",
        "correct the line",
    )


def _item(single: str, double: str, other: str) -> str:
    """Returns an item of a Python list by what stands in its quotes."""
    if other:
        return other.lower()
    return re.sub(r"\\(.)", r"\1", single or double)


def are_vectors(lists: Sequence[Sequence[str]]) -> bool:
    """Whether lists are a 0 or 1 for each label, not names of labels.

    A name stands in a list once, and does not stand in all of them.
    """
    if any(
        len(set(own)) < len(own) and set(own) <= _TRUTH.keys() for own in lists
    ):
        return True
    return bool(lists) and all(
        len(own) > 1 and set(own) <= _TRUTH.keys() for own in lists
    )


def vector_labels(
    place: Place, vector: Sequence[str], names: Sequence[str]
) -> list[str]:
    """Returns the labels of a list of 0 or 1 for each.

    Args:
        place: where it is.
        vector: the list.
        names: all labels; none where nothing names them.

    Raises:
        UserError: it is not one of as many numbers as there are labels.
    """
    if len(vector) != len(names) or not set(vector) <= _TRUTH.keys():
        known = f"{len(names)} labels" if names else "labels that are named"
        raise place.fault(
            f"a list of 0 or 1 for each of {known}, found {len(vector)} items",
            "correct the line, or name the labels in the lists' order "
            "(--labels=a,b,c)",
        )
    return [n for n, x in zip(names, vector, strict=True) if _TRUTH[x]]


def chosen_columns(
    place: Place, cells: Mapping[str, Any], names: Mapping[str, str]
) -> list[str]:
    """Returns the labels whose columns say 1.

    Args:
        place: where they are.
        cells: a row's, by column: 0 or 1, also as 1.0 or true.
        names: the label of each column.

    Raises:
        UserError: one says something else.
    """
    chosen = []
    for column, name in names.items():
        text = cell_text(cells[column]).lower()
        holds = _TRUTH.get(re.sub(r"\.0+$", "", text))
        if holds is None:
            raise place.fault(
                f"0 or 1 in the column {rows.shorten(column)}, found "
                f"{rows.shorten(cells[column])}",
                "correct the line, or leave such rows out (--skip_labels)",
            )
        if holds:
            chosen.append(name)
    return chosen


def cell_text(cell: Any) -> str:
    """Returns a cell as --skip_labels names it; JSON's null is `null`."""
    return cell.strip() if isinstance(cell, str) else json.dumps(cell)

"""Labels with names in the cells of tables."""

from typing import Any

from bert.data.tables import rows
from bert.data.tables.rows import Place


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

"""The labels of a file's rows: in a cell, or in a column for each label."""

from collections.abc import Collection, Mapping
from typing import Any

from absl import logging

from bert.data.tables import rows
from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.tasks.classification import label_cells
from bert.tasks.classification.kinds import Kind, Label


class RowLabels:
    """Reads the labels of a file's rows.

    Args:
        kind: what is said of a text.
        columns: where labels stand, each column with the label that it says 0
            or 1 of; a single one holds labels.
        separator: between the labels of a cell.
        skipped: rows with one of these labels are left out.

    Raises:
        UserError: the kind has no labels for several columns.
    """

    def __init__(
        self,
        kind: Kind,
        columns: Mapping[str, str],
        separator: str,
        skipped: Collection[str],
    ):
        if len(columns) > 1 and not kind.has_many:
            raise UserError(
                "--label_column must name one column, or "
                "--label_type must be multi: then each column says 0 or 1 of "
                f"a label. Received: {rows.some(list(columns))} with "
                f"--label_type={kind.label_type}."
            )
        self._kind = kind
        self._columns = columns
        self._separator = separator
        self._skipped = frozenset(skipped)
        self._num_skipped = 0

    def read(self, place: Place, cells: Mapping[str, Any]) -> Label | None:
        """Returns a row's label, or labels; None: it is to be left out.

        Raises:
            UserError: it has none of this kind.
        """
        texts = [label_cells.cell_text(cells[name]) for name in self._columns]
        if not self._skipped.isdisjoint(texts):
            self._num_skipped += 1
            return None
        if len(self._columns) > 1:
            return label_cells.chosen_columns(place, cells, self._columns)
        (column,) = self._columns
        label = self._kind.read_cell(
            place, cells[column], column, self._separator
        )
        if not self._skipped.isdisjoint(self._kind.names_of(label)):
            self._num_skipped += 1
            return None
        return label

    def log_skipped(self, path: str) -> None:
        """Logs how many rows have been left out, if that was asked for."""
        if self._skipped:
            logging.info(
                "%s: %d row(s) are left out for their label (--skip_labels).",
                *(path, self._num_skipped),
            )


def skipped_labels(flag: str | None) -> set[str]:
    """Returns the labels that --skip_labels names; one may have a comma."""
    if flag is None:
        return set()
    return {flag.strip(), *(name.strip() for name in flag.split(","))}

"""A table of texts → the same table, with what a model says of each row.

id,text               id,text,prediction,probability
7,My box is late.     7,My box is late.,shipping,0.97
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from bert.data.tables import rows, table_cells
from bert.data.tables.rows import Row
from bert.data.tables.table_cells import Form, Table
from bert.errors import UserError
from bert.model_folder.task_files import Task
from bert.serving import line_service
from bert.serving.answering import Failures, Item, Summary
from bert.tasks.requests import UnfitError

# It imports TensorFlow.
if TYPE_CHECKING:
    from bert.serving.predictor import Predictor

_BYTE_ORDER_MARK = "\ufeff"
# Bytes to read at a time.
_CHUNK = 2**20


class Asked(NamedTuple):
    """What is asked about a table.

    Attributes:
        is_csv: whether its cells may be quoted.
        given: some of `task_files.TABLE`, in place of what the model keeps.
        failures: what becomes of rows that cannot be answered.
    """

    is_csv: bool
    given: Mapping[str, str | bool]
    failures: Failures = Failures.STOP


def run(
    path: str | None, make_predictor: Callable[[], "Predictor"], asked: Asked
) -> None:
    """Answers a table on standard output, in its form.

    Args:
        path: see `line_service.open_input`; it is read as a whole.
        make_predictor: called once the table has been read.
        asked: what is asked about it.

    Raises:
        UserError: the file is missing or no such table, the model has no
            answer for it, or a row cannot be answered.
    """
    out = line_service.open_output()
    with line_service.open_input(path) as source:
        content = b"".join(iter(lambda: source.read(_CHUNK), b""))
    serve(source.name, content, make_predictor(), asked, out)


def serve(
    name: str,
    content: bytes,
    predictor: "Predictor",
    asked: Asked,
    out: BinaryIO,
) -> None:
    """Answers a table.

    Args:
        name: of the file, for messages.
        content: its bytes.
        predictor: the model.
        asked: what is asked about the table.
        out: gets the table, its rows as they are in the file, each with the
            answer in further columns.

    Raises:
        UserError: see `run`.
    """
    text = rows.decoded(content, name)
    table = _open(name, text, predictor.task, asked)
    answered = _Answered(table, predictor, asked, _line_end(text))
    if table.form.header:
        mark = _BYTE_ORDER_MARK * content.startswith(_BYTE_ORDER_MARK.encode())
        line_service.write(out, mark + answered.header())
    for line in answered.lines():
        line_service.write(out, line)


def _open(name: str, text: str, task: Task, asked: Asked) -> Table:
    """Reads a table as the model's training did."""
    if task.task != "classification":
        raise UserError(
            "Expected lines of text or JSON, as tables are for models of "
            f"run_classifier.py. Received: {name}, for a model of "
            f"{task.spec.name}; say --input_format=text or jsonl."
        )
    said = {**task.table, **asked.given}
    columns = [said.get("text_column", "text"), said.get("pair_column")]
    delimiter = asked.given.get("delimiter")
    form = Form(
        asked.is_csv,
        bool(said.get("header", True)),
        table_cells.delimiter_of(None if delimiter is None else str(delimiter)),
        str(task.table.get("delimiter", "")),
    )
    wanted = [str(column) for column in columns if column is not None]
    return table_cells.open_table(name, [wanted], form, is_test=True, text=text)


def _line_end(text: str) -> str:
    """Returns what a text's lines end with."""
    first, end, _ = text.partition("\n")
    if not end:
        return "\r" if "\r" in first else "\n"
    return "\r\n" if first.endswith("\r") else "\n"


class _Answered:
    """A table with what a model says of it.

    Args:
        table: the table.
        predictor: the model.
        asked: see `serve`.
        line_end: of the table's lines.

    Raises:
        UserError: the table has a column of an answer's name.
    """

    def __init__(
        self, table: Table, predictor: "Predictor", asked: Asked, line_end: str
    ):
        self._table = table
        self._predictor = predictor
        self._failures = asked.failures
        self._line_end = line_end
        separator = predictor.task.table.get("label_separator", ",")
        self._separator = str(separator)
        is_number = predictor.task.kind == "regression"
        self._names = ["score"] if is_number else ["prediction", "probability"]
        if asked.failures is Failures.ANSWER:
            self._names.append("error")
        doubled = [name for name in self._names if name in table.first]
        if table.form.header and doubled:
            raise table.first.place.fault(
                f"no column {rows.some(doubled)}, as the answer has one",
                "rename it",
            )

    def header(self) -> str:
        """Returns the line that names the columns."""
        return self._line(self._table.first, self._names)

    def lines(self) -> Iterator[str]:
        """Yields the line of each row.

        Raises:
            UserError: a row cannot be answered, and that ends the work; else
                at the end.
        """
        summary = Summary(self._failures)
        size = self._predictor.window_size
        for start in range(0, len(self._table.rows), size):
            window = self._table.rows[start : start + size]
            found = summary.answered(
                map(self._item, window), self._predictor.answers
            )
            for row, (_, answer) in zip(window, found, strict=True):
                yield self._line(row, self._cells(answer))
        summary.check()

    def _item(self, row: Row) -> Item:
        """Returns a row's request, or what is wrong with it."""
        fault = self._table.misfit(row)
        if fault:
            return Item(row.place, fault)
        texts = tuple(row[index] for index in self._table.columns.values())
        try:
            request = self._predictor.request(texts)
        except UnfitError as error:
            return Item(row.place, row.place.fault(str(error)))
        return Item(row.place, request)

    def _cells(self, answer: Mapping[str, Any] | UserError) -> list[str]:
        """Returns the cells that a row gets."""
        if isinstance(answer, UserError):
            return [*[""] * (len(self._names) - 1), str(answer)]
        if "score" in answer:
            found = [str(answer["score"])]
        else:
            several = answer.get("labels")
            names = [answer["label"]] if several is None else several
            numbers = [str(answer["probabilities"][name]) for name in names]
            found = [self._joined(names), self._separator.join(numbers)]
        return [*found, *[""] * (len(self._names) - len(found))]

    def _joined(self, names: Sequence[str]) -> str:
        """Returns labels as training reads them from a cell."""
        labels = self._predictor.labels
        is_several = self._predictor.task.kind == "multi_label"
        if is_several and any(self._separator in label for label in labels):
            return json.dumps(names, ensure_ascii=False)
        return self._separator.join(names)

    def _line(self, row: Row, added: Sequence[str]) -> str:
        """Returns a row as it is in the file, with more cells."""
        form, width = self._table.form, len(self._table.first)
        content = row.place.content
        if len(row) != width:
            # So that what is added comes under its names.
            whole, over = row[: width - 1], row[width - 1 :]
            cells = [*whole, " ".join(over)]
            cells += [""] * (width - len(cells))
            content = form.line(cells)
        mark = form.delimiter or form.own_delimiter
        return f"{content}{mark}{form.line(added)}{self._line_end}"

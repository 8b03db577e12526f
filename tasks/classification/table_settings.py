"""How one's own files are to be read: the flags of run_classifier.py."""

import dataclasses
from typing import Any, NamedTuple

from bert.data.tables import rows, table_cells
from bert.data.tables.table_cells import Form
from bert.errors import UserError

FORMATS = ("tsv", "csv", "jsonl")


class SetColumns(NamedTuple):
    """The columns of a file; see `TableSettings`."""

    text_column: str
    pair_column: str | None
    label_column: str
    id_column: str | None

    @property
    def texts(self) -> list[str]:
        """The columns that every set has."""
        names = (self.text_column, self.pair_column, self.id_column)
        return [name for name in names if name is not None]

    @property
    def label_choices(self) -> list[list[str]]:
        """What label_column may mean: a column, or several of them."""
        parts = [part.strip() for part in self.label_column.split(",")]
        several = [parts] if len(parts) > 1 and all(parts) else []
        return [[self.label_column], *several]


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
        label_column: the label's; not read in the test set. Several, with
            commas between them: each says 0 or 1 of the label that it names.
        id_column: a name for the example; None: they are numbered.
        dev_text_column: text_column in dev_file; None: the same.
        dev_pair_column: pair_column in dev_file; None: the same.
        dev_label_column: label_column in dev_file; None: the same.
        header: whether the first line of a tsv or csv file names the columns.
        delimiter: what stands between the cells of a tsv or csv file; see
            `table_cells.delimiter_of` and `Form`.
        label_type: "single", "multi" or "regression".
        label_separator: between the labels of a tsv or csv cell.
        skip_labels: rows of the training and dev set with this label are left
            out; several, with commas between them.

    Raises:
        UserError: a text's column is the label's, or the delimiter is none.
    """

    format: str
    train_file: str | None = None
    dev_file: str | None = None
    test_file: str | None = None
    text_column: str = "text"
    pair_column: str | None = None
    label_column: str = "label"
    id_column: str | None = None
    dev_text_column: str | None = None
    dev_pair_column: str | None = None
    dev_label_column: str | None = None
    header: bool = True
    delimiter: str | None = None
    label_type: str = "single"
    label_separator: str = ","
    skip_labels: str | None = None

    def __post_init__(self) -> None:
        for own in map(self.columns, ("train", "dev")):
            for name in ("text_column", "pair_column"):
                text = getattr(own, name)
                if any(text in names for names in own.label_choices):
                    raise UserError(
                        f"--{name} and --label_column must differ. Received: "
                        f"{rows.shorten(text)} for both."
                    )
            if any(len(set(names)) < len(names) for names in own.label_choices):
                raise UserError(
                    "--label_column names a column for each label, each once. "
                    f"Received: {rows.shorten(own.label_column)}."
                )
        if self.format == "jsonl" and self.delimiter is not None:
            raise UserError(
                "--delimiter is for tsv and csv files; leave it out. Received: "
                f"{rows.shorten(self.delimiter)} with --task_name=jsonl."
            )
        table_cells.delimiter_of(self.delimiter)

    def columns(self, set_type: str) -> SetColumns:
        """Returns the columns of the train, dev or test file."""
        return SetColumns(
            *(
                getattr(self, f"{set_type}_{name}", None) or getattr(self, name)
                for name in SetColumns._fields
            )
        )

    @property
    def form(self) -> Form:
        """How tsv and csv files are written."""
        delimiter = table_cells.delimiter_of(self.delimiter)
        return Form(self.format == "csv", self.header, delimiter)

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

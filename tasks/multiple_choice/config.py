"""run_multiple_choice.py's flags, checked together; needs no TensorFlow."""

import dataclasses
from typing import Self

from absl import flags

from bert.cli import config
from bert.data.tables.rows import shorten
from bert.errors import UserError
from bert.tasks.config import SetsConfig, format_of
from bert.tasks.multiple_choice import examples
from bert.tasks.multiple_choice.examples import Columns


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SetsConfig):
    """The values of a run's flags, by their names; checked together."""

    task_name: str
    text_column: str
    choice_columns: str | None
    label_column: str
    header: bool

    @classmethod
    def from_flags(cls, flag_values: flags.FlagValues) -> Self:
        """Reads it from parsed flags; see `FlagConfig.from_flags`.

        Without --task_name the files' endings say what they are.
        """
        values = config.read_fields(cls, flag_values)
        paths = [values[f"{name}_file"] for name in ("train", "dev", "test")]
        own = [n for n in examples.FILES if n not in examples.BENCHMARKS]
        values["task_name"] = values["task_name"] or format_of(paths, own)
        return cls(**values)

    def __post_init__(self):
        super().__post_init__()
        if self.format not in examples.FILES:
            raise UserError(
                "--task_name must be one of "
                f"{', '.join(examples.FILES)}. Received: "
                f"{shorten(self.task_name)}."
            )
        if self.max_seq_length < 5:
            raise UserError(
                "--max_seq_length must be at least 5 for a text and a choice: "
                f"[CLS] a [SEP] b [SEP]. Received: {self.max_seq_length}."
            )
        self._check_columns()
        for name in self.needed_files:
            self.path(name)

    def _check_columns(self) -> None:
        own = {
            "text_column": self.text_column != "text",
            "choice_columns": self.choice_columns is not None,
            "label_column": self.label_column != "label",
            "header": not self.header,
        }
        given = [name for name, is_given in own.items() if is_given]
        if self.format in examples.BENCHMARKS:
            if given:
                raise UserError(
                    f"--{given[0]} is for one's own files (--task_name=csv, "
                    "tsv or jsonl); leave it out. Received: "
                    f"--task_name={self.task_name}."
                )
            return
        columns = self.columns
        names = [columns.text, *columns.choices, columns.label]
        doubled = [name for name in names if names.count(name) > 1]
        if not columns.choices or "" in names or doubled:
            raise UserError(
                "Expected --choice_columns=a,b,…, the columns of the choices, "
                "other ones than --text_column and --label_column. Received: "
                f"--choice_columns={shorten(self.choice_columns)}, "
                f"--text_column={shorten(self.text_column)}, "
                f"--label_column={shorten(self.label_column)}."
            )

    @property
    def format(self) -> str:
        """What the files are: a key of `examples.FILES`."""
        return self.task_name.lower()

    @property
    def columns(self) -> Columns:
        """Where one's own files have what."""
        choices = (self.choice_columns or "").split(",")
        return Columns(
            self.text_column,
            tuple(name.strip() for name in choices if choices != [""]),
            self.label_column,
            self.header,
        )

    @property
    def distill_format(self) -> str:
        """What --distill_data is: a key of `examples.FILES`."""
        if self.format in examples.BENCHMARKS:
            return self.format
        own = [n for n in examples.FILES if n not in examples.BENCHMARKS]
        return format_of([self.distill_data], own, "as --distill_data")

    def path(self, name: str) -> str:
        """Returns where a set is; UserError where no flag says so."""
        return self.set_file(name, examples.FILES[self.format][name])

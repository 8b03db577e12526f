"""run_classifier.py's tasks by name, and its flags, checked together.

Imports without TensorFlow.
"""

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Self

from absl import flags

from bert.cli import config
from bert.data.records import long_texts
from bert.data.records.long_texts import LongTexts
from bert.errors import UserError
from bert.tasks.classification import glue, kinds, told_settings
from bert.tasks.classification.kinds import Kind
from bert.tasks.classification.processors import (
    ColaProcessor,
    DataProcessor,
    MnliProcessor,
    MrpcProcessor,
    XnliProcessor,
)
from bert.tasks.classification.table_files import TableProcessor
from bert.tasks.classification.table_settings import (
    FORMATS,
    TableSettings,
    given_flags,
)
from bert.tasks.config import SetsConfig, format_of

# --max_windows where it is not given.
_MAX_WINDOWS = 16

# The flags that say how --distill_data is to be read.
_OF_UNLABELLED = ("text_column", "pair_column", "header", "delimiter")

# The tasks by the names that --task_name takes. Code that imports
# run_classifier may add its own.
processors: dict[str, Callable[[], DataProcessor]] = {
    "cola": ColaProcessor,
    "mnli": MnliProcessor,
    "mrpc": MrpcProcessor,
    "xnli": XnliProcessor,
    **glue.PROCESSORS,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SetsConfig):
    """The values of a run's flags, by their names; checked together."""

    task_name: str
    text_column: str
    pair_column: str | None
    label_column: str
    id_column: str | None
    dev_text_column: str | None
    dev_pair_column: str | None
    dev_label_column: str | None
    header: bool
    delimiter: str | None
    label_type: str
    label_separator: str
    skip_labels: str | None
    labels: str | None
    language: str | None
    class_weights: str | None
    predictions_text: bool
    glue_submission: bool
    lm_loss_weight: float = 0.0
    truncation: str = "end"
    doc_stride: int | None = None
    max_windows: int | None = None
    window_pooling: str | None = None
    # Not a flag: those of text_column and label_column that are not given.
    unnamed_columns: tuple[str, ...] = ()

    @classmethod
    def from_flags(cls, flag_values: flags.FlagValues) -> Self:
        """Reads it from parsed flags; see `FlagConfig.from_flags`.

        Without --task_name the files' endings say what they are.
        """
        values = config.read_fields(cls, flag_values)
        paths = [values[f"{name}_file"] for name in ("train", "dev", "test")]
        values["task_name"] = values["task_name"] or format_of(paths, FORMATS)
        values["unnamed_columns"] = tuple(
            name
            for name in ("text_column", "label_column")
            if flag_values[name].using_default_value
        )
        return cls(**values)

    def __post_init__(self):
        super().__post_init__()
        name = self.task_name.lower()
        if name not in FORMATS and name not in processors:
            raise UserError(
                f"Task not found: {name}. Expected --task_name to be one of "
                f"{', '.join([*processors, *FORMATS])}."
            )
        given = given_flags(self)
        if self.distill_data and name not in FORMATS:
            given = [n for n in given if n not in _OF_UNLABELLED]
        if given and name not in FORMATS:
            raise UserError(
                f"--{given[0]} is for one's own files "
                f"(--task_name={'|'.join(FORMATS)}); leave it out. Received: "
                f"--task_name={self.task_name}."
            )
        of_dev = [n for n in given if n.startswith("dev_") and n != "dev_file"]
        if self.is_split and (name not in FORMATS or of_dev):
            received = f"--{of_dev[0]}" if of_dev else f"--task_name={name}"
            raise UserError(
                f"{self.split_flag} takes the rows to evaluate on from one's "
                f"own training file. Received: {received}, which goes with a "
                "file of such rows; leave one of them out."
            )
        if self.glue_submission and not self.do_predict:
            raise UserError(
                "--glue_submission needs --do_predict, whose results it writes."
            )
        task = processors.get(name)
        if self.glue_submission and not getattr(task, "glue_name", None):
            raise UserError(
                "--glue_submission is for the tasks of GLUE. Received: "
                f"--task_name={self.task_name}."
            )
        if self.language and name != "xnli":
            raise UserError(
                "--language is for --task_name=xnli; leave it out. Received: "
                f"--task_name={self.task_name}."
            )
        if not self.label_separator:
            raise UserError("--label_separator must not be empty.")
        if self.grow_labels and self.kind.least_labels == 0:
            raise UserError(
                "--grow_labels is for labels; those of the task are numbers. "
                "Leave it out."
            )
        if self.label_type == "regression" and self.labels is not None:
            raise UserError(
                "--labels is for names; those of --label_type=regression are "
                f"numbers. Received: {self.labels!r}; leave it out."
            )
        self._check_long_texts()

    def _check_long_texts(self) -> None:
        for name in ("doc_stride", "max_windows", "window_pooling"):
            value = getattr(self, name)
            if value is not None and self.truncation != "windows":
                raise UserError(
                    f"--{name} is for --truncation=windows. Received: --{name}="
                    f"{value} and --truncation={self.truncation}; leave one of "
                    "them out."
                )
        room = self.max_seq_length - 2
        if (self.doc_stride or 0) > room:
            raise UserError(
                f"--doc_stride must be at most {room}, the pieces of a window "
                f"(--max_seq_length={self.max_seq_length} less 2), or some are "
                f"in none. Received: {self.doc_stride}."
            )
        pair = self.pair_column or self.dev_pair_column
        if self.truncation != "end" and pair is not None:
            raise UserError(
                f"--truncation={self.truncation} is for single texts; of a "
                "pair the longer one loses its end. Received: a --pair_column "
                f"({pair}); leave one of them out."
            )
        if self.truncation == "windows" and self.do_export:
            raise UserError(
                "--do_export writes a model that reads one sequence a text. "
                "Received: --truncation=windows, too; leave --do_export out, "
                "and ask the model by predict.py, serve.py or Predictor."
            )
        if self.truncation == "windows" and self.lm_loss_weight:
            raise UserError(
                "--lm_loss_weight learns of one sequence a text. Received: "
                "--truncation=windows, too, where a text may have several; "
                "leave one of them out."
            )
        if self.truncation == "windows" and self.use_xla:
            raise UserError(
                "--use_xla compiles batches whose shapes are known before. "
                "Received: --truncation=windows, too, where texts have any "
                "number of windows; leave --use_xla out."
            )

    @cached_property
    def long_texts(self) -> LongTexts:
        """How texts are read that are too long."""
        if self.truncation != "windows":
            return LongTexts(self.truncation)
        return LongTexts(
            self.truncation,
            self.doc_stride or self.max_seq_length // 2,
            self.max_windows or _MAX_WINDOWS,
            self.window_pooling or long_texts.WINDOW_POOLINGS[0],
        )

    @property
    def most_sequences(self) -> int:
        """How many sequences a row may have: the windows of a text."""
        return self.long_texts.max_windows or 1

    @property
    def course(self) -> dict[str, object]:
        """What a run that goes on may change, by flag; it is told then."""
        weight = self.lm_loss_weight
        return {
            **super().course,
            "truncation": self.truncation,
            **self.long_texts.to_dict(),
            **({"lm_loss_weight": weight} if weight else {}),
        }

    @property
    def table_format(self) -> str | None:
        """The format of one's own files; None: a task with a processor."""
        name = self.task_name.lower()
        return name if name in FORMATS else None

    @cached_property
    def kind(self) -> Kind:
        """What is said of a text."""
        if self.table_format:
            return kinds.BY_LABEL_TYPE[self.table_settings.label_type]
        return kinds.find(self.new_processor().kind)

    @cached_property
    def table_settings(self) -> TableSettings:
        """How one's own files are to be read.

        A --label_column that names several columns says label_type=multi.
        """
        settings = TableSettings.from_config(self.table_format or "", self)
        for name in self.needed_files[:1]:
            path = TableProcessor(settings).path(self.data_dir, name)
            settings = told_settings.told(
                settings, path, name, self.unnamed_columns
            )
        own = settings.columns("train")
        if settings.label_type != "single" or len(own.label_choices) == 1:
            return settings
        processor = TableProcessor(settings)
        for name in self.needed_files:
            path = processor.path(self.data_dir, name)
            if processor.has_column(path, own.label_column):
                return settings
        return dataclasses.replace(settings, label_type="multi")

    def unlabelled_settings(self, path: str) -> TableSettings:
        """Returns how --distill_data is to be read; its name has the format.

        Its columns are called as those of one's own training set, or else as
        flags say, or else told by what is in them.
        """
        file_format = format_of([path], FORMATS, "as --distill_data")
        own = (
            self.table_settings
            if self.table_format
            else TableSettings.from_config(file_format, self)
        )
        settings = dataclasses.replace(
            own,
            format=file_format,
            test_file=path,
            id_column=None,
            delimiter=None if file_format == "jsonl" else own.delimiter,
        )
        return told_settings.told(settings, path, "test", self.unnamed_columns)

    def new_processor(self) -> DataProcessor:
        """Returns the processor that --task_name names."""
        processor = processors[self.task_name.lower()]()
        if self.language and isinstance(processor, XnliProcessor):
            processor.language = self.language
        return processor

"""task.json, and the files beside it that say what a checkpoint means.

Weights alone do not say which word an id stands for, or whether its text was
lower-cased. A training run keeps in output_dir what says it: `task.json` (a
`Task`), and copies of its `bert_config.json` and `vocab.txt`; labels are in
`labels.txt` (`labels`). Export and prediction read them from there
(`model_files`).

Imports without TensorFlow.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any, Self

from bert.data.records import long_texts as long_text_rules
from bert.data.records.long_texts import LongTexts
from bert.data.text import tokenizers
from bert.errors import UserError, one_line
from bert.files import atomic_files, file_bytes, text_input
from bert.tasks import spec
from bert.tasks.spec import Option, Spec

TASK_FILE = "task.json"
CONFIG_FILE = "bert_config.json"
VOCAB_FILE = "vocab.txt"
# What task.json says of tables: flags of run_classifier.py, and their types.
TABLE: Mapping[str, type] = {
    "text_column": str,
    "pair_column": str,
    "label_separator": str,
    "delimiter": str,
    "header": bool,
}
# The folder of these files in a SavedModel.
ASSETS = "assets"


class _NewerError(ValueError):
    """A task.json has what this version does not know."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bfloat16:
    """How often a checkpoint predicts in bfloat16 what it does in float32.

    Attributes:
        agreement: share of the predictions that are the same, 0 to 1.
        rows: how many rows it is of.
        checkpoint: a hash of the checkpoint's index, which has checksums of
            all weights.

    Raises:
        ValueError: a value is not of these kinds.
    """

    agreement: float
    rows: int
    checkpoint: str

    def __post_init__(self):
        if type(self.rows) is not int or self.rows < 0:
            raise ValueError(f"bfloat16 of {self.rows!r} rows")
        if not isinstance(self.checkpoint, str):
            raise ValueError(f"bfloat16 of {self.checkpoint!r}")
        is_number = type(self.agreement) in (int, float)
        if not is_number or not 0 <= self.agreement <= 1:
            raise ValueError(f"bfloat16's agreement {self.agreement!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What a model is for, and how its input is made.

    Attributes:
        task: one of `spec.TASKS`.
        do_lower_case: whether text is lower-cased; None where the model was
            trained on records and nothing says it.
        max_seq_length: the longest sequence it was trained on; at least the
            task's `Spec.min_seq_length`.
        kind: one of `spec.kinds(task)`.
        options: a value for each of the task's `Spec.options`.
        table: how the tables were read that it was trained on: some of
            `TABLE`; {} where it was trained on others.
        long_texts: how texts are read that are too long.
        bfloat16: what was found of a checkpoint in the folder; None: nothing.

    Raises:
        ValueError: a value is not of these kinds.
    """

    task: str
    do_lower_case: bool | None
    max_seq_length: int
    kind: str | None = None
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict)
    table: Mapping[str, str | bool] = dataclasses.field(default_factory=dict)
    long_texts: LongTexts = long_text_rules.END
    bfloat16: Bfloat16 | None = None

    def __post_init__(self):
        if self.task not in spec.TASKS:
            raise _NewerError(f"an unknown task {self.task!r}")
        if self.kind not in spec.kinds(self.task):
            raise ValueError(f"kind {self.kind!r} of task {self.task!r}")
        if not isinstance(self.do_lower_case, bool | None):
            raise ValueError(f"do_lower_case {self.do_lower_case!r}")
        length, least = self.max_seq_length, self.spec.min_seq_length
        if type(length) is not int or length < least:
            raise ValueError(
                f"max_seq_length {length!r}, where an integer of at least "
                f"{least} must be"
            )
        _check_options(self.spec, self.options)
        _check_table(self.table)
        truncation = self.long_texts.truncation
        if truncation != "end" and not self.spec.has_long_texts:
            raise ValueError(f"truncation {truncation!r} of {self.task!r}")

    @property
    def spec(self) -> Spec:
        """What is known of all models for this."""
        return spec.find(self.task, self.kind)

    def with_answer_options(self, options: Mapping[str, Option]) -> Self:
        """Returns the task with other ways to choose answers.

        Args:
            options: of `Spec.answer_options`.

        Raises:
            UserError: the task has no such option, or not with this value.
        """
        for name, value in options.items():
            if name not in self.spec.answer_options:
                tasks = ", ".join(
                    row.task for row in spec.SPECS if name in row.answer_options
                )
                raise UserError(
                    f"Expected options of {self.spec.name} models. Received: "
                    f"{name}={value}, which is of {tasks or 'no task'}; leave "
                    "it out."
                )
        try:
            return dataclasses.replace(
                self, options={**self.options, **options}
            )
        except ValueError as error:
            raise UserError(f"Received: {error}.") from error

    def to_json(self) -> str:
        """Returns the text of a `task.json`; None and {} are left out."""
        values = dataclasses.asdict(self)
        values["long_texts"] = self.long_texts.to_dict()
        kept = {k: v for k, v in values.items() if v is not None and v != {}}
        return json.dumps(kept, indent=2, sort_keys=True) + "\n"


def _check_options(row: Spec, options: Mapping[str, Option]) -> None:
    """Raises ValueError for options that are not those of a task."""
    if not isinstance(options, Mapping):
        raise ValueError(f"options {options!r}")
    for name in options:
        if name not in row.options:
            raise _NewerError(
                f"a task {row.task!r} that knows no option {name!r}"
            )
    for name, default in row.options.items():
        if name not in options:
            raise ValueError(f"a task {row.task!r} that has no option {name!r}")
        value = options[name]
        if name in row.choices:
            wanted = " or ".join(row.choices[name])
            fits = value in row.choices[name]
        elif type(default) is bool:
            wanted, fits = "true or false", type(value) is bool
        elif type(default) is int:
            wanted = "an integer of at least 1"
            fits = type(value) is int and value >= 1
        else:  # nan is unlike itself
            wanted = "a number"
            fits = type(value) in (int, float) and value == value
        if not fits:
            raise ValueError(f"{name} {value!r}, where {wanted} must be")


def _check_table(table: Mapping[str, str | bool]) -> None:
    """Raises ValueError for what is no `Task.table`."""
    if not isinstance(table, Mapping):
        raise ValueError(f"table {table!r}")
    for name, value in table.items():
        if name not in TABLE:
            raise _NewerError(f"a table with an unknown {name!r}")
        if type(value) is not TABLE[name]:
            raise ValueError(
                f"{name} {value!r}, where a {TABLE[name].__name__} must be"
            )


def _part(kind: type, name: str, values: Any) -> Any:
    """Returns a part of a `Task` of what JSON says; ValueError for others.

    Args:
        kind: the dataclass.
        name: the attribute's, for messages.
        values: what JSON says.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{name} {values!r}")
    known = [field.name for field in dataclasses.fields(kind)]
    for key in values:
        if key not in known:
            raise _NewerError(f"{name} with an unknown {key!r}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{name} without some of {known}") from error


def from_json(text: str, path: str) -> Task:
    """Returns what a `task.json` says.

    Options that came after the file was written have their defaults. What
    this version does not know is refused: it may change what the model says.

    Args:
        text: the file's.
        path: the file, for the message.

    Raises:
        UserError: it is not one of ours, or one of a newer version.
    """
    try:
        return Task(**_values(text))
    except (ValueError, TypeError, RecursionError) as error:
        advice = (
            "; a newer version wrote the file, use that one"
            if isinstance(error, _NewerError)
            else "; restore the file, or move it away"
        )
        raise UserError(
            f"{path}: expected the JSON object that training leaves "
            f'({{"task": "squad", …}}). Received: {one_line(error)}{advice}.'
        ) from error


def _values(text: str) -> dict[str, Any]:
    """Returns the attributes of a `Task` from the text of a task.json."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"a JSON {type(values).__name__}")
    known = [field.name for field in dataclasses.fields(Task)]
    for name in values:
        if name not in known:
            raise _NewerError(f"an unknown key {name!r}")
    values = {"do_lower_case": None, "options": {}, **values}
    if isinstance(values["options"], dict):
        for row in spec.SPECS:
            if (row.task, row.kind) == (values.get("task"), values.get("kind")):
                values["options"] = {**row.options, **values["options"]}
    for name, kind in (("long_texts", LongTexts), ("bfloat16", Bfloat16)):
        if name in values:
            values[name] = _part(kind, name, values[name])
    return values


def read(path: str) -> Task:
    """Returns what a `task.json` says.

    Raises:
        UserError: it is not one of ours.
        OSError: it cannot be read.
    """
    return from_json(file_bytes.read(path).decode("utf-8", "replace"), path)


def check(
    output_dir: str,
    bert_config_file: str,
    vocab_file: str | None,
    replaces: bool = False,
) -> None:
    """Makes sure that `write` will replace nothing but its own files.

    Args:
        output_dir: may not exist.
        bert_config_file: what the run takes.
        vocab_file: what the run takes, or None.
        replaces: whether it may replace another model's files.

    Raises:
        UserError: another model's bert_config.json or vocab.txt, or a
            task.json of something else, is in output_dir.
    """
    for name, source in _copies(bert_config_file, vocab_file).items():
        path = os.path.join(output_dir, name)
        if not _exists(path) or replaces:
            continue
        if file_bytes.read(path) != text_input.read(source):
            raise UserError(
                f"{path} differs from this run's {source}, and training keeps "
                "its own there; name the file that the model in --output_dir "
                "was trained with, or another --output_dir."
            )
    path = os.path.join(output_dir, TASK_FILE)
    if _exists(path):
        read(path)


def write(
    output_dir: str, task: Task, bert_config_file: str, vocab_file: str | None
) -> None:
    """Keeps in output_dir what its checkpoints mean.

    Files that are there with the same content are left alone.

    Args:
        output_dir: exists; `check` has found it free.
        task: what the model is for. What was found of a checkpoint there
            stays: it names the checkpoint.
        bert_config_file: is copied, byte by byte.
        vocab_file: is copied, too; None where the run has none.
    """
    contents = {
        name: text_input.read(source)
        for name, source in _copies(bert_config_file, vocab_file).items()
    }
    task = _with_findings(output_dir, task)
    contents[TASK_FILE] = task.to_json().encode()
    for name, content in contents.items():
        path = os.path.join(output_dir, name)
        if not _exists(path) or file_bytes.read(path) != content:
            atomic_files.write_bytes(path, content)


def update(output_dir: str, task: Task) -> None:
    """Writes task.json anew, where there is one."""
    path = os.path.join(output_dir, TASK_FILE)
    if _exists(path):
        task = _with_findings(output_dir, task)
        atomic_files.write_text(path, task.to_json())


def _with_findings(output_dir: str, task: Task) -> Task:
    """Returns a task with what the folder's says of a checkpoint, if any."""
    path = os.path.join(output_dir, TASK_FILE)
    if not _exists(path):
        return task
    return dataclasses.replace(task, bfloat16=read(path).bfloat16)


def _copies(bert_config_file: str, vocab_file: str | None) -> dict[str, str]:
    """Returns the sources of the files that are copied, by their new names."""
    copies = {CONFIG_FILE: bert_config_file}
    if vocab_file:
        copies.update(tokenizers.kept_files(vocab_file))
    return copies


def _exists(path: str) -> bool:
    """Whether there is a file; UserError where there is a folder."""
    if file_bytes.is_folder(path):
        raise UserError(
            f"Expected a file, or nothing, in the place of {path}. Received: a "
            "folder; give another --output_dir."
        )
    return file_bytes.exists(path)

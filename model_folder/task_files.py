"""What a checkpoint's weights mean, kept beside it.

Weights alone do not say which word an id stands for, or whether its text was
lower-cased. A training run keeps in output_dir what says it: `task.json` (a
`Task`), and copies of its `bert_config.json` and `vocab.txt`; labels are in
`labels.txt` (`labels`). Export and prediction read them from there.

Imports without TensorFlow.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from bert.errors import UserError

TASK_FILE = "task.json"
CONFIG_FILE = "bert_config.json"
VOCAB_FILE = "vocab.txt"

TASKS = ("classification", "squad", "ner", "pretraining", "features")
# Of classification: the keys of `modeling.classification.MODELS`.
KINDS = ("classification", "multi_label", "regression")

Option = int | float | bool | str

# The defaults of run_squad.py's flags, for models of which nothing tells them.
SQUAD_OPTIONS: Mapping[str, Option] = {
    "doc_stride": 128,
    "max_query_length": 64,
    "n_best_size": 20,
    "max_answer_length": 30,
    "version_2_with_negative": False,
    "null_score_diff_threshold": 0.0,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What a model is for, and how its input is made.

    Attributes:
        task: one of TASKS.
        do_lower_case: whether text is lower-cased; None where the model was
            trained on records and nothing says it.
        max_seq_length: the longest sequence it was trained on; at least 3, of
            pretraining 1, as the flags have it.
        kind: of classification: one of KINDS; else None.
        options: of SQuAD: the values of run_squad.py's flags `doc_stride`,
            `max_query_length`, `n_best_size`, `max_answer_length`,
            `version_2_with_negative` and `null_score_diff_threshold`, all of
            them; else none.

    Raises:
        ValueError: a value is not of these kinds.
    """

    task: str
    do_lower_case: bool | None
    max_seq_length: int
    kind: str | None = None
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.task not in TASKS:
            raise ValueError(f"task {self.task!r}")
        if not isinstance(self.do_lower_case, bool | None):
            raise ValueError(f"do_lower_case {self.do_lower_case!r}")
        length = self.max_seq_length
        least = 1 if self.task == "pretraining" else 3
        if type(length) is not int or length < least:
            raise ValueError(
                f"max_seq_length {length!r}, where an integer of at least "
                f"{least} must be"
            )
        kinds = KINDS if self.task == "classification" else (None,)
        if self.kind not in kinds:
            raise ValueError(f"kind {self.kind!r} of task {self.task!r}")
        _check_options(self.task, self.options)

    def to_json(self) -> str:
        """Returns the text of a `task.json`; None and {} are left out."""
        values = dataclasses.asdict(self)
        kept = {k: v for k, v in values.items() if v is not None and v != {}}
        return json.dumps(kept, indent=2, sort_keys=True) + "\n"


def _check_options(task: str, options: Mapping[str, Option]) -> None:
    """Raises ValueError for options that are not those of a task."""
    if not isinstance(options, Mapping):
        raise ValueError(f"options {options!r}")
    expected = SQUAD_OPTIONS if task == "squad" else {}
    for name in sorted(expected.keys() ^ options.keys(), key=str):
        has = "has no" if name in expected else "knows no"
        raise ValueError(f"a task {task!r} that {has} option {name!r}")
    for name, default in expected.items():
        value = options[name]
        if type(default) is bool:
            wanted, fits = "true or false", type(value) is bool
        elif type(default) is int:
            wanted = "an integer of at least 1"
            fits = type(value) is int and value >= 1
        else:  # nan is unlike itself
            wanted = "a number"
            fits = type(value) in (int, float) and value == value
        if not fits:
            raise ValueError(f"{name} {value!r}, where {wanted} must be")


def from_json(text: str, path: str) -> Task:
    """Returns what a `task.json` says.

    Args:
        text: the file's.
        path: the file, for the message.

    Raises:
        UserError: it is not one of ours.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"a JSON {type(values).__name__}")
        return Task(**{"do_lower_case": None, **values})
    except (ValueError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{path}: expected the JSON object that training leaves "
            '({"task": "classification", "max_seq_length": 128, …}). Received: '
            f"{reason}; restore the file, or move it away."
        ) from error


def find(folder: str, name: str) -> str | None:
    """Returns the path of a model's file, or None.

    Args:
        folder: the model's. What `output_dir/best` lacks, output_dir has.
        name: the file's.
    """
    import tensorflow as tf

    folders = [folder]
    parent, own_name = os.path.split(folder.rstrip("/"))
    if own_name == "best":
        folders.append(parent)
    for each in folders:
        path = os.path.join(each, name)
        if tf.io.gfile.exists(path) and not tf.io.gfile.isdir(path):
            return path
    return None


def read(folder: str) -> Task | None:
    """Returns what a folder's `task.json` says; None where there is none.

    Raises:
        UserError: the file is not one of ours, or cannot be read.
    """
    path = find(folder, TASK_FILE)
    return path and _read_task(path)


def check(
    output_dir: str, bert_config_file: str, vocab_file: str | None
) -> None:
    """Makes sure that `write` will replace nothing but its own files.

    Args:
        output_dir: may not exist.
        bert_config_file: the run's.
        vocab_file: the run's, or None.

    Raises:
        UserError: another model's bert_config.json or vocab.txt, or a
            task.json of something else, is in output_dir.
    """
    for name, source in _copies(bert_config_file, vocab_file).items():
        path = os.path.join(output_dir, name)
        if _exists(path) and _read(path) != _read(source):
            raise UserError(
                f"{path} differs from this run's {source}, and training keeps "
                "its own there; name the file that the model in --output_dir "
                "was trained with, or another --output_dir."
            )
    path = os.path.join(output_dir, TASK_FILE)
    if _exists(path):
        _read_task(path)


def write(
    output_dir: str,
    task: Task,
    bert_config_file: str,
    vocab_file: str | None,
) -> None:
    """Keeps in output_dir what its checkpoints mean.

    Files that are there with the same content are left alone.

    Args:
        output_dir: exists; `check` has found it free.
        task: what the model is for.
        bert_config_file: is copied, byte by byte.
        vocab_file: is copied, too; None where the run has none.
    """
    contents: dict[str, Any] = {
        name: _read(source)
        for name, source in _copies(bert_config_file, vocab_file).items()
    }
    contents[TASK_FILE] = task.to_json().encode()
    for name, content in contents.items():
        path = os.path.join(output_dir, name)
        if not _exists(path) or _read(path) != content:
            _write(path, content)


def update(output_dir: str, task: Task) -> None:
    """Writes task.json anew, where there is one."""
    path = os.path.join(output_dir, TASK_FILE)
    if _exists(path):
        _write(path, task.to_json().encode())


def _read_task(path: str) -> Task:
    return from_json(_read(path).decode("utf-8", "replace"), path)


def _copies(bert_config_file: str, vocab_file: str | None) -> dict[str, str]:
    """Returns the sources of the files that are copied, by their new names."""
    copies = {CONFIG_FILE: bert_config_file}
    return {**copies, VOCAB_FILE: vocab_file} if vocab_file else copies


def _exists(path: str) -> bool:
    """Whether there is a file; UserError where there is a folder."""
    import tensorflow as tf

    if tf.io.gfile.isdir(path):
        raise UserError(
            f"Expected a file, or nothing, in the place of {path}. Received: a "
            "folder; give another --output_dir."
        )
    return tf.io.gfile.exists(path)


def _read(path: str) -> bytes:
    import tensorflow as tf

    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return file.read()
    except tf.errors.OpError as error:
        reason = " ".join(str(error.message).split())
        raise UserError(f"Cannot read {path}: {reason}.") from error


def _write(path: str, content: bytes) -> None:
    import tensorflow as tf

    from bert.files import atomic_files

    with (
        atomic_files.replacing(path) as temporary,
        tf.io.gfile.GFile(temporary, "wb") as file,
    ):
        file.write(content)

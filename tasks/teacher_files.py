"""The model that --teacher_dir names, and whether it can teach a task.

All of it is checked before a run writes anything. TensorFlow is imported where
it is used.
"""

from typing import TYPE_CHECKING

from bert.data.tables import rows
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import labels as label_files
from bert.model_folder import task_files

if TYPE_CHECKING:
    from bert.model_folder.files import ModelFiles
    from bert.tasks.task import FineTuningTask, Prepared


def find(task: "FineTuningTask") -> "tuple[ModelFiles, Prepared]":
    """Returns a teacher's files, and what it works with.

    Args:
        task: the student's; has read its examples, and is prepared.

    Raises:
        UserError: there is none, or it cannot teach this task.
    """
    from bert.data.text.tokenization import checked_tokenizer
    from bert.modeling.config import read_config

    files = _files(str(task.config.teacher_dir), task)
    prepared = task.prepared._replace(
        bert_config=read_config(files.bert_config_file),
        tokenizer=checked_tokenizer(
            str(files.vocab_file), bool(files.task.do_lower_case)
        ),
    )
    _check(files, task, prepared)
    return files, prepared


def _files(path: str, task: "FineTuningTask") -> "ModelFiles":
    """Returns a teacher's files; UserError where it is none for a task."""
    from bert.model_folder import locate, model_files

    where, name = task_paths.split(path)
    tasks = locate.tasks(where)
    if tasks and name not in tasks:
        raise UserError(
            f"--teacher_dir={path}: expected one of the tasks of the model in "
            f"{where} ({rows.some(tasks)}), as {where}#{tasks[0]}. Received: "
            f"{name or 'none'}."
        )
    needed = [task_files.TASK_FILE, task_files.CONFIG_FILE]
    needed += [task_files.VOCAB_FILE] * (locate.vocab_file(path) is None)
    needed += [label_files.FILE_NAME] * task.spec.has_labels
    lacks = [name for name in needed if locate.file(path, name) is None]
    if lacks:
        raise UserError(
            f"--teacher_dir={path}: expected the output_dir of a model "
            f"fine-tuned for {task.spec.name}. Received: no {lacks[0]} there; "
            "name a folder with one."
        )
    kept = locate.task(path)
    if kept and kept.spec != task.spec:
        raise UserError(
            f"--teacher_dir={path}: expected a model fine-tuned for "
            f"{task.spec.name}, as this one is. Received: one for "
            f"{kept.spec.name}; name another."
        )
    return model_files.find(path)


def _check(
    files: "ModelFiles", task: "FineTuningTask", prepared: "Prepared"
) -> None:
    """Raises UserError where a teacher cannot teach a task."""
    flag = f"--teacher_dir={task.config.teacher_dir}"
    if {*files.labels} != {*task.labels}:
        raise UserError(
            f"{flag}: expected a model with the labels "
            f"{rows.some(list(task.labels))}. Received: one with "
            f"{rows.some(list(files.labels))}; name another, or say --labels."
        )
    if task.has_pairs and prepared.bert_config.type_vocab_size < 2:
        raise UserError(
            f"{flag}: expected a model of two segments, for pairs of texts. "
            "Received: one whose type_vocab_size is 1; name another."
        )
    long_texts = files.task.long_texts
    if task.has_pairs and not long_texts.takes_pairs:
        raise UserError(
            f"{flag}: expected a model that reads pairs of texts. Received: "
            f"one of --truncation={long_texts.truncation}, for single texts; "
            "name another."
        )
    if "tokens" in task.spec.logits.values():
        _check_tokens(flag, files, task, prepared)


def _check_tokens(
    flag: str, files: "ModelFiles", task: "FineTuningTask", prepared: "Prepared"
) -> None:
    """Raises UserError where a teacher does not see the student's tokens."""
    own = task.prepared.tokenizer
    theirs = prepared.tokenizer
    if own.vocab != theirs.vocab or own.steps != theirs.steps:
        raise UserError(
            f"{flag}: expected a model with the vocabulary and casing of this "
            "one, as both point to the same word pieces. Received: another "
            "vocabulary or --do_lower_case; name another."
        )
    length, most = (
        task.config.max_seq_length,
        prepared.bert_config.max_position_embeddings,
    )
    if length > most:
        raise UserError(
            f"{flag}: expected a model for the windows of this one, "
            f"--max_seq_length={length}. Received: one for at most {most} "
            "word pieces; lower the flag, or name another."
        )
    name = "version_2_with_negative"
    if files.task.options[name] != task.options()[name]:
        raise UserError(
            f"{flag}: expected a model trained with --{name}="
            f"{task.options()[name]}, as this one. Received: one with "
            f"{files.task.options[name]}; name another."
        )

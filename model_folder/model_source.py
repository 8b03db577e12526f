"""A trained model's files, found and checked: what serving begins with."""

import dataclasses

import tensorflow as tf
from absl import logging

from bert.data.tables import rows
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.files import file_bytes
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig, checkpoint
from bert.training import head_check, run

# A task's own weights. Where task.json is missing they tell the task.
_HEADS = {
    ("classification", "classification"): "output_weights",
    ("classification", "multi_label"): "cls/multi_label/output_weights",
    ("classification", "regression"): "cls/regression/output_weights",
    ("squad", None): "cls/squad/output_weights",
    ("ner", None): "cls/token/output_weights",
    ("pretraining", None): "cls/predictions/output_bias",
}
# Those that fine-tuning leaves; masked-LM weights are of pre-trained models.
_FINE_TUNED = [key for key in _HEADS if key[0] != "pretraining"]
_SEQ_LENGTHS = {"squad": 384}
_SEQ_LENGTH = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """What a trained model is made from.

    Attributes:
        task: what the model is for.
        checkpoint: the prefix of its weights.
        bert_config_file: its sizes.
        vocab_file: its vocabulary; None where a pre-trained model has none.
        labels: in the order of their numbers; none where a task has none.
    """

    task: Task
    checkpoint: str
    bert_config_file: str
    vocab_file: str | None
    labels: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """What a user says of a model; None: what its folder says.

    Attributes:
        checkpoint: "best", "newest" or a prefix.
        task: one of `task_files.TASKS`.
        bert_config_file: a file.
        vocab_file: a file.
        do_lower_case: see `Task`.
        max_seq_length: see `Task`.
        labels: names separated by commas, or a file with one a line.
    """

    checkpoint: str | None = None
    task: str | None = None
    bert_config_file: str | None = None
    vocab_file: str | None = None
    do_lower_case: bool | None = None
    max_seq_length: int | None = None
    labels: str | None = None


def find(model_dir: str, given: Given | None = None) -> Source:
    """Finds the files of a trained model, and checks that they fit.

    Args:
        model_dir: the output_dir of a training run, or the folder of a
            published checkpoint.
        given: what the user says.

    Raises:
        UserError: a file is missing, or does not fit the others.
    """
    given = given or Given()
    checkpoint.check_path(model_dir)
    if not tf.io.gfile.isdir(model_dir):
        is_there = tf.io.gfile.exists(model_dir)
        raise UserError(
            "Expected the folder of a trained model. Received: "
            f"{model_dir}, {'a file' if is_there else 'which is not there'}."
        )
    reader = checkpoint.Reader(run.find_checkpoint(model_dir, given.checkpoint))
    config_file = given.bert_config_file or _needed(
        model_dir, task_files.CONFIG_FILE, "bert_config_file"
    )
    task = _task(
        model_dir, given, reader, BertConfig.from_json_file(config_file)
    )
    _check_head(task, reader)
    source = Source(
        task=task,
        checkpoint=reader.prefix,
        bert_config_file=config_file,
        vocab_file=_vocab_file(model_dir, given, task),
        labels=_labels(model_dir, given.labels, task, reader),
    )
    check(source)
    return source


def check(source: Source) -> None:
    """Checks that a model's files fit each other.

    Raises:
        UserError: the checkpoint has not the task's head, or another number
            of labels, or the vocabulary is not the model's.
    """
    task = source.task
    reader = checkpoint.Reader(source.checkpoint)
    wanted = num_labels(task, reader)
    if wanted not in (None, len(source.labels)):
        raise UserError(
            f"The checkpoint {reader.prefix} has a head for {wanted} "
            f"labels. Received: {len(source.labels)} "
            f"({rows.some(source.labels)}); name the labels that it was "
            "trained with (--labels)."
        )
    config = BertConfig.from_json_file(source.bert_config_file)
    config.check_sequence_length(task.max_seq_length)
    if source.vocab_file:
        FullTokenizer(source.vocab_file, bool(task.do_lower_case)).check_fits(
            config.vocab_size, source.bert_config_file
        )


def num_labels(task: Task, reader: checkpoint.Reader) -> int | None:
    """Returns how many labels a model has; None where its task has none.

    Args:
        task: what the model is for.
        reader: its weights.

    Raises:
        UserError: the checkpoint has not the task's head.
    """
    num_outputs = _check_head(task, reader)
    return num_outputs if _has_labels(task) else None


def _check_head(task: Task, reader: checkpoint.Reader) -> int:
    """Returns the rows of a task's head; UserError where it is missing."""
    head = _HEADS.get((task.task, task.kind))
    if head is None:
        return 0
    if head not in reader:
        # fill_mask.py has no other task.
        other = (
            "" if task.task == "pretraining" else "another task (--task) or "
        )
        raise UserError(
            f"The task {task.task} needs a checkpoint with {head}. Received: "
            f"{reader.prefix}, which has {head_check.heads_of(reader)}; name "
            f"{other}another checkpoint."
        )
    return reader.shapes[head][0]


def _needed(model_dir: str, name: str, flag: str) -> str:
    path = task_files.find(model_dir, name)
    if path is None:
        raise UserError(
            f"Expected {name} in {model_dir}. Received: none there; name the "
            f"model's own (--{flag})."
        )
    return path


def _task(
    model_dir: str,
    given: Given,
    reader: checkpoint.Reader,
    config: BertConfig,
) -> Task:
    kept = task_files.read(model_dir)
    found = [key for key in _FINE_TUNED if _HEADS[key] in reader]
    if kept and given.task in (None, kept.task):
        name, kind = kept.task, kept.kind
    elif given.task:
        name = given.task
        kind = next((kind for task, kind in found if task == name), None)
    else:
        name, kind = found[0] if found else ("features", None)
        logging.info(
            "%s has no %s: its weights are of %s.",
            model_dir,
            task_files.TASK_FILE,
            name,
        )
    if name == "classification" and kind is None:
        kind = "classification"  # whose head `check` will not find
    length = given.max_seq_length
    if length is None and kept:
        length = kept.max_seq_length
    lower = given.do_lower_case
    if lower is None and kept:
        lower = kept.do_lower_case
    if lower is None and name != "pretraining":
        raise UserError(
            "Expected whether the model's text is lower-cased, which "
            f"{task_files.TASK_FILE} in {model_dir} says after training. "
            "Received: "
            f"{'a file that says nothing of it' if kept else 'no such file'}; "
            "say --do_lower_case=True for an uncased model, False for a cased "
            "one."
        )
    options = task_files.SQUAD_OPTIONS if name == "squad" else {}
    longest = min(
        _SEQ_LENGTHS.get(name, _SEQ_LENGTH), config.max_position_embeddings
    )
    try:
        return Task(
            task=name,
            kind=kind,
            do_lower_case=lower,
            max_seq_length=longest if length is None else length,
            options=(kept and kept.task == name and kept.options) or options,
        )
    except ValueError as error:
        raise UserError(
            f"The model in {model_dir} cannot be used for {name}: {error}."
        ) from error


def _vocab_file(model_dir: str, given: Given, task: Task) -> str | None:
    own = task_files.find(model_dir, task_files.VOCAB_FILE)
    path = given.vocab_file or own
    if path and own and _tokens(path) != _tokens(own):
        raise UserError(
            f"--vocab_file={path} is not the vocabulary that the model was "
            f"trained with, {own}; leave the flag out."
        )
    if path or task.task == "pretraining":
        return path
    return _needed(model_dir, task_files.VOCAB_FILE, "vocab_file")


def _tokens(path: str) -> list[bytes]:
    return file_bytes.read(path).split()


def _labels(
    model_dir: str, flag: str | None, task: Task, reader: checkpoint.Reader
) -> tuple[str, ...]:
    if not _has_labels(task):
        return ()
    kept = label_files.kept_in(
        [*label_files.folders_of(reader.prefix), model_dir]
    )
    if flag is None and kept is None:
        raise UserError(
            f"Expected {label_files.FILE_NAME}, which training leaves, in "
            f"{model_dir}. Received: none there; name the model's labels in "
            "their order (--labels=a,b,c)."
        )
    return tuple(label_files.choose(flag, kept, False).names)


def _has_labels(task: Task) -> bool:
    return task.task == "ner" or (
        task.task == "classification" and task.kind != "regression"
    )

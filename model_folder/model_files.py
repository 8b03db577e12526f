"""A trained model's files, found and checked: what serving starts from."""

import os

from absl import logging

from bert.data.records import long_texts
from bert.data.tables import rows
from bert.errors import UserError
from bert.files import file_bytes, task_paths, text_input
from bert.model_folder import (
    compressed,
    locate,
    resume_file,
    task_files,
    weights,
)
from bert.model_folder import labels as label_files
from bert.model_folder.files import ModelFiles, check_words
from bert.model_folder.given import Given
from bert.model_folder.task_files import Task
from bert.modeling import checkpoint_paths
from bert.modeling.checkpoint_reader import Reader
from bert.modeling.config import BertConfig, read_config
from bert.tasks import spec
from bert.tasks.spec import Spec
from bert.training import head_check


def find(path: str, given: Given | None = None) -> ModelFiles:
    """Finds the files of a trained model, and checks that they fit.

    Args:
        path: see `locate`.
        given: what the user says; not of a SavedModel, which knows all.

    Raises:
        UserError: a file is missing or damaged, or does not fit the others.
    """
    given = given or Given()
    checkpoint_paths.check_path(path)
    where, task_name = task_paths.split(path)
    if not file_bytes.is_folder(where):
        is_there = file_bytes.exists(path)
        raise UserError(
            "Expected the folder of a trained model. Received: "
            f"{path}, {'a file' if is_there else 'which is not there'}."
        )
    if compressed.files_of(path):
        raise UserError(
            "Expected a model of TensorFlow. Received: "
            f"{path}, which compress_model.py wrote; name the checkpoint's "
            "folder, or the SavedModel."
        )
    if locate.is_saved_model(path):
        return _of_saved_model(path, given)
    if names := () if task_name else locate.tasks(path):
        raise UserError(
            f"Expected the name of a task (--task_name, or {path}#NAME), one "
            f"of {rows.some(names)}, of the model in {path}. Received: none."
        )
    reader = Reader(weights.find(path, given.checkpoint))
    config_file = given.bert_config_file or locate.needed_file(
        path, task_files.CONFIG_FILE, "bert_config_file"
    )
    task = _task(path, given, reader, read_config(config_file))
    _check_head(task.spec, reader)
    files = ModelFiles(
        task=task,
        checkpoint=reader.prefix,
        bert_config_file=config_file,
        vocab_file=_vocab_file(path, given, task.spec),
        labels=_labels(path, given.labels, task.spec, reader),
    )
    check(files)
    return files


def words_of(files: ModelFiles, folder: str) -> tuple[str, bool]:
    """Returns a model's vocabulary, and whether its text is lower-cased.

    Args:
        files: the model's, to make another model of.
        folder: where they are from.

    Raises:
        UserError: one of the two is not known.
    """
    if files.vocab_file is None or files.task.do_lower_case is None:
        raise UserError(
            f"--model_dir={folder} has no vocabulary, or does not say whether "
            "it is lower-cased; give --vocab_file and --do_lower_case."
        )
    return files.vocab_file, files.task.do_lower_case


def check(files: ModelFiles) -> None:
    """Checks that a model's files fit each other.

    Raises:
        UserError: the checkpoint has not the task's head, or another number
            of labels, or the vocabulary is not the model's.
    """
    task = files.task
    reader = Reader(files.checkpoint)
    wanted = _num_labels(task.spec, reader)
    if wanted not in (None, len(files.labels)):
        raise UserError(
            f"The checkpoint {reader.prefix} has a head for {wanted} "
            f"labels. Received: {len(files.labels)} "
            f"({rows.some(files.labels)}); name the labels that it was "
            "trained with (--labels)."
        )
    check_words(files)


def _of_saved_model(path: str, given: Given) -> ModelFiles:
    """Returns the files of a SavedModel; see `find`."""
    given.check_left_out(path, "a SavedModel")
    assets = os.path.join(path, task_files.ASSETS)
    task = locate.task(assets)
    config_file = locate.file(assets, task_files.CONFIG_FILE)
    if task is None or config_file is None:
        raise UserError(
            f"Expected a SavedModel of export_model.py, with "
            f"{task_files.TASK_FILE} and {task_files.CONFIG_FILE} in its "
            f"{task_files.ASSETS} folder. Received: {path}, without; export "
            "the model anew."
        )
    labels = tuple(label_files.read(assets) or ())
    reader = Reader(path)
    reader.check_values(reader.shapes)  # its graph reads them without a look
    wanted = _num_labels(task.spec, reader)
    if wanted is not None:
        label_files.check_count(assets, labels, wanted)
    files = ModelFiles(
        task=task,
        checkpoint=path,
        bert_config_file=config_file,
        vocab_file=locate.vocab_file(assets),
        labels=labels,
    )
    check(files)
    return files


def _num_labels(row: Spec, reader: Reader) -> int | None:
    """Returns how many labels a model has; None where its task has none.

    Raises:
        UserError: the checkpoint has not the task's head.
    """
    num_outputs = _check_head(row, reader)
    return num_outputs if row.has_labels else None


def _check_head(row: Spec, reader: Reader) -> int:
    """Returns the rows of a task's head; UserError where it is missing."""
    head = row.needed_weight
    if head is None:
        return 0
    if not reader.shapes.get(head):
        # fill_mask.py has no other task.
        other = "" if row.is_pretraining else "another task (--task) or "
        raise UserError(
            f"The task {row.task} needs a checkpoint with {head}. Received: "
            f"{reader.prefix}, which has {head_check.heads_of(reader)}; name "
            f"{other}another checkpoint."
        )
    return reader.shapes[head][0]


def _task(path: str, given: Given, reader: Reader, config: BertConfig) -> Task:
    """Returns what a model is for: what is given, else kept, else likely."""
    kept = locate.task(path)
    row = _row(path, given.task, kept, reader)
    length = given.max_seq_length
    if length is None and kept:
        length = kept.max_seq_length
    lower = given.do_lower_case
    if lower is None and kept:
        lower = kept.do_lower_case
    if lower is None and not row.is_pretraining:
        raise UserError(
            "Expected whether the model's text is lower-cased, which "
            f"{task_files.TASK_FILE} in {path} says after training. "
            "Received: "
            f"{'a file that says nothing of it' if kept else 'no such file'}; "
            "say --do_lower_case=True for an uncased model, False for a cased "
            "one."
        )
    if length is None:
        length = min(row.max_seq_length, config.max_position_embeddings)
    same = kept if kept and kept.task == row.task else None
    try:
        return Task(
            task=row.task,
            kind=row.kind,
            do_lower_case=lower,
            max_seq_length=length,
            options=same.options if same else row.options,
            table=same.table if same else {},
            long_texts=same.long_texts if same else long_texts.END,
        )
    except ValueError as error:
        raise UserError(
            f"The model in {path} cannot be used for {row.task}: {error}."
        ) from error


def _row(
    path: str, given: str | None, kept: Task | None, reader: Reader
) -> Spec:
    """Returns the row of a model's task.

    Args:
        path: the model's; for messages.
        given: --task.
        kept: what task.json says.
        reader: the model's weights; where nothing else tells the task or its
            kind, its heads do.
    """
    if kept and given in (None, kept.task):
        return kept.spec
    found = [row for row in spec.SPECS if row.head and row.head in reader]
    if given:
        first = spec.find(given, spec.kinds(given)[0])
        return next((row for row in found if row.task == given), first)
    row = found[0] if found else spec.find("features")
    logging.info(
        "%s has no %s: its weights are of %s.",
        path,
        task_files.TASK_FILE,
        row.task,
    )
    return row


def _vocab_file(path: str, given: Given, row: Spec) -> str | None:
    own = locate.vocab_file(path)
    chosen = given.vocab_file or own
    if chosen and own and _tokens(chosen) != _tokens(own):
        raise UserError(
            f"--vocab_file={chosen} is not the vocabulary that the model was "
            f"trained with, {own}; leave the flag out."
        )
    if own and not given.vocab_file and resume_file.had_other_words(own):
        raise UserError(
            "Expected the vocabulary that the model was trained with. "
            f"Received: {own}, which was changed since; put the old one back, "
            "or insist (--vocab_file)."
        )
    if chosen or row.is_pretraining:
        return chosen
    return locate.needed_vocab_file(path)


def _tokens(path: str) -> list[bytes]:
    return text_input.read(path).split()


def _labels(
    path: str, flag: str | None, row: Spec, reader: Reader
) -> tuple[str, ...]:
    if not row.has_labels:
        return ()
    kept = locate.labels(task_paths.folder_of(reader.prefix), path)
    chosen = label_files.choose(flag, kept, from_training_set=True) or kept
    if chosen is None:
        raise UserError(
            f"Expected {label_files.FILE_NAME}, which training leaves, in "
            f"{path}. Received: none there; name the model's labels in "
            "their order (--labels=a,b,c)."
        )
    return tuple(chosen.names)

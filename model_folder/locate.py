"""What a path to a trained model means: which of its files count.

A path is the output_dir of a training run, its folder `best`, the folder of a
published checkpoint, or a SavedModel that `serving.export` wrote:

    output_dir/                        SavedModel/
      checkpoint, model.ckpt-N.*         saved_model.pb, variables/
      best/model.ckpt-M.*                assets/
      task.json, labels.txt                task.json, labels.txt
      bert_config.json, vocab.txt          bert_config.json, vocab.txt

What `best` lacks, the output_dir around it has. Of a model of several tasks,
`output_dir#mrpc` is one: its task.json and labels.txt are in
`output_dir/tasks/mrpc`.
"""

import os

from bert.data.text import tokenizers
from bert.errors import UserError
from bert.files import file_bytes, task_paths
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.model_folder.labels import Labels
from bert.model_folder.task_files import Task
from bert.modeling import checkpoint_paths


def is_saved_model(path: str) -> bool:
    """Whether a folder holds a SavedModel rather than checkpoints."""
    return file_bytes.exists(os.path.join(path, "saved_model.pb"))


def has_checkpoint(path: str) -> bool:
    """Whether a local folder has checkpoints, or `best` in it has."""
    return any(
        name == "checkpoint" or checkpoint_paths.is_index(name)
        for folder in (path, task_paths.best_folder(path))
        if os.path.isdir(folder)
        for name in os.listdir(folder)
    )


def file(path: str, name: str) -> str | None:
    """Returns the path of one of a model's files, or None.

    Args:
        path: the model's.
        name: the file's, such as `task_files.CONFIG_FILE`.
    """
    for folder in task_paths.folders(path):
        found = os.path.join(folder, name)
        if file_bytes.exists(found) and not file_bytes.is_folder(found):
            return found
    return None


def vocab_file(path: str) -> str | None:
    """Returns the path of a model's vocabulary, or None."""
    found = (file(path, name) for name in tokenizers.VOCAB_FILES)
    return next(filter(None, found), None)


def needed_vocab_file(path: str) -> str:
    """Returns the path of a model's vocabulary; raises as `needed_file`."""
    return vocab_file(path) or needed_file(
        path, task_files.VOCAB_FILE, "vocab_file"
    )


def needed_file(path: str, name: str, flag: str) -> str:
    """Returns the path of one of a model's files.

    Args:
        path: the model's.
        name: the file's.
        flag: names it otherwise, without dashes; for the message.

    Raises:
        UserError: it is not there.
    """
    found = file(path, name)
    if found is None:
        raise UserError(
            f"Expected {name} in {path}. Received: none there; name the "
            f"model's own (--{flag})."
        )
    return found


def task(path: str) -> Task | None:
    """Returns what a model's task.json says; None where there is none.

    Raises:
        UserError: the file is not one of ours.
    """
    found = file(path, task_files.TASK_FILE)
    return task_files.read(found) if found else None


def labels(*paths: str) -> Labels | None:
    """Returns the labels of a model.

    Args:
        *paths: folders of the model, the first that has labels counts.

    Raises:
        UserError: the file is no text, or holds no labels.
    """
    for path in paths:
        for folder in task_paths.folders(path):
            if names := label_files.read(folder):
                origin = os.path.join(folder, label_files.FILE_NAME)
                return Labels(names, origin)
    return None


def tasks(path: str) -> list[str]:
    """Returns the names of the tasks that a model has, if several."""
    folder = os.path.join(path, task_paths.SCOPE)
    if not file_bytes.is_folder(folder):
        return []
    return sorted(
        name
        for name in (n.rstrip("/") for n in file_bytes.names_in(folder))
        if file_bytes.exists(os.path.join(folder, name, task_files.TASK_FILE))
    )

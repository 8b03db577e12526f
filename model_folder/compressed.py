"""What compress_model.py wrote: files for other runtimes than TensorFlow.

    folder/
      model.onnx, model_int8.tflite, …     some of `formats.FORMATS`
      assets/                              as in a SavedModel
        task.json, labels.txt
        bert_config.json, vocab.txt

Imports without TensorFlow.
"""

import os

from absl import logging

from bert.data.text import tokenizers
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import formats, task_files
from bert.model_folder import labels as label_files
from bert.model_folder.files import ModelFiles, check_words
from bert.model_folder.formats import FORMATS, TENSORFLOW
from bert.model_folder.given import Given


def files_of(folder: str) -> dict[str, str]:
    """Returns the files of a compressed model, by their formats.

    There are none where the folder is another one: a checkpoint's has
    task.json elsewhere.
    """
    assets = os.path.join(folder, task_files.ASSETS)
    if not os.path.isfile(os.path.join(assets, task_files.TASK_FILE)):
        return {}
    paths = {n: os.path.join(folder, f.file) for n, f in FORMATS.items()}
    return {n: path for n, path in paths.items() if os.path.isfile(path)}


def format_of(folder: str, runtime: str | None) -> str | None:
    """Returns the format of a model that answers; None: TensorFlow does.

    Args:
        folder: of any model.
        runtime: one of `formats.CHOICES`. None: TensorFlow, but of a
            compressed model its only format.

    Raises:
        UserError: the folder has nothing for this runtime, or several files
            for it; or a task is named, and it has one.
    """
    if runtime not in (None, *formats.CHOICES):
        raise UserError(
            f"--runtime must be one of {', '.join(formats.CHOICES)}. "
            f"Received: {runtime!r}."
        )
    where, task = task_paths.split(folder)
    if task and files_of(where):
        raise UserError(
            f"{where}, of compress_model.py, is a model of one task. Received: "
            f"the task {task[:60]}; leave --task_name, or #{task[:60]}, out."
        )
    found = files_of(folder)
    if runtime in found:
        return runtime
    if not found and runtime in (None, TENSORFLOW):
        return None
    fitting = [
        n for n in found if runtime is None or FORMATS[n].runtime == runtime
    ]
    if len(fitting) == 1:
        return fitting[0]
    if not found:
        what = "another one" if os.path.exists(where) else "which is not there"
        raise UserError(
            f"--runtime={runtime} takes a folder that compress_model.py wrote. "
            f"Received: {folder}, {what}; compress the model's export, or "
            "leave the flag out."
        )
    said = "no --runtime" if runtime is None else f"--runtime={runtime}"
    raise UserError(
        f"Expected --runtime to name one of the formats of {folder} "
        f"({', '.join(found)}). Received: {said}."
    )


def find(folder: str, given: Given) -> ModelFiles | None:
    """Returns the files of a compressed model; None: TensorFlow computes it.

    Args:
        folder: of any model.
        given: what the user says of it; of a compressed one its runtime alone.

    Raises:
        UserError: as `format_of`; or a file is missing or damaged.
    """
    name = format_of(folder, given.runtime)
    if name is None:
        return None
    given.check_left_out(folder, "one of compress_model.py")
    assets = os.path.join(folder, task_files.ASSETS)
    task = task_files.read(os.path.join(assets, task_files.TASK_FILE))
    if task.spec.is_pretraining:
        raise UserError(
            f"{folder} holds a pre-trained model, compressed, which answers "
            "no requests; name the folder of its checkpoint, or compress its "
            "export of --task=features."
        )
    config_file = os.path.join(assets, task_files.CONFIG_FILE)
    if not os.path.isfile(config_file):
        raise UserError(
            f"Expected {config_file}, which compress_model.py wrote. "
            "Received: none there; compress the model anew."
        )
    words = (os.path.join(assets, name) for name in tokenizers.VOCAB_FILES)
    files = ModelFiles(
        task=task,
        checkpoint=files_of(folder)[name],
        bert_config_file=config_file,
        vocab_file=next(filter(os.path.isfile, words), None),
        labels=tuple(label_files.read(assets) or ()),
        format=name,
    )
    check_words(files)
    logging.info("%s answers by %s.", folder, FORMATS[name].file)
    return files

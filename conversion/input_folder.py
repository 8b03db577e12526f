"""Finds the model in a folder, and tells its format."""

import os
import re

from absl import logging

from bert.conversion import huggingface, openai_gpt, safetensors_files
from bert.data.tables import rows
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import locate

# As --output_format spells them.
HUGGING_FACE = "huggingface"
ORIGINAL = "original"
# It is converted to ORIGINAL, too.
OPENAI = "openai"


def find(input_dir: str, wanted: str | None) -> tuple[str, str]:
    """Returns the folder with a model, and the model's format.

    That is input_dir, or the one folder in it that has one: Python packages
    and zip files of models keep it a level down. Of the modules of
    sentence-transformers (`0_Transformer`, `1_Pooling`) it is the first.

    Args:
        input_dir: the folder; of a model of several tasks with one of them,
            as it is then returned, too.
        wanted: the format; None: whichever there is.

    Raises:
        UserError: there is no such model, or several, or one of each format.
    """
    input_dir, task = task_paths.split(input_dir)
    if not os.path.isdir(input_dir):
        state = "a file" if os.path.exists(input_dir) else "not there"
        raise UserError(
            "Expected a model's folder. Received: "
            f"--input_dir={input_dir}, which is {state}."
        )
    _warn_of_modules(input_dir)
    form = _format_of(input_dir, wanted)
    if form:
        return _naming_a_task(input_dir, task, form), form
    inside = {
        path: found
        for path in _folders(input_dir)
        if (found := _format_of(path, wanted))
    }
    first = [path for path in inside if _number(path) == 0]
    if len(first) == 1:
        inside = {path: inside[path] for path in first}
    if len(inside) != 1:
        raise UserError(
            f"Expected {_description(wanted)} in --input_dir={input_dir}, or "
            "in one folder there. Received a folder with: "
            f"{', '.join(sorted(os.listdir(input_dir))[:8]) or 'nothing'}."
        )
    ((folder, form),) = inside.items()
    logging.info("The model is in %s", folder)
    return folder, form


def _naming_a_task(folder: str, task: str | None, form: str) -> str:
    """Returns the path of a model; UserError for one of several tasks."""
    tasks = locate.tasks(folder) if form == ORIGINAL else []
    if tasks and task not in tasks:
        raise UserError(
            f"--input_dir={folder}: expected one of the tasks of the model "
            f"there ({rows.some(tasks)}), as {folder}#{tasks[0]}. Received: "
            f"{task or 'none'}."
        )
    return task_paths.join(folder, task)


def _folders(folder: str) -> list[str]:
    """Returns the paths of the folders in a folder.

    Without what macOS puts into zip files beside the files themselves.
    """
    return [
        entry.path
        for entry in os.scandir(folder)
        if entry.is_dir() and entry.name != "__MACOSX"
    ]


def _number(path: str) -> int | None:
    """Returns which module of a sentence-transformers model a folder is."""
    match = re.match(r"(\d+)_", os.path.basename(path))
    return int(match[1]) if match else None


def _warn_of_modules(input_dir: str) -> None:
    """Names the layers that sentence-transformers puts behind the encoder."""
    lost = [
        os.path.basename(path)
        for path in sorted(_folders(input_dir))
        if _number(path) and safetensors_files.has_weights(path)
    ]
    if lost:
        logging.warning(
            "%s: not converted: %s; vectors are those that go into it.",
            input_dir,
            ", ".join(lost),
        )


def _format_of(folder: str, wanted: str | None) -> str | None:
    """Returns the format of a folder's model, or None."""
    formats = {
        HUGGING_FACE: safetensors_files.has_weights(folder),
        ORIGINAL: locate.has_checkpoint(folder),
    }
    # A folder with a model of ours or Hugging Face's is one of those.
    if openai_gpt.is_folder(folder) and not any(formats.values()):
        return None if wanted == ORIGINAL else OPENAI
    if wanted:
        return wanted if formats[wanted] else None
    found = [form for form, is_there in formats.items() if is_there]
    if len(found) > 1:
        raise UserError(
            f"{folder} has a model in either format; say which is to be made "
            f"of the other (--output_format={ORIGINAL} or {HUGGING_FACE})."
        )
    return found[0] if found else None


def _description(wanted: str | None) -> str:
    theirs = f"{huggingface.CONFIG} and {safetensors_files.WEIGHTS}"
    ours = "a checkpoint (bert_model.ckpt.index, …)"
    if wanted is None:
        return f"{theirs}, or {ours},"
    return theirs if wanted == HUGGING_FACE else ours

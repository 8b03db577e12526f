"""Finds the model in a folder, and tells its format."""

import os

from absl import logging

from bert.conversion import huggingface, safetensors_files
from bert.errors import UserError
from bert.model_folder import locate

# As --output_format spells them.
HUGGING_FACE = "huggingface"
ORIGINAL = "original"


def find(input_dir: str, wanted: str | None) -> tuple[str, str]:
    """Returns the folder with a model, and the model's format.

    That is input_dir, or the one folder in it that has one: Python packages
    and zip files of models keep it a level down.

    Args:
        input_dir: the folder.
        wanted: the format; None: whichever there is.

    Raises:
        UserError: there is no such model, or several, or one of each format.
    """
    if not os.path.isdir(input_dir):
        state = "a file" if os.path.exists(input_dir) else "not there"
        raise UserError(
            "Expected a model's folder. Received: "
            f"--input_dir={input_dir}, which is {state}."
        )
    form = _format_of(input_dir, wanted)
    if form:
        return input_dir, form
    inside = {
        entry.path: found
        for entry in os.scandir(input_dir)
        if entry.is_dir() and (found := _format_of(entry.path, wanted))
    }
    if len(inside) != 1:
        raise UserError(
            f"Expected {_description(wanted)} in --input_dir={input_dir}, or "
            "in one folder there. Received a folder with: "
            f"{', '.join(sorted(os.listdir(input_dir))[:8]) or 'nothing'}."
        )
    ((folder, form),) = inside.items()
    logging.info("The model is in %s", folder)
    return folder, form


def _format_of(folder: str, wanted: str | None) -> str | None:
    """Returns the format of a folder's model, or None."""
    formats = {
        HUGGING_FACE: safetensors_files.has_weights(folder),
        ORIGINAL: locate.has_checkpoint(folder),
    }
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

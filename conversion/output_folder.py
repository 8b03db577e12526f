"""Writes a model's folder: all of its files, or none."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bert.conversion.model import Model
from bert.data.text import tokenizers
from bert.errors import UserError
from bert.files import atomic_files, file_bytes
from bert.files.file_bytes import gfile
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.modeling import checkpoint_paths

CHECKPOINT = "bert_model.ckpt"

# Nobody else's file begins like this, so it may be replaced and removed.
_TEMPORARY = ".tmp-bert-conversion-"

# Writes a model's files, each to the given prefix plus its name.
Writer = Callable[[str], None]


class Format(NamedTuple):
    """The files of a model in one format.

    Attributes:
        files: as they are renamed; the last one makes it a model.
        disturbing: files that would be read instead of them, or with them.
    """

    files: tuple[str, ...]
    disturbing: tuple[str, ...]


ORIGINAL = Format(
    files=(
        CHECKPOINT + checkpoint_paths.DATA_SUFFIX,
        *tokenizers.FILES,
        task_files.CONFIG_FILE,
        task_files.TASK_FILE,
        label_files.FILE_NAME,
        CHECKPOINT + ".index",
    ),
    disturbing=("checkpoint",),
)


def prepare_original(model: Model) -> Writer:
    """Returns what writes a model as the original's come in.

    Beside `bert_model.ckpt.*`, `bert_config.json` and `vocab.txt`: `task.json`,
    and `labels.txt` if it has labels.
    """

    def texts() -> dict[str, bytes]:
        found = {
            task_files.VOCAB_FILE: model.vocab,
            task_files.CONFIG_FILE: model.config.to_json_string().encode(),
            task_files.TASK_FILE: model.task.to_json().encode(),
        }
        if model.labels:
            found[label_files.FILE_NAME] = label_files.to_text(
                model.labels
            ).encode()
        return found

    return original_writer(model.tensors, texts)


def original_writer(
    tensors: Mapping[str, np.ndarray],
    texts: Callable[[], Mapping[str, bytes]],
) -> Writer:
    """Returns what writes weights, and files of text by their names."""

    def write(prefix: str) -> None:
        from bert.modeling import checkpoint

        checkpoint.write_files(prefix + CHECKPOINT, tensors)
        for name, text in texts().items():
            with gfile().GFile(prefix + name, "wb") as file:
                file.write(text)

    return write


def check(output_dir: str, form: Format, overwrite: bool) -> None:
    """Checks, without writing, that a folder may get a model.

    Args:
        output_dir: the folder; it need not be there.
        form: the files that are to be written.
        overwrite: whether a model may be there already.

    Raises:
        UserError: it is a file or remote, holds a model, has something other
            than a plain file in the place of one of the model's, or files that
            would be taken for parts of it.
    """
    if "://" in output_dir:
        raise UserError(
            "--output_dir must be a local folder. Received: "
            f"{output_dir}; convert there, and copy it."
        )
    if os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise UserError(f"--output_dir={output_dir} is a file, not a folder.")
    _check_replaceable(output_dir, form)
    there = _existing(output_dir, form.files)
    if there and not overwrite:
        raise UserError(
            f"--output_dir={output_dir} holds a model already "
            f"({', '.join(there)}); name another folder, or pass --overwrite."
        )
    disturbing = _existing(output_dir, form.disturbing)
    if disturbing:
        raise UserError(
            f"--output_dir={output_dir} has {', '.join(disturbing)}, which "
            "belongs to another model and would be read with the new one; "
            "move it, or name another folder."
        )


def make(output_dir: str, form: Format, write_files: Writer) -> None:
    """Does as `write`, and makes the folder if need be.

    Raises:
        UserError: nothing can be written there; or see `write`.
    """
    from bert.training import resume

    with atomic_files.leaving_no_folder(output_dir):
        resume.prepare_output_dir(output_dir)
        write(output_dir, form, write_files)


def write(output_dir: str, form: Format, write_files: Writer) -> None:
    """Writes a model; one that is there stays whole until all is written.

    Files of an old model that the new one has not (labels) are removed.

    Args:
        output_dir: gets the files; it exists.
        form: which they are.
        write_files: writes them.

    Raises:
        UserError: a folder or a link has come in the place of one of them.
        OSError, tf.errors.OpError: they cannot be written.
    """
    temporary = os.path.join(output_dir, _TEMPORARY)
    try:
        with atomic_files.naming(output_dir):
            write_files(temporary)
        written = [
            name for name in form.files if file_bytes.exists(temporary + name)
        ]
        for name in written:
            atomic_files.sync(temporary + name)
        _check_replaceable(output_dir, form)
        _put(output_dir, form, written)
    finally:
        # All of them: a write of TensorFlow that fails leaves files by other
        # names than the checkpoint's.
        for name in file_bytes.names_in(output_dir):
            if name.startswith(_TEMPORARY):
                file_bytes.remove(os.path.join(output_dir, name))


def _is_old(name: str, form: Format) -> bool:
    return name in form.files or name.startswith(_TEMPORARY)


def _existing(output_dir: str, names: tuple[str, ...]) -> list[str]:
    return [
        name
        for name in names
        if file_bytes.exists(os.path.join(output_dir, name))
    ]


def _check_replaceable(output_dir: str, form: Format) -> None:
    """Raises UserError where a model's file is no plain one."""
    for name in form.files:
        path = os.path.join(output_dir, name)
        if os.path.islink(path):
            found = "a symbolic link, whose target is not ours to replace"
        elif file_bytes.is_folder(path):
            found = "a folder"
        elif os.path.lexists(path) and not os.path.isfile(path):
            found = "no plain file"
        else:
            continue
        raise UserError(
            f"{path} must be a file, or not be there, to be written. "
            f"Received: {found}; move it, or name another --output_dir."
        )


def _put(output_dir: str, form: Format, written: list[str]) -> None:
    """Puts the new files in the place of the old ones, if there are any.

    A kill in between leaves the old model or the new one. Where the system
    cannot do it in one step, it leaves none rather than one with parts of
    both: without the last file there is no model.
    """
    has_model = _existing(output_dir, form.files)
    if has_model and atomic_files.replace_files(
        output_dir,
        [n for n in os.listdir(output_dir) if _is_old(n, form)],
        {n: os.path.join(output_dir, _TEMPORARY + n) for n in written},
    ):
        return
    gone = [form.files[-1], *(n for n in form.files if n not in written)]
    for name in gone:
        path = os.path.join(output_dir, name)
        if file_bytes.exists(path):
            file_bytes.remove(path)
    for name in written:
        gfile().rename(
            os.path.join(output_dir, _TEMPORARY + name),
            os.path.join(output_dir, name),
            overwrite=True,
        )

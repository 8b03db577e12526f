"""What a path to a checkpoint means.

A folder (`runs/3`: its newest), a prefix (`runs/3/model.ckpt-100`), and, of a
model of several tasks, one of them (`runs/3#mrpc`).
"""

import functools
import os
import re
from typing import Any

from bert.errors import UserError
from bert.files import file_bytes, task_paths

DATA_SUFFIX = ".data-00000-of-00001"
# How many others are read through where one is damaged: as many as a run keeps.
_LOOKED_AT = 5

_FILE_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
# Weights in Hugging Face's format.
_HUGGING_FACE = (
    *("model.safetensors", "model.safetensors.index.json"),
    *("pytorch_model.bin", "pytorch_model.bin.index.json"),
)


def resolve(path: str) -> str:
    """Returns the prefix of the checkpoint that `path` means.

    Args:
        path: a prefix, one of the checkpoint's files (`.index`), or a folder:
            there the newest checkpoint that its `checkpoint` file names, or
            else the only one; or a SavedModel that export_model.py wrote.
            The prefix names the task that it names.

    Raises:
        UserError: there is no checkpoint, or a folder holds several and does
            not say which is the newest.
    """
    check_path(path)
    where, task = task_paths.split(path)
    if task:
        return task_paths.join(resolve(where), task)
    if file_bytes.is_folder(path):
        return _resolve_folder(path)
    prefix = _FILE_SUFFIX.sub("", path)
    if file_bytes.exists(prefix + ".index"):
        return prefix
    if file_bytes.exists(prefix):
        raise UserError(
            "Expected a TensorFlow checkpoint with an .index file (prefix, "
            f"folder or .index). Received: {path}, a file without one."
        )
    raise UserError(
        "No checkpoint found. Expected a prefix (…/bert_model.ckpt), an "
        f".index file or a folder with one. Received: {path}."
    )


def read_errors() -> tuple[type[Exception], ...]:
    """Returns what TensorFlow raises for a checkpoint that is damaged."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    return tf.errors.OpError, RuntimeError, ValueError, LookupError, DecodeError


def check_path(path: str) -> None:
    """Raises UserError for a path whose checkpoints cannot be read.

    TensorFlow takes it for a pattern, in which these characters have a
    meaning and do not match themselves.
    """
    if set(path) & set("[\\"):
        raise UserError(
            "TensorFlow cannot read checkpoints from a path with [ or \\ in "
            f"it. Received: {path}; rename the folder, or name another."
        )


def _resolve_folder(folder: str) -> str:
    if file_bytes.exists(os.path.join(folder, "saved_model.pb")):
        return os.path.join(folder, "variables", "variables")
    newest = latest_in(folder)
    if newest:
        return newest
    files = sorted(file_bytes.names_in(folder))
    found = [name for name in files if is_index(name)]
    if len(found) == 1:
        return os.path.join(folder, found[0].removesuffix(".index"))
    if found:
        names = ", ".join(found)
        raise UserError(
            f"The folder {folder} has several checkpoints and no file "
            f"'checkpoint' that names the newest; name one. Found: {names}."
        )
    advice = "."
    if any(name in files for name in _HUGGING_FACE):
        advice = (
            ", but a model in Hugging Face's format; convert it first "
            f"(convert_checkpoint.py --input_dir={folder})."
        )
    if named := task_in(folder):
        advice = f", but is one task's of a model of several; name {named}."
    raise UserError(
        f"No checkpoint found: the folder {folder} has no .index file{advice}"
    )


def task_in(folder: str) -> str | None:
    """Returns the path that names the task whose own folder this is.

    None: it is none of a model of several tasks.
    """
    run = task_paths.run_folder(folder)
    marks = ("checkpoint", task_paths.BEST_FOLDER)
    if run and any(file_bytes.exists(os.path.join(run, m)) for m in marks):
        return task_paths.join(run, os.path.basename(folder.rstrip("/")))
    return None


def is_index(name: str) -> bool:
    """Whether a file's name is that of a checkpoint's index.

    Hidden ones are none: macOS puts `._…` beside each file, and a conversion
    that is killed leaves what it had written.
    """
    return name.endswith(".index") and not name.startswith(".")


def latest_in(folder: str) -> str | None:
    """Returns the prefix that a folder's `checkpoint` file names, or None.

    A path written on another machine is looked for in this folder.

    Raises:
        UserError: the file names a checkpoint that is not there, or is no
            checkpoint state.
    """
    state_file = os.path.join(folder, "checkpoint")
    if not file_bytes.exists(state_file):
        return None
    listed = read_state(folder)
    if not listed:
        raise UserError(
            f"{state_file} does not name a checkpoint "
            '(model_checkpoint_path: "…"); mend or delete it.'
        )
    here = os.path.join(folder, os.path.basename(listed[0]))
    for prefix in (here, os.path.join(folder, listed[0])):
        if file_bytes.exists(prefix + ".index"):
            return prefix
    advice = way_on(here) or f"; restore it or delete {state_file}"
    raise UserError(
        f"{state_file} names {os.path.basename(here)} as the newest "
        f"checkpoint, but {here}.index does not exist{advice}."
    )


def read_state(folder: str) -> list[str]:
    """Returns the paths that a folder's `checkpoint` file lists.

    The newest comes first, and again where all are listed, oldest first.
    There are none where the file is missing or damaged.
    """
    from google.protobuf import text_format

    state = _state_class()()
    try:
        text = file_bytes.read(os.path.join(folder, "checkpoint"))
        text_format.Merge(text.decode(), state)
    except (OSError, ValueError, text_format.ParseError):
        return []
    newest = state.model_checkpoint_path
    return [newest, *state.all_model_checkpoint_paths] if newest else []


@functools.cache
def _state_class() -> Any:
    """Returns TensorFlow's CheckpointState, made without it."""
    from google.protobuf import (
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="checkpoint_state.proto")
    message = file.message_type.add(name="CheckpointState")
    for number, (name, of, many) in enumerate(
        (
            ("model_checkpoint_path", kind.TYPE_STRING, False),
            ("all_model_checkpoint_paths", kind.TYPE_STRING, True),
            ("all_model_checkpoint_timestamps", kind.TYPE_DOUBLE, True),
            ("last_preserved_timestamp", kind.TYPE_DOUBLE, False),
        ),
        1,
    ):
        label = kind.LABEL_REPEATED if many else kind.LABEL_OPTIONAL
        message.field.add(name=name, number=number, type=of, label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(message.name)
    return message_factory.GetMessageClass(found)


def way_on(prefix: str) -> str:
    """Says which other checkpoints beside one are whole, and how to use them.

    Returns:
        The end of a message that says what is wrong with the one; "" where no
        other is whole.
    """
    folder, own = os.path.split(prefix)
    found = (
        name.removesuffix(".index")
        for name in file_bytes.names_in(folder or ".")
        if name.endswith(".index")
    )
    newest_first = sorted(found, key=numbers_as_such, reverse=True)
    others = [name for name in newest_first if name != own][:_LOOKED_AT]
    whole = [n for n in others if _is_whole(os.path.join(folder, n))]
    if not whole:
        return ""
    return (
        f". Whole beside it: {', '.join(whole)}; to go on from there, write "
        f'model_checkpoint_path: "{whole[0]}" into the file checkpoint'
    )


def numbers_as_such(name: str) -> list[tuple[int, str]]:
    """Returns what sorts model.ckpt-9 before model.ckpt-10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdecimal() else (0, p) for p in parts]


def _is_whole(prefix: str) -> bool:
    """Whether all tensors of a checkpoint can be read."""
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except read_errors():
        return False
    return True

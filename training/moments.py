"""Adam's moments in checkpoints: two thirds of their size.

Only a run that goes on needs them. `--save_optimizer` says whether all
checkpoints have them, the newest alone, or none.
"""

import os
from collections.abc import Collection, Mapping

import tensorflow as tf
from absl import logging

from bert.errors import UserError, one_line
from bert.files import atomic_files
from bert.modeling import checkpoint, checkpoint_paths
from bert.modeling.checkpoint_names import has_moments
from bert.training import checkpointing

_CHUNK = 2**24


def without(tensors: Mapping[str, tf.Variable]) -> dict[str, tf.Variable]:
    """Returns what is left of a checkpoint's tensors without its moments."""
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not name.endswith(checkpoint.ADAM_SUFFIXES)
    }


def drop_from_older(output_dir: str, names: Collection[str]) -> None:
    """Takes the moments out of a run's checkpoints, but for the newest.

    Killed at any moment, it leaves each of them whole, with or without them.

    Args:
        output_dir: of the run, which has just saved.
        names: of the other tensors, in the order in which they are saved.
    """
    older = checkpointing.listed_steps(output_dir)[:-1]
    for step in reversed(older):
        prefix = checkpointing.prefix_of(output_dir, step)
        try:
            if not _drop(prefix, names):
                return  # all before it were through here, too
        except (UserError, tf.errors.OpError, OSError) as error:
            # It is no reason to end a training.
            reason = one_line(getattr(error, "message", error))
            logging.warning("%s keeps Adam's moments: %s", prefix, reason)
            return


def _drop(prefix: str, names: Collection[str]) -> bool:
    """Takes the moments out of a checkpoint; returns whether that was to do.

    They are saved behind the weights. So the index of a checkpoint without
    them is right for its data, too, and takes the other's place in one
    renaming; then the data may be cut off. A checkpoint of another order
    keeps them.
    """
    reader = checkpoint.Reader(prefix)
    if not has_moments(reader.shapes) or not all(n in reader for n in names):
        return False
    folder, name = os.path.split(prefix)
    temporary = os.path.join(folder, checkpointing.TEMPORARY_PREFIX + name)
    suffixes = (".index", checkpoint_paths.DATA_SUFFIX)
    try:
        checkpoint.write_files(temporary, {n: reader.read(n) for n in names})
        data, short = (
            p + checkpoint_paths.DATA_SUFFIX for p in (prefix, temporary)
        )
        if not _begins_with(data, short):
            return False
        for suffix in suffixes:
            atomic_files.sync(temporary + suffix)
        for suffix in suffixes:
            tf.io.gfile.rename(
                temporary + suffix, prefix + suffix, overwrite=True
            )
    finally:
        checkpointing.remove_temporary_files(folder)
    return True


def _begins_with(path: str, beginning: str) -> bool:
    """Returns whether a file begins with what another one holds."""
    with (
        tf.io.gfile.GFile(path, "rb") as file,
        tf.io.gfile.GFile(beginning, "rb") as other,
    ):
        while chunk := other.read(_CHUNK):
            if file.read(len(chunk)) != chunk:
                return False
    return True

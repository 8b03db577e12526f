"""Writes a model's folder as the original's models come in."""

import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

import atomic_files
from errors import UserError
from modeling import checkpoint
from modeling.config import BertConfig

CHECKPOINT = "bert_model.ckpt"
CONFIG = "bert_config.json"
VOCAB = "vocab.txt"

_INDEX = CHECKPOINT + ".index"
# As they are renamed: the index, which makes it a checkpoint, last.
_FILES = (CHECKPOINT + checkpoint.DATA_SUFFIX, VOCAB, CONFIG, _INDEX)
# Nobody else's file begins like this, so it may be replaced and removed.
_TEMPORARY = ".tmp-bert-conversion-"


def check(output_dir: str, overwrite: bool) -> None:
    """Checks, without writing, that a folder may get a model.

    Args:
        output_dir: the folder; it need not be there.
        overwrite: whether a model may be there already.

    Raises:
        UserError: it is a file, holds a model, or has something other than a
            plain file in the place of one of the model's.
    """
    if os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise UserError(f"--output_dir={output_dir} is a file, not a folder.")
    _check_replaceable(output_dir)
    there = [
        name
        for name in _FILES
        if tf.io.gfile.exists(os.path.join(output_dir, name))
    ]
    if there and not overwrite:
        raise UserError(
            f"--output_dir={output_dir} holds a model already "
            f"({', '.join(there)}); name another folder, or pass --overwrite."
        )


def write(
    output_dir: str,
    tensors: Mapping[str, np.ndarray],
    config: BertConfig,
    vocab: bytes,
) -> None:
    """Writes a model; one that is there stays whole until all is written.

    Args:
        output_dir: gets `bert_model.ckpt.*`, `bert_config.json` and
            `vocab.txt`; it exists.
        tensors: the weights by the original's names.
        config: the sizes.
        vocab: the text of vocab.txt.

    Raises:
        UserError: a folder or a link has come in the place of one of them.
        OSError, tf.errors.OpError: they cannot be written.
    """
    temporary = os.path.join(output_dir, _TEMPORARY)
    try:
        checkpoint.write_files(temporary + CHECKPOINT, tensors)
        with tf.io.gfile.GFile(temporary + VOCAB, "wb") as file:
            file.write(vocab)
        with tf.io.gfile.GFile(temporary + CONFIG, "w") as file:
            file.write(config.to_json_string())
        for name in _FILES:
            atomic_files.sync(temporary + name)
        _check_replaceable(output_dir)
        _rename_all(output_dir, temporary)
    finally:
        # All of them: a write of TensorFlow that fails leaves files by other
        # names than the checkpoint's.
        for name in tf.io.gfile.listdir(output_dir):
            if name.startswith(_TEMPORARY):
                tf.io.gfile.remove(os.path.join(output_dir, name))


def _check_replaceable(output_dir: str) -> None:
    """Raises UserError where a model's file is no plain one."""
    for name in _FILES:
        path = os.path.join(output_dir, name)
        if os.path.islink(path):
            found = "a symbolic link, whose target is not ours to replace"
        elif tf.io.gfile.isdir(path):
            found = "a folder"
        elif os.path.lexists(path) and not os.path.isfile(path):
            found = "no plain file"
        else:
            continue
        raise UserError(
            f"{path} must be a file, or not be there, to be written. "
            f"Received: {found}; move it, or name another --output_dir."
        )


def _rename_all(output_dir: str, temporary: str) -> None:
    """Puts the new files in the place of the old ones.

    Without an index there is no checkpoint: a kill in between leaves none
    rather than one with parts of both models.
    """
    index = os.path.join(output_dir, _INDEX)
    if tf.io.gfile.exists(index):
        tf.io.gfile.remove(index)
    for name in _FILES:
        tf.io.gfile.rename(
            temporary + name, os.path.join(output_dir, name), overwrite=True
        )

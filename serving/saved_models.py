"""What all our SavedModels are made of: weights, functions and assets."""

import fnmatch
import os
import tempfile
from collections.abc import Callable, Collection, Mapping

import tensorflow as tf

from bert.data.text import tokenizers
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.model_folder.files import ModelFiles
from bert.serving.graphs import Graph

# What assets/ may hold: see docs/export.md.
ASSET_FILES = frozenset(
    f"{task_files.ASSETS}/{name}"
    for name in (
        task_files.TASK_FILE,
        task_files.CONFIG_FILE,
        *tokenizers.FILES,
        label_files.FILE_NAME,
    )
)


def save(
    root: tf.train.Checkpoint,
    folder: str,
    signatures: Mapping[str, Callable[..., Mapping[str, tf.Tensor]]],
    source: ModelFiles,
) -> None:
    """Writes one SavedModel, and in its assets/ what its numbers mean."""
    with tempfile.TemporaryDirectory() as scratch:
        task_files.write(
            scratch, source.task, source.bert_config_file, source.vocab_file
        )
        if source.labels:
            label_files.write(scratch, source.labels)
        root.assets = [
            tf.saved_model.Asset(os.path.join(scratch, name))
            for name in sorted(os.listdir(scratch))
        ]
        tf.saved_model.save(root, folder, signatures=dict(signatures))


def foreign_names(folder: str, patterns: Collection[str]) -> list[str]:
    """Returns what a folder holds beside what we write, sorted.

    Args:
        folder: what is looked through, folders in it, too.
        patterns: of fnmatch: the files that we write, by their names from
            the folder on. What is in none of their folders is not ours.
    """
    ours = set()
    for pattern in patterns:
        while pattern := os.path.dirname(pattern):
            ours.add(pattern)
    foreign, folders = [], [""]
    # What is foreign is not looked into: it may be a whole disk.
    for below in folders:
        for name in tf.io.gfile.listdir(os.path.join(folder, below)):
            path = os.path.join(below, name.rstrip("/"))
            if not tf.io.gfile.isdir(os.path.join(folder, path)):
                if not any(fnmatch.fnmatchcase(path, p) for p in patterns):
                    foreign.append(path)
            elif path in ours:
                folders.append(path)
            else:
                foreign.append(path)
    return sorted(foreign)


def make_root(graph: Graph) -> tf.train.Checkpoint:
    """Returns what a SavedModel begins with: the model's variables.

    Its attributes are `weights`, the variables by their names in checkpoints,
    and `variables` and `trainable_variables`, lists of them.
    """
    root = tf.train.Checkpoint()
    root.weights = dict(graph.weights)
    root.variables = list(graph.weights.values())
    root.trainable_variables = list(graph.weights.values())
    root.untrained = list(graph.untrained)
    return root

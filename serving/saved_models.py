"""What all our SavedModels are made of: weights, functions and assets."""

import os
import tempfile
from collections.abc import Callable, Mapping

import tensorflow as tf

from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.model_folder.files import ModelFiles
from bert.serving.graphs import Graph


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

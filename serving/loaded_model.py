"""A trained model in memory: a function of ids, and what its ids mean."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bert.data.text.tokenization import FullTokenizer, checked_tokenizer
from bert.errors import UserError
from bert.model_folder import locate, model_files, task_files
from bert.model_folder.given import Given
from bert.model_folder.model_files import ModelFiles
from bert.model_folder.saved_model import SavedModel
from bert.serving.graphs import Graph
from bert.serving.row_batches import Arrays
from bert.tasks import inference
from bert.tasks.inference import Inference
from bert.tasks.spec import Option


class LoadedModel(NamedTuple):
    """A model that can be asked.

    Attributes:
        inference: the task's.
        function: `spec.INPUTS`, int32 [B, S], by name → the outputs that its
            row in `tasks.spec` names. It is traced once, for all B and S.
        graph: what the function is of; None where it is a SavedModel's.
    """

    inference: Inference
    function: Callable[..., Mapping[str, tf.Tensor]]
    graph: Graph | None = None

    def compute(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch, of `row_batches.arrays`."""
        outputs = self.function(
            **{name: tf.constant(value) for name, value in inputs.items()}
        )
        return {name: value.numpy() for name, value in outputs.items()}


def load(
    folder: str,
    given: Given | None = None,
    options: Mapping[str, Option] | None = None,
) -> LoadedModel:
    """Loads a model, once for all.

    Args:
        folder: see `model_folder.locate`.
        given: what the user says of it; see `model_files.find`.
        options: how to choose answers; see `Task.with_answer_options`.

    Raises:
        UserError: a file is missing, or does not fit the others; the task has
            no such option.
    """
    source = model_files.find(folder, given)
    task = source.task.with_answer_options(options or {})
    return of_files(dataclasses.replace(source, task=task), folder)


def of_files(source: ModelFiles, folder: str) -> LoadedModel:
    """Loads a model from its files.

    Args:
        source: of `model_files.find`.
        folder: where they are from.

    Raises:
        UserError: they do not fit one another.
    """
    graph = None if locate.is_saved_model(folder) else Graph(source)
    return LoadedModel(
        inference.make(source, tokenizer=tokenizer_of(source, folder)),
        graph.serve.get_concrete_function() if graph else SavedModel(folder),
        graph,
    )


def tokenizer_of(source: ModelFiles, folder: str) -> FullTokenizer:
    """Returns what makes a model's ids.

    Args:
        source: its files, of `model_files.find`.
        folder: for messages.

    Raises:
        UserError: nothing says how its ids are made.
    """
    if source.vocab_file is None:
        raise UserError(
            f"Expected {task_files.VOCAB_FILE} in {folder}. Received: none "
            "there; name the model's own (--vocab_file)."
        )
    if source.task.do_lower_case is None:
        raise UserError(
            "Expected whether the model's text is lower-cased. Received: "
            f"{folder}, which does not say it; say --do_lower_case=True for an "
            "uncased model, False for a cased one."
        )
    return checked_tokenizer(source.vocab_file, source.task.do_lower_case)

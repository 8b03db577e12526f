"""A trained model in memory: a function of ids, and what its ids mean.

Imports TensorFlow for what TensorFlow computes alone.
"""

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from bert.data.text.tokenization import FullTokenizer, checked_tokenizer
from bert.errors import UserError
from bert.model_folder import compressed, task_files
from bert.model_folder.files import ModelFiles
from bert.model_folder.formats import Model
from bert.model_folder.given import Given
from bert.serving import compressed_model, precision
from bert.tasks import inference
from bert.tasks.inference import Inference
from bert.tasks.spec import Option

if TYPE_CHECKING:
    from bert.serving.graphs import Graph


class LoadedModel(NamedTuple):
    """A model that can be asked.

    Attributes:
        inference: the task's.
        compute: `spec.INPUTS`, int32 [B, S], by name → the outputs that its
            row in `tasks.spec` names; of `row_batches.arrays`.
        graph: what it is of; None where it is a SavedModel's, or another
            runtime's.
    """

    inference: Inference
    compute: Model
    graph: "Graph | None" = None


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
    source = find(folder, given)
    task = source.task.with_answer_options(options or {})
    return of_files(dataclasses.replace(source, task=task), folder)


def find(folder: str, given: Given | None = None) -> ModelFiles:
    """Finds the files of a model, whatever computes it; see `load`."""
    given = given or Given()
    source = compressed.find(folder, given)
    if source is None:
        from bert.model_folder import model_files

        source = model_files.find(folder, given)
    dtype = precision.choose(given.precision, source, folder)
    return dataclasses.replace(source, compute_dtype=dtype)


def find_pretrained(folder: str, given: Given | None = None) -> ModelFiles:
    """Finds the files of a pre-trained model; see `MaskedWords.load`."""
    from bert.model_folder import locate, model_files

    if not locate.is_saved_model(folder):
        given = dataclasses.replace(given or Given(), task="pretraining")
    source = model_files.find(folder, given)
    if not source.task.spec.is_pretraining:
        raise UserError(
            "Expected a model that was exported with --task=pretraining. "
            f"Received: {folder}, of the task {source.task.task}."
        )
    return source


def of_files(source: ModelFiles, folder: str) -> LoadedModel:
    """Loads a model from its files.

    Args:
        source: of `find`.
        folder: where they are from.

    Raises:
        UserError: they do not fit one another.
    """
    made = inference.make(source, tokenizer=tokenizer_of(source, folder))
    if source.format:
        return LoadedModel(made, compressed_model.load(source, made))
    from bert.model_folder import locate
    from bert.serving.graphs import Graph

    graph = None if locate.is_saved_model(folder) else Graph(source)
    return of_tensorflow(made, graph, folder)


def of_tensorflow(
    made: Inference, graph: "Graph | None", folder: str
) -> LoadedModel:
    """Returns a model that TensorFlow computes.

    Args:
        made: the task's.
        graph: the model; None where it is a SavedModel.
        folder: the SavedModel's.

    Raises:
        UserError: the SavedModel is damaged.
    """
    from bert.model_folder import saved_model

    if graph is None:
        return LoadedModel(made, saved_model.SavedModel(folder).compute)
    # Traced once, for all B and S.
    function = graph.serve.get_concrete_function()
    compute = functools.partial(saved_model.compute, function)
    return LoadedModel(made, compute, graph)


def tokenizer_of(source: ModelFiles, folder: str) -> FullTokenizer:
    """Returns what makes a model's ids.

    Args:
        source: its files, of `model_files.find`.
        folder: for messages.

    Raises:
        UserError: nothing says how its ids are made.
    """
    anew = None
    if source.format or source.checkpoint == folder:  # it takes no flags
        anew = f"{'compress' if source.format else 'export'} the model anew"
    if source.vocab_file is None:
        where = os.path.join(folder, task_files.ASSETS) if anew else folder
        advice = anew or "name the model's own (--vocab_file)"
        raise UserError(
            f"Expected {task_files.VOCAB_FILE} in {where}. Received: none "
            f"there; {advice}."
        )
    if source.task.do_lower_case is None:
        advice = anew or (
            "say --do_lower_case=True for an uncased model, False for a cased "
            "one"
        )
        raise UserError(
            "Expected whether the model's text is lower-cased. Received: "
            f"{folder}, which does not say it; {advice}."
        )
    return checked_tokenizer(source.vocab_file, source.task.do_lower_case)

"""A trained model in memory: a function of ids, and what its ids mean."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf

from bert.data.tables import rows
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.model_folder import labels as label_files
from bert.model_folder import model_source, task_files
from bert.model_folder.model_source import Given, Source
from bert.modeling import BertConfig, checkpoint
from bert.serving.graphs import Graph
from bert.tasks import inference
from bert.tasks.inference import Inference
from bert.tasks.spec import INPUTS

_ASSETS = "assets"


class LoadedModel(NamedTuple):
    """A model that can be asked.

    Attributes:
        inference: the task's.
        function: `spec.INPUTS`, int32 [B, S], by name → the outputs that its
            row in `tasks.spec` names. It is traced once, for all B and S.
    """

    inference: Inference
    function: Callable[..., Mapping[str, tf.Tensor]]


def load(folder: str, given: Given | None = None) -> LoadedModel:
    """Loads a model, once for all.

    Args:
        folder: what `find` takes.
        given: what the user says of it; see `find`.

    Raises:
        UserError: a file is missing, or does not fit the others.
    """
    source = find(folder, given)
    if is_saved_model(folder):
        function = _signature(folder)
    else:
        function = Graph(source).serve.get_concrete_function()
    return LoadedModel(
        inference.make(source, tokenizer=tokenizer_of(source, folder)), function
    )


def find(folder: str, given: Given | None = None) -> Source:
    """Finds a model's files.

    Args:
        folder: a run's output_dir, the folder of a published checkpoint, or a
            SavedModel that `serving.export` wrote.
        given: what the user says of it; not of a SavedModel, which knows all.

    Raises:
        UserError: a file is missing or damaged, or does not fit the others.
    """
    if not is_saved_model(folder):
        return model_source.find(folder, given)
    for name, value in dataclasses.asdict(given or Given()).items():
        if value is not None:
            raise UserError(
                f"--{name} is for folders of checkpoints; {folder} is a "
                f"SavedModel, which knows it. Received: --{name}={value}; "
                "leave it out."
            )
    assets = os.path.join(folder, _ASSETS)
    task = task_files.read(assets)
    config_file = task_files.find(assets, task_files.CONFIG_FILE)
    if task is None or config_file is None:
        raise UserError(
            f"Expected a SavedModel of export_model.py, with "
            f"{task_files.TASK_FILE} and {task_files.CONFIG_FILE} in its "
            f"{_ASSETS} folder. Received: {folder}, without; export the model "
            "anew."
        )
    source = Source(
        task=task,
        checkpoint=folder,
        bert_config_file=config_file,
        vocab_file=task_files.find(assets, task_files.VOCAB_FILE),
        labels=tuple(label_files.read(assets) or ()),
    )
    _check_saved_model(source, assets)
    return source


def _check_saved_model(source: Source, assets: str) -> None:
    """Raises UserError where assets are not those of the weights."""
    wanted = model_source.num_labels(
        source.task, checkpoint.Reader(source.checkpoint)
    )
    if wanted not in (None, len(source.labels)):
        path = os.path.join(assets, label_files.FILE_NAME)
        found = f"{len(source.labels)} ({rows.some(source.labels)})"
        raise UserError(
            f"{path}: expected the model's {wanted} labels, one a line. "
            f"Received: {found if source.labels else 'none'}; restore the "
            "file, or export the model anew."
        )
    model_source.check(source)


def is_saved_model(folder: str) -> bool:
    """Whether a folder holds a SavedModel rather than checkpoints."""
    return tf.io.gfile.exists(os.path.join(folder, "saved_model.pb"))


def tokenizer_of(source: Source, folder: str) -> FullTokenizer:
    """Returns what makes a model's ids.

    Args:
        source: its files.
        folder: for messages.

    Raises:
        UserError: nothing says how its ids are made, or its vocabulary has
            more ids than it.
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
    tokenizer = FullTokenizer(source.vocab_file, source.task.do_lower_case)
    size = BertConfig.from_json_file(source.bert_config_file).vocab_size
    tokenizer.check_fits(size, source.bert_config_file)
    return tokenizer


def _signature(folder: str) -> Callable[..., Mapping[str, tf.Tensor]]:
    """Returns the function of a SavedModel, which keeps its variables."""
    try:
        saved = tf.saved_model.load(folder)
    # IndexError: the weights' file is cut off.
    except (OSError, ValueError, IndexError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"Cannot load the SavedModel {folder}: {reason}; export the model "
            "anew."
        ) from error
    function = saved.signatures.get("serving_default")
    names = function.structured_input_signature[1] if function else {}
    if set(names) != set(INPUTS):
        raise UserError(
            f"Expected a SavedModel that takes {', '.join(INPUTS)}. "
            f"Received: {folder}, which takes {', '.join(names) or 'nothing'};"
            " name the folder that export_model.py wrote, not raw_strings in "
            "it."
        )

    def call(**inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        # A signature alone does not keep the variables of its model alive.
        return saved.signatures["serving_default"](**inputs)

    return call

"""A compressed model, opened in its runtime and tried. No TensorFlow."""

import os

import numpy as np

from bert.errors import UserError, one_line
from bert.model_folder import formats
from bert.model_folder import labels as label_files
from bert.model_folder.files import ModelFiles
from bert.model_folder.formats import Model
from bert.tasks.inference import Arrays, Inference
from bert.tasks.spec import INPUTS

_TRIAL_IDS = 2


def load(source: ModelFiles, task: Inference) -> Model:
    """Opens a compressed model.

    Args:
        source: its files, of `compressed.find`.
        task: what it is for.

    Raises:
        UserError: its runtime is not installed, or the file is not one of
            this task, these sizes and these labels.
    """
    assert source.format is not None
    model = formats.open_model(source.format, source.checkpoint)
    outputs = _try_out(model, source)
    wanted = set(task.spec.outputs) - set(task.optional_outputs)
    if not wanted <= set(outputs):
        raise UserError(
            f"{source.checkpoint}: expected a model of the task "
            f"{task.spec.name}, which gives {', '.join(sorted(wanted))}. "
            f"Received: one that gives {', '.join(sorted(outputs))}; compress "
            "the model anew."
        )
    if task.spec.has_labels:
        count = outputs["logits"].shape[-1]
        assets = os.path.dirname(source.bert_config_file)
        label_files.check_count(assets, source.labels, count)
    return model


def _try_out(model: Model, source: ModelFiles) -> Arrays:
    """Returns the outputs of a few ids; UserError where there are none."""
    ids = np.zeros([1, _TRIAL_IDS], np.int32)
    inputs = dict(zip(INPUTS, (ids, ids + 1, ids), strict=True))
    try:
        return model(inputs)
    except Exception as error:  # each runtime raises what it likes
        raise UserError(
            f"{source.checkpoint} does not run as {source.format}: "
            f"{one_line(error, 120)}; compress the model anew."
        ) from error

"""Whether a model answers in bfloat16. Imports without TensorFlow.

What was found of a checkpoint is in its task.json (`task_files.Bfloat16`).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from absl import logging

from bert.errors import UserError
from bert.evaluation import comparison
from bert.files import file_bytes, task_paths
from bert.model_folder import resume_file
from bert.model_folder.files import ModelFiles
from bert.model_folder.given import PRECISIONS
from bert.model_folder.task_files import Bfloat16, Task
from bert.tasks import inference
from bert.tasks.spec import INPUTS

# What `auto` asks for before it takes bfloat16.
LEAST_ROWS = 2000
LEAST_AGREEMENT = 0.999


def choose(wanted: str | None, source: ModelFiles, folder: str) -> str:
    """Returns what a model's products are computed in: a compute dtype.

    Args:
        wanted: one of `PRECISIONS`; None: float32.
        source: the model's files.
        folder: where they are from.

    Raises:
        UserError: there is no such precision, or not of this model.
    """
    if wanted not in (None, *PRECISIONS):
        raise UserError(
            f"--precision must be one of {', '.join(PRECISIONS)}. Received: "
            f"{wanted!r}."
        )
    if wanted is None:
        return "float32"
    from_checkpoint = source.format is None and not _is_saved_model(folder)
    if wanted != "auto" and not from_checkpoint:
        raise UserError(
            f"--precision={wanted} is for folders of checkpoints. Received: "
            f"{folder}, which computes as it was written; leave the flag out."
        )
    if wanted != "auto":
        return wanted
    found = kept(folder, source.task) if from_checkpoint else None
    reason = (
        why_not(source, found)
        if from_checkpoint
        else f"{folder} computes as it was written"
    )
    if reason or not found:
        logging.info("--precision=auto: float32, as %s.", reason)
        return "float32"
    logging.info(
        "--precision=auto: bfloat16, in which %.2f %% of the labels of %d rows "
        "are the same.",
        *(100 * found.agreement, found.rows),
    )
    return "bfloat16"


def kept(folder: str, task: Task) -> Bfloat16 | None:
    """Returns what task.json says of a model in bfloat16, as a model of `task`.

    The same model gives other answers where it is asked for other things, such
    as a classifier for vectors: nothing is known of these.
    """
    from bert.model_folder import locate

    own = locate.task(folder)
    return own.bfloat16 if own and own.spec is task.spec else None


def why_not(source: ModelFiles, found: Bfloat16 | None) -> str | None:
    """Returns why `auto` does not take bfloat16; None: it does.

    Args:
        source: the model's files.
        found: what is known of it.
    """
    import tensorflow as tf

    from bert.modeling import cpu_bfloat16

    has_gpu = bool(tf.config.list_logical_devices("GPU"))
    if not has_gpu and not cpu_bfloat16.has_bfloat16():
        return "this processor has neither AVX-512 BF16 nor AMX"
    if found is None or found.checkpoint != identity(source):
        return (
            f"nothing is known of {source.checkpoint} for {source.task.task} "
            "in bfloat16 (bert check_bfloat16 finds it out)"
        )
    if found.rows < LEAST_ROWS:
        return f"{found.rows} rows were compared, not {LEAST_ROWS}"
    if found.agreement < LEAST_AGREEMENT:
        return (
            f"{found.agreement:.2%} of the labels of {found.rows} rows are the "
            f"same in bfloat16, less than {LEAST_AGREEMENT:.1%}"
        )
    return None


def compare(source: ModelFiles, files: Sequence[str]) -> Bfloat16:
    """Returns how often a checkpoint predicts the same in bfloat16.

    Args:
        source: the model's files.
        files: records to predict for.

    Raises:
        UserError: a file is not what the model takes.
    """
    from bert.model_folder import saved_model
    from bert.serving import eval_batches
    from bert.serving.graphs import Graph

    judge = inference.make(source)
    batches = eval_batches.read(files, judge)
    found = []
    for dtype in ("float32", "bfloat16"):
        graph = Graph(dataclasses.replace(source, compute_dtype=dtype))
        function = graph.serve.get_concrete_function()
        predictions = []
        for batch in batches:
            inputs = {name: batch[name] for name in INPUTS}
            outputs = saved_model.compute(function, inputs)
            predictions.append(judge.predictions(outputs, batch))
        found.append(np.concatenate(predictions))
    return Bfloat16(
        agreement=judge.agreement(*found),
        rows=comparison.row_count(batches),
        checkpoint=identity(source),
    )


def identity(source: ModelFiles) -> str:
    """Returns what tells a checkpoint from all others."""
    index = file_bytes.read(task_paths.index_of(source.checkpoint))
    return resume_file.digest([index])


def _is_saved_model(folder: str) -> bool:
    from bert.model_folder import locate

    return locate.is_saved_model(folder)

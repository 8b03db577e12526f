"""eval_results.txt and the event file of an evaluation."""

import functools
import os
from collections.abc import Mapping

import tensorflow as tf
from absl import logging

from bert.files import atomic_files
from bert.tasks import spec
from bert.training import curves

_details = logging.get_absl_logger().getChild("details")


def write_eval_results(
    output_dir: str, results: Mapping[str, object], step: int
) -> None:
    """Writes an evaluation's figures where the original's users look.

    Args:
        output_dir: gets `eval_results.txt`, `key = value` a line, sorted by
            key, and an event file in `eval/`.
        results: figures by name; `global_step` joins them. A text among them
            is no figure, and not in the event file.
        step: the checkpoint's global_step.
    """
    figures = {**results, "global_step": step}
    lines = [f"{key} = {figures[key]!s}" for key in sorted(figures)]
    path = os.path.join(output_dir, "eval_results.txt")
    logging.info(
        "Saving dict for global step %d: %s",
        step,
        ", ".join(lines),
        extra={"short": f"{', '.join(lines)}; in {path}", "fields": figures},
    )
    _details.info("***** Eval results *****")
    for line in lines:
        _details.info("  %s", line)
    atomic_files.write_text(path, "".join(line + "\n" for line in lines))
    write_events(
        output_dir,
        {k: v for k, v in results.items() if not isinstance(v, str)},
        step,
    )


def write_events(
    output_dir: str, results: Mapping[str, object], step: int
) -> None:
    """Writes an evaluation's figures to the event file in `eval/`.

    A mark (`spec.MARKS`) has a folder of its own, too, under the tag of its
    loss: so TensorBoard draws it across the curves of that.

    Args:
        output_dir: gets the folder `eval/`.
        results: figures by name.
        step: the step that they are of.
    """
    _write_scalars(os.path.join(output_dir, curves.EVAL_FOLDER), results, step)
    for mark in spec.MARKS.keys() & results.keys():
        own = {spec.MARKS[mark]: results[mark]}
        _write_scalars(os.path.join(output_dir, mark), own, step)


def _write_scalars(
    folder: str, scalars: Mapping[str, object], step: int
) -> None:
    writer = _writer(folder)
    with writer.as_default():
        for key, value in scalars.items():
            tf.summary.scalar(key, value, step=step)
    writer.flush()


@functools.cache
def _writer(folder: str) -> tf.summary.SummaryWriter:
    """Returns the one event file that a process writes in a folder."""
    return tf.summary.create_file_writer(folder)

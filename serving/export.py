"""Writes trained models as SavedModels that need none of this project.

    export_dir/                 takes ids: tf.saved_model.load is all it needs
      saved_model.pb, fingerprint.pb, variables/
      assets/                   vocab.txt, bert_config.json, task.json and
                                labels.txt, so far as the model has them
      raw_strings/              takes texts: needs `import tensorflow_text`

See docs/export.md.
"""

import os
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from bert.cli.config import TrainingConfig
from bert.data.text import tokenizers
from bert.errors import UserError, one_line
from bert.files import atomic_files
from bert.model_folder import model_files
from bert.model_folder.files import ModelFiles
from bert.model_folder.task_files import Task
from bert.serving import raw_text, saved_models
from bert.serving.export_place import (
    RAW_STRINGS,
    check_export_dir,
    check_task,
)
from bert.serving.graphs import Graph
from bert.tasks import inference, run_weights


def export(
    source: ModelFiles,
    export_dir: str,
    *,
    top_k: int = 10,
    raw_strings: bool | None = True,
    overwrite: bool = False,
) -> None:
    """Writes a trained model's SavedModels.

    They appear in export_dir when they are complete; until then, what was
    there stays.

    Args:
        source: the model's files.
        export_dir: the folder to write; missing or empty.
        top_k: see `Graph`.
        raw_strings: whether to write the model that takes texts, too, where
            the task has one; None: if tensorflow-text is there.
        overwrite: whether to replace an export that is in export_dir.

    Raises:
        UserError: export_dir is taken, the files do not fit each other, the
            model reads several sequences a text, or tensorflow-text is missing
            or of another TensorFlow.
    """
    check_task(source.task, source.checkpoint)
    check_export_dir(export_dir, overwrite)
    model_files.check(source)
    reason = why_no_raw_strings(source)
    if raw_strings is None:
        reason = reason or _why_no_tensorflow_text()
    elif raw_strings and not reason and (lacks := _why_no_tensorflow_text()):
        raise UserError(
            f"{lacks}; install it, or leave {RAW_STRINGS} out "
            "(--noraw_strings)."
        )
    if reason and raw_strings is not False:
        logging.warning("%s is left out: %s.", RAW_STRINGS, reason)
    with_texts = reason is None and raw_strings is not False
    graph = Graph(source, top_k)
    with atomic_files.replacing_folder(export_dir) as folder:
        _write(graph, folder)
        if with_texts:
            raw_text.write(graph, os.path.join(folder, RAW_STRINGS))
    logging.info("Wrote the SavedModel %s of %s", export_dir, source.checkpoint)


def export_run(
    config: TrainingConfig,
    task: Task,
    vocab_file: str | None = None,
    labels: Sequence[str] = (),
) -> None:
    """Exports what a run of a script has trained, or was given.

    Call it outside of a strategy's scope.

    Args:
        config: of the training run, with do_export.
        task: what the model is for.
        vocab_file: the vocabulary that it used, if any.
        labels: the model's, in the order of their numbers.
    """
    source = ModelFiles(
        task=task,
        checkpoint=run_weights.used(config).prefix,
        bert_config_file=config.bert_config_file,
        vocab_file=vocab_file,
        labels=tuple(labels),
    )
    export(source, config.export_folder, raw_strings=None, overwrite=True)


def why_no_raw_strings(source: ModelFiles) -> str | None:
    """Returns why a model cannot take texts, or None where it can."""
    if reason := inference.class_of(source.task).no_raw_strings:
        return reason
    if source.vocab_file is None or source.task.do_lower_case is None:
        return "the model has no vocabulary"
    if not tokenizers.kind_of(source.vocab_file).in_graphs:
        return "no graph can do what the model's tokenizer does"
    return None


def _why_no_tensorflow_text() -> str | None:
    try:
        import tensorflow_text  # noqa: F401 (its operations are registered)
    except (ImportError, tf.errors.NotFoundError) as error:
        return (
            f"{RAW_STRINGS} needs tensorflow-text of TensorFlow's own version "
            f"({tf.__version__}), and importing it failed "
            f"({one_line(error)})"
        )
    return None


def _write(graph: Graph, folder: str) -> None:
    """Writes the SavedModel that takes ids."""
    root = saved_models.make_root(graph)
    if graph.inference.exports_encoder:
        root.encode = graph.make_encode()
    saved_models.save(
        root, folder, {"serving_default": graph.serve}, graph.source
    )

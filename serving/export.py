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
from bert.model_folder import labels as label_files
from bert.model_folder import locate, model_files, task_files
from bert.model_folder.files import ModelFiles
from bert.model_folder.task_files import Task
from bert.serving import raw_text, saved_models
from bert.serving.graphs import Graph
from bert.tasks import inference, run_weights, spec

RAW_STRINGS = "raw_strings"

_SAVED_MODEL = {
    "saved_model.pb",
    "fingerprint.pb",
    "variables/variables.index",
    "variables/variables.data-[0-9]*-of-[0-9]*",
    *saved_models.ASSET_FILES,
}
# What an export may hold; a folder with more is not replaced.
_OURS = _SAVED_MODEL | {f"{RAW_STRINGS}/{name}" for name in _SAVED_MODEL}
# And what it does.
_NEEDED = ("saved_model.pb", f"{task_files.ASSETS}/{task_files.TASK_FILE}")
# What a run keeps in output_dir, beside its results.
_OF_A_RUN = (
    *("best", "eval", *spec.MARKS, "checkpoint", label_files.FILE_NAME),
    *(task_files.TASK_FILE, task_files.CONFIG_FILE, *tokenizers.FILES),
)


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


def check_run(config: TrainingConfig, results: Sequence[str] = ()) -> None:
    """Makes sure, before any work, that a run's export has a place.

    Args:
        config: of the run.
        results: the names of the files that it writes to output_dir.

    Raises:
        UserError: it has none.
    """
    folder = os.path.join(os.path.realpath(config.export_folder), "")
    output_dir = os.path.join(os.path.realpath(config.output_dir), "")
    if output_dir.startswith(folder):
        raise UserError(
            "--export_dir must be a folder of its own. Received: "
            f"{config.export_folder}, where --output_dir={config.output_dir} "
            "is; name another."
        )
    for name in (*results, *_OF_A_RUN):
        if os.path.join(output_dir, name, "") == folder:
            raise UserError(
                "--export_dir must be a folder of its own. Received: "
                f"{config.export_folder}, where the run writes its own {name}; "
                "name another."
            )
    check_export_dir(config.export_folder, overwrite=True)
    kept = None if config.do_train else locate.task(config.output_dir)
    if kept:
        check_task(kept, config.output_dir)


def check_task(task: Task, path: str) -> None:
    """Makes sure that a model can say all by one sequence.

    Args:
        task: what it is for.
        path: where it is; for the message.

    Raises:
        UserError: it reads texts in windows.
    """
    if task.long_texts.is_windows:
        raise UserError(
            "An export reads one sequence a text. Received: a model of "
            f"--truncation=windows, {path}, which reads several; ask it by "
            "predict.py, serve.py or Predictor."
        )


def check_export_dir(export_dir: str, overwrite: bool = False) -> None:
    """Makes sure that an export will replace nothing but an export.

    Raises:
        UserError: there is something else, or it is not to be overwritten, or
            nothing can be written there.
    """
    reason = "://" not in export_dir and atomic_files.why_no_folder(export_dir)
    if reason:
        raise UserError(f"--export_dir={export_dir} {reason}.")
    atomic_files.restore_folder(export_dir)
    if not tf.io.gfile.exists(export_dir):
        return
    if not tf.io.gfile.isdir(export_dir):
        raise UserError(
            f"--export_dir={export_dir} must be a folder to make. Received: a "
            "file; name another."
        )
    if not tf.io.gfile.listdir(export_dir):
        return
    foreign = saved_models.foreign_names(export_dir, _OURS)
    missing = [
        name
        for name in _NEEDED
        if not tf.io.gfile.exists(os.path.join(export_dir, name))
    ]
    if foreign or missing:
        what = f"with {foreign[0]}" if foreign else f"without {missing[0]}"
        raise UserError(
            f"--export_dir={export_dir} must be missing, empty or an earlier "
            f"export. Received: a folder {what}; name another."
        )
    if not overwrite:
        raise UserError(
            f"--export_dir={export_dir} holds an export already; name another, "
            "or replace it (--overwrite)."
        )


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

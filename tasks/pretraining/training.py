"""Pre-training: records → training → evaluation.

What `run_pretraining.py` shares with fine-tuning is in `training.run` and in
`tasks.record_sets`.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from absl import logging

from bert.data.corpus.record_fields import TEXT_STARTS, pretraining_fields
from bert.data.records import input_pipeline, length_sorting
from bert.data.records.record_files import RecordSource, check_records
from bert.files import file_bytes
from bert.model_folder import task_files, weights
from bert.modeling import BertConfig
from bert.modeling.heads import PretrainingModel
from bert.modeling.task_model import Batch
from bert.tasks import record_sets, reports, resuming, run_weights, spec
from bert.tasks.pretraining import inputs, origin, records
from bert.tasks.pretraining.config import Config
from bert.tasks.pretraining.watching import Watch
from bert.training import (
    disk_space,
    head_check,
    results,
    resume,
    run,
    strategy,
)
from bert.training.batches import Batches
from bert.training.forward import Forward
from bert.training.length import Length

if TYPE_CHECKING:
    from bert.tasks.pretraining.teacher import Teacher
    from bert.training.feeds import Feed

# The length of a record's features is set by these flags.
_LENGTH_FLAGS = {
    "input_ids": "max_seq_length",
    "input_mask": "max_seq_length",
    "segment_ids": "max_seq_length",
    "masked_lm_positions": "max_predictions_per_seq",
    "masked_lm_ids": "max_predictions_per_seq",
    "masked_lm_weights": "max_predictions_per_seq",
}


def record_source(
    config: Config,
    bert_config: BertConfig,
    files: Sequence[str],
    *,
    is_trained: bool,
) -> RecordSource:
    """Returns the records to read, and what must hold for them.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        files: the records'.
        is_trained: whether they are trained on, or evaluated alone.

    Raises:
        UserError: they are not what the flags say.
    """
    kind = records.kind_of(files)
    records.check(config, files, kind, is_trained=is_trained)
    records.check_encoder(config, bert_config)
    return record_sets.source(
        bert_config,
        files,
        pretraining_fields(
            config.max_seq_length,
            config.max_predictions_per_seq,
            kind.are_packed,
        ),
        {
            "masked_lm_ids": bert_config.vocab_size,
            "masked_lm_positions": config.max_seq_length,
            "next_sentence_labels": 2,
            **({TEXT_STARTS: config.max_seq_length} if kind.are_packed else {}),
        },
        _LENGTH_FLAGS,
    )


def evaluated_source(
    config: Config, bert_config: BertConfig, source: RecordSource
) -> RecordSource:
    """Returns the records that the run is evaluated on, which are checked.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        source: the records of --input_file: without --eval_file it is they.

    Raises:
        UserError: a file or a record is not what it must be, or the files
            were made in another way than those of --input_file.
    """
    if not (config.eval_file and config.evaluates):
        return source
    files = inputs.record_files(config, "eval_file")
    origin.check(config, files)
    evaluated = record_source(config, bert_config, files, is_trained=False)
    check_records(evaluated)
    return evaluated


def make_model(
    config: Config, bert_config: BertConfig, seed: int | None = None
) -> PretrainingModel:
    """Returns the model.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        seed: of its start weights; by default they are drawn.
    """
    model = PretrainingModel(
        bert_config,
        config.has_next_sentence,
        compute_dtype=config.compute_dtype,
        init_seed=seed,
    )
    if not config.learns_words:
        model.freeze_words()
    return model


def check_model(
    config: Config, bert_config: BertConfig, start: head_check.Start
) -> None:
    """Checks what is left to check before output_dir, and makes that.

    Call it in the strategy's scope.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        start: the checkpoint that the run begins with.

    Raises:
        UserError: devices cannot share a batch, a checkpoint, also that of the
            best weights, does not fit the model, or nothing can be written to
            output_dir.
    """
    if config.do_train:
        run.check_size(config, _length(config))
    steps = config.num_train_steps if config.do_train else 0
    model = head_check.check_model(
        start,
        lambda: make_model(config, bert_config),
        num_train_steps=steps,
        # Left by an earlier part of the run; it may stay the best.
        best=weights.best_of(config.output_dir) if config.do_train else None,
        needs_moments=config.needs_moments,
    )
    if strategy.is_chief():
        disk_space.check(config, model, start, steps)
        resume.prepare_output_dir(config.output_dir)


def _length(config: Config) -> Length:
    return Length(config.num_train_steps, config.num_warmup_steps)


def train(
    config: Config,
    bert_config: BertConfig,
    source: RecordSource,
    watch: Watch,
    teacher: "Teacher | None" = None,
) -> str | None:
    """Trains from where output_dir's run stands to num_train_steps.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        source: the records to train on.
        watch: how it is evaluated meanwhile.
        teacher: what the model learns from, too.

    Returns:
        Why there was nothing to train; None where there was.
    """
    logging.info("***** Running training *****")
    settled = records.settled(config, source.files)
    return run.train(
        run_weights.with_start(settled),
        _length(config),
        lambda seed: make_model(config, bert_config, seed),
        feed(settled, source, teacher),
        functools.partial(evaluator, config, watch),
        on_loaded=lambda: keep(settled, source, teacher),
    )


def feed(
    config: Config, source: RecordSource, teacher: "Teacher | None"
) -> "Feed":
    """Returns what a training takes its batches from; see `train`."""
    found = record_sets.training_feed(
        records.for_training(config, source),
        config,
        make_objective=teacher.objective if teacher else None,
    )
    num_other_weights = teacher.num_weights if teacher else 0
    return dataclasses.replace(found, num_other_weights=num_other_weights)


def evaluator(
    config: Config, watch: Watch, model: PretrainingModel
) -> Callable[[], Mapping[str, float]]:
    """Returns what evaluates a model with its weights of the moment."""
    answers = _answers(config, watch.source, model)
    return lambda: watch.figures(answers())


def _answers(
    config: Config, source: RecordSource, model: PretrainingModel
) -> Callable[[], Iterator[dict[str, np.ndarray]]]:
    """Returns what yields `eval_figures` of each batch of an evaluation."""
    batches = input_pipeline.eval_batches(
        records.for_evaluation(config, source),
        config.eval_batch_size,
        repeat=True,
        drop_remainder=True,
    ).take(config.max_eval_steps)
    return functools.partial(
        Forward(model, functools.partial(eval_figures, model)),
        Batches(batches, record_sets.unreadable(source)),
    )


def keep(
    config: Config, source: RecordSource, teacher: "Teacher | None"
) -> None:
    """Keeps in output_dir what the run is made with from here on."""
    task_files.write(
        config.output_dir,
        inputs.task_of(config),
        config.bert_config_file,
        config.vocab_file,
    )
    # Not what is in the files: they may take hours to read.
    files = sorted(
        (os.path.basename(name), file_bytes.size_and_time(name)[0])
        for name in source.files
    )
    resuming.keep(
        *(config, inputs.task_of(config), (), files),
        teacher.digest if teacher else None,
    )


def evaluate(
    config: Config, bert_config: BertConfig, watch: Watch
) -> Mapping[str, object]:
    """Evaluates what `run_weights.used` returns.

    Returns:
        The chief: the figures of eval_results.txt.
    """
    # Made by all workers: TensorFlow sends them the chief's start weights.
    model = make_model(config, bert_config)
    step = run.load_trained(model, *run_weights.used(config))
    return judge(config, bert_config, watch, model, step)


def judge(
    config: Config,
    bert_config: BertConfig,
    watch: Watch,
    model: PretrainingModel,
    step: int,
) -> Mapping[str, object]:
    """Evaluates a model, and writes the figures and the report.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        watch: what it is evaluated on.
        model: with its weights.
        step: their global_step.

    Returns:
        The chief: the figures of eval_results.txt.
    """
    if not strategy.is_chief():
        return {}
    logging.info("***** Running evaluation *****")
    logging.info("  Batch size = %d", config.eval_batch_size)
    found = list(_answers(config, watch.source, model)())
    figures = watch.figures(found)
    results.write_eval_results(config.output_dir, figures, step)
    if config.writes_reports:
        reports.write(
            config.output_dir,
            spec.find("pretraining"),
            {"": functools.partial(_report, config, bert_config, found)},
            {**figures, "global_step": step},
        )
    return figures


def _report(
    config: Config,
    bert_config: BertConfig,
    found: Iterable[Mapping[str, np.ndarray]],
) -> reports.Report:
    # Here, since it draws charts.
    from bert.tasks.pretraining import report

    return report.make(
        found, inputs.vocabulary(config, bert_config), config.next_sentence
    )


def eval_figures(
    model: PretrainingModel, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns what `metrics.metrics` and `report.make` take, as tensors."""
    # Here: [B * P, V] are too many logits to keep.
    words = tf.argmax(
        outputs["masked_lm_logits"], axis=-1, output_type=tf.int32
    )
    ids = tf.reshape(batch["masked_lm_ids"], [-1])
    losses = model.losses(outputs, batch)
    figures = {
        "masked_lm_losses": losses["masked_lm"],
        "masked_lm_weights": model.loss_weights(batch)["masked_lm"].weights,
        "masked_lm_correct": tf.cast(words == ids, tf.float32),
        "masked_lm_ids": ids,
        "masked_lm_predicted": words,
        "masked_lm_positions": tf.reshape(batch["masked_lm_positions"], [-1]),
        "lengths": length_sorting.lengths(batch["input_mask"]),
    }
    if "next_sentence" not in losses:
        return figures
    labels = tf.reshape(batch["next_sentence_labels"], [-1])
    sentences = tf.argmax(
        outputs["next_sentence_logits"], axis=-1, output_type=tf.int32
    )
    return {
        **figures,
        "next_sentence_losses": losses["next_sentence"],
        "next_sentence_correct": tf.cast(sentences == labels, tf.float32),
        "next_sentence_labels": labels,
        "next_sentence_predicted": sentences,
    }

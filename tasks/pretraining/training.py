"""Pre-training: records → training → evaluation.

What `run_pretraining.py` shares with fine-tuning is in `training.run` and in
`tasks.record_sets`.
"""

import functools
import os
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf
from absl import logging

from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import input_pipeline, length_sorting
from bert.data.records.record_files import RecordSource
from bert.data.text import tokenizers
from bert.files import file_bytes, flag_paths
from bert.model_folder import locate, task_files
from bert.modeling import BertConfig
from bert.modeling.heads import PretrainingModel
from bert.modeling.task_model import Batch
from bert.tasks import record_sets, reports, resuming, run_weights, spec
from bert.tasks.pretraining import metrics
from bert.tasks.pretraining.config import Config
from bert.training import (
    disk_space,
    head_check,
    loop,
    results,
    resume,
    run,
    strategy,
)

# The length of a record's features is set by these flags.
_LENGTH_FLAGS = {
    "input_ids": "max_seq_length",
    "input_mask": "max_seq_length",
    "segment_ids": "max_seq_length",
    "masked_lm_positions": "max_predictions_per_seq",
    "masked_lm_ids": "max_predictions_per_seq",
    "masked_lm_weights": "max_predictions_per_seq",
}


def task_of(config: Config) -> task_files.Task:
    """Returns what the model is for, as it is kept with its checkpoints."""
    return task_files.Task(
        task="pretraining",
        do_lower_case=None,  # of the records' text; they do not say it
        max_seq_length=config.max_seq_length,
    )


def record_source(config: Config, bert_config: BertConfig) -> RecordSource:
    """Returns the records to read, and what must hold for them."""
    files = flag_paths.matching_files(config.input_file, "input_file")
    logging.info("*** Input Files ***")
    for name in files:
        logging.info("  %s", name)
    return record_sets.source(
        bert_config,
        files,
        pretraining_fields(
            config.max_seq_length, config.max_predictions_per_seq
        ),
        {
            "masked_lm_ids": bert_config.vocab_size,
            "masked_lm_positions": config.max_seq_length,
            "next_sentence_labels": 2,
        },
        _LENGTH_FLAGS,
    )


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
        UserError: devices cannot share a batch, a checkpoint does not fit the
            model, or nothing can be written to output_dir.
    """
    if config.do_train:
        run.check_size(config, _length(config))
    steps = config.num_train_steps if config.do_train else 0
    model = head_check.check_model(
        start,
        lambda: PretrainingModel(
            bert_config, compute_dtype=config.compute_dtype
        ),
        num_train_steps=steps,
        needs_moments=config.needs_moments,
    )
    if strategy.is_chief():
        disk_space.check(config, model, start, steps)
        resume.prepare_output_dir(config.output_dir)


def _length(config: Config) -> run.Length:
    return run.Length(config.num_train_steps, config.num_warmup_steps)


def train(
    config: Config, bert_config: BertConfig, source: RecordSource
) -> str | None:
    """Trains from where output_dir's run stands to num_train_steps.

    Returns:
        Why there was nothing to train; None where there was.
    """
    logging.info("***** Running training *****")
    return run.train(
        run_weights.with_start(config),
        _length(config),
        lambda seed: PretrainingModel(
            bert_config, compute_dtype=config.compute_dtype, init_seed=seed
        ),
        record_sets.training_batches(source, config),
        record_sets.unreadable(source),
        on_loaded=lambda: _keep(config, source),
    )


def _keep(config: Config, source: RecordSource) -> None:
    """Keeps in output_dir what the run is made with from here on."""
    task_files.write(
        config.output_dir, task_of(config), config.bert_config_file, None
    )
    # Not what is in the files: they may take hours to read.
    files = sorted(
        (os.path.basename(name), file_bytes.size_and_time(name)[0])
        for name in source.files
    )
    resuming.keep(config, task_of(config), (), files)


def evaluate(
    config: Config, bert_config: BertConfig, source: RecordSource
) -> Mapping[str, object]:
    """Evaluates what `run_weights.used` returns.

    Returns:
        The chief: the figures of eval_results.txt.
    """
    # Made by all workers: TensorFlow sends them the chief's start weights.
    model = PretrainingModel(bert_config, compute_dtype=config.compute_dtype)
    step = run.load_trained(model, *run_weights.used(config))
    if not strategy.is_chief():
        return {}
    logging.info("***** Running evaluation *****")
    logging.info("  Batch size = %d", config.eval_batch_size)
    batches = input_pipeline.eval_batches(
        source, config.eval_batch_size, repeat=True, drop_remainder=True
    ).take(config.max_eval_steps)
    found = list(
        loop.Forward(model, functools.partial(eval_figures, model))(
            loop.Batches(batches, record_sets.unreadable(source))
        )
    )
    figures = metrics.metrics(found)
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

    return report.make(found, vocabulary(config, bert_config))


def vocabulary(config: Config, bert_config: BertConfig) -> dict[int, str]:
    """Returns the word pieces by their ids, where a vocab.txt tells them.

    It stands beside the model: no flag names one, and the records have ids.
    """
    for path in (config.bert_config_file, config.init_checkpoint):
        folder = os.path.dirname(path or "")
        file = locate.vocab_file(folder or os.curdir)
        if path and file:
            ids = tokenizers.load_vocab(file)
            if max(ids.values(), default=0) < bert_config.vocab_size:
                return {number: piece for piece, number in ids.items()}
    return {}


def eval_figures(
    model: PretrainingModel, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns what `metrics.metrics` and `report.make` take, as tensors."""
    # Here: [B * P, V] are too many logits to keep.
    words, sentences = (
        tf.argmax(outputs[name], axis=-1, output_type=tf.int32)
        for name in ("masked_lm_logits", "next_sentence_logits")
    )
    ids = tf.reshape(batch["masked_lm_ids"], [-1])
    labels = tf.reshape(batch["next_sentence_labels"], [-1])
    losses = model.losses(outputs, batch)
    return {
        "masked_lm_losses": losses["masked_lm"],
        "masked_lm_weights": model.loss_weights(batch)["masked_lm"].weights,
        "masked_lm_correct": tf.cast(words == ids, tf.float32),
        "masked_lm_ids": ids,
        "masked_lm_predicted": words,
        "masked_lm_positions": tf.reshape(batch["masked_lm_positions"], [-1]),
        "next_sentence_losses": losses["next_sentence"],
        "next_sentence_correct": tf.cast(sentences == labels, tf.float32),
        "next_sentence_labels": labels,
        "next_sentence_predicted": sentences,
        "lengths": length_sorting.lengths(batch["input_mask"]),
    }

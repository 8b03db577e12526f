"""Pre-training: records → training → evaluation.

What `run_pretraining.py` shares with fine-tuning is in `training.run` and in
`tasks.record_sets`.
"""

import functools
import os
from collections.abc import Mapping

import tensorflow as tf
from absl import logging

from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import input_pipeline
from bert.data.records.record_files import RecordSource
from bert.files import file_bytes, flag_paths
from bert.model_folder import locate, task_files
from bert.modeling import BertConfig
from bert.modeling.heads import PretrainingModel
from bert.modeling.task_model import Batch
from bert.tasks import record_sets, resuming
from bert.tasks.pretraining import metrics
from bert.tasks.pretraining.config import Config
from bert.training import head_check, loop, results, run, strategy

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


def check_model(config: Config, bert_config: BertConfig) -> None:
    """Checks what is left to check before the first file is written.

    Call it in the strategy's scope.

    Raises:
        UserError: devices cannot share a batch, or a checkpoint does not fit
            the model.
    """
    if config.do_train:
        run.check_size(config, _length(config))
    head_check.check_model(
        head_check.find_weights(config.output_dir, config.init_checkpoint),
        lambda: PretrainingModel(
            bert_config, compute_dtype=config.compute_dtype
        ),
        num_train_steps=config.num_train_steps if config.do_train else 0,
    )


def _length(config: Config) -> run.Length:
    return run.Length(config.num_train_steps, config.num_warmup_steps)


def train(
    config: Config, bert_config: BertConfig, source: RecordSource
) -> None:
    """Trains from where output_dir's run stands to num_train_steps."""
    logging.info("***** Running training *****")
    run.train(
        config,
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
    """Evaluates output_dir's newest checkpoint, else init_checkpoint.

    Returns:
        The chief: the figures of eval_results.txt.
    """
    # Made by all workers: TensorFlow sends them the chief's start weights.
    model = PretrainingModel(bert_config, compute_dtype=config.compute_dtype)
    trained = locate.trained_checkpoint(config.output_dir)
    step = run.load_trained(model, trained, config.init_checkpoint)
    if not strategy.is_chief():
        return {}
    logging.info("***** Running evaluation *****")
    logging.info("  Batch size = %d", config.eval_batch_size)
    batches = input_pipeline.eval_batches(
        source, config.eval_batch_size, repeat=True, drop_remainder=True
    ).take(config.max_eval_steps)
    figures = metrics.metrics(
        loop.Forward(model, functools.partial(eval_figures, model))(
            loop.Batches(batches, record_sets.unreadable(source))
        )
    )
    results.write_eval_results(config.output_dir, figures, step)
    return figures


def eval_figures(
    model: PretrainingModel, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns what `tasks.pretraining.metrics.metrics` takes, as tensors."""

    def correct(logits, labels):
        predicted = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return tf.cast(predicted == tf.reshape(labels, [-1]), tf.float32)

    losses = model.losses(outputs, batch)
    return {
        "masked_lm_losses": losses["masked_lm"],
        "masked_lm_weights": model.loss_weights(batch)["masked_lm"].weights,
        "masked_lm_correct": correct(
            outputs["masked_lm_logits"], batch["masked_lm_ids"]
        ),
        "next_sentence_losses": losses["next_sentence"],
        "next_sentence_correct": correct(
            outputs["next_sentence_logits"], batch["next_sentence_labels"]
        ),
    }

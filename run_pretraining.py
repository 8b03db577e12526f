"""Pre-trains BERT: masked language model and next sentence prediction.

Takes the records of create_pretraining_data.py; writes checkpoints, event
files and eval_results.txt to output_dir. See docs/pretraining.md.
"""

import dataclasses
import functools

from absl import flags, logging

from bert.cli import command_line, environment, shared_flags, training_flags
from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.model_folder import task_files

FLAGS = flags.FLAGS

# The length of a record's features is set by these flags.
_LENGTH_FLAGS = {
    "input_ids": "max_seq_length",
    "input_mask": "max_seq_length",
    "segment_ids": "max_seq_length",
    "masked_lm_positions": "max_predictions_per_seq",
    "masked_lm_ids": "max_predictions_per_seq",
    "masked_lm_weights": "max_predictions_per_seq",
}


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_model_flags(flag_values)
    shared_flags.define_required_strings(
        flag_values,
        input_file="Record files of create_pretraining_data.py: paths or "
        "glob patterns, separated by commas.",
    )
    flags.DEFINE_integer(
        "shuffle_buffer_size",
        10000,
        "Each record is drawn from this many; 1 keeps the order of the files "
        "(all of them in turn, a record each).",
        lower_bound=1,
        upper_bound=10**7,
        flag_values=flag_values,
    )
    shared_flags.define_max_seq_length(
        flag_values, 128, "Length of the records' sequences.", lower_bound=1
    )
    shared_flags.define_eval_batch_size(flag_values, upper_bound=None)
    for name, default, text in (
        ("max_predictions_per_seq", 20, "Masked positions of a record."),
        ("num_train_steps", 100000, "The step at which training ends."),
        ("max_eval_steps", 100, "Batches of an evaluation."),
    ):
        flags.DEFINE_integer(
            name, default, text, lower_bound=1, flag_values=flag_values
        )
    flags.DEFINE_integer(
        "num_warmup_steps",
        10000,
        "Steps in which the learning rate rises from 0.",
        lower_bound=0,
        flag_values=flag_values,
    )
    shared_flags.define_phases(flag_values, "do_train", "do_eval")
    training_flags.define_training_flags(flag_values)
    training_flags.define_export_flags(flag_values)
    shared_flags.define_device_flags(flag_values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """The values of a run's flags, by their names; checked together."""

    input_file: str
    max_predictions_per_seq: int
    eval_batch_size: int
    num_train_steps: int
    num_warmup_steps: int
    max_eval_steps: int
    shuffle_buffer_size: int

    def __post_init__(self):
        if not (self.do_train or self.do_eval or self.do_export):
            raise UserError(
                "At least one of --do_train, --do_eval and --do_export must be "
                "true; none is."
            )
        if self.max_predictions_per_seq > self.max_seq_length:
            raise UserError(
                "--max_predictions_per_seq is larger than --max_seq_length. "
                f"Received: {self.max_predictions_per_seq} and "
                f"{self.max_seq_length}."
            )


def main() -> None:
    """Flags → records and model → training → evaluation."""
    environment.prepare()
    pretrain(Config.from_flags(FLAGS))


def pretrain(config: Config) -> None:
    """Checks what the run needs, then trains, then evaluates.

    Raises:
        UserError: a file, a record or a checkpoint is not what it must be.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.data.records import record_files
    from bert.model_folder import locate
    from bert.modeling import BertConfig
    from bert.serving import export
    from bert.training import resume, strategy

    # First of all: some strategies must be made before any operation runs.
    chosen = strategy.create(config)
    locate.check_checkpoints(
        config.output_dir, config.init_checkpoint, config.do_train
    )
    if config.do_export:
        export.check_run(config)
    bert_config = BertConfig.from_json_file(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    source = record_source(config, bert_config)
    record_files.check_records(source)
    if config.do_train:
        task_files.check(config.output_dir, config.bert_config_file, None)
    with strategy.worker_barrier(chosen):
        with chosen.scope():
            if strategy.is_chief():
                resume.prepare_output_dir(config.output_dir)
            if config.do_train:
                train(config, bert_config, source)
            is_chief = strategy.is_chief()
            if config.do_eval:
                evaluate(config, bert_config, source)
        if config.do_export and is_chief:
            export.export_run(config, task_of(config))


def task_of(config: Config) -> task_files.Task:
    """Returns what the model is for, as it is kept with its checkpoints."""
    return task_files.Task(
        task="pretraining",
        do_lower_case=None,  # of the records' text; they do not say it
        max_seq_length=config.max_seq_length,
    )


def record_source(config: Config, bert_config):
    """Returns the run's records and what must hold for them."""
    from bert.data.records import fields, record_files
    from bert.files import flag_paths

    files = flag_paths.matching_files(config.input_file, "input_file")
    logging.info("*** Input Files ***")
    for name in files:
        logging.info("  %s", name)
    return record_files.RecordSource(
        files=files,
        fields=fields.pretraining_fields(
            config.max_seq_length, config.max_predictions_per_seq
        ),
        limits={
            "input_ids": bert_config.vocab_size,
            "segment_ids": bert_config.type_vocab_size,
            "masked_lm_ids": bert_config.vocab_size,
            "masked_lm_positions": config.max_seq_length,
            "next_sentence_labels": 2,
        },
        flags=_LENGTH_FLAGS,
    )


def train(config: Config, bert_config, source) -> None:
    """Trains from where output_dir's run stands to num_train_steps."""
    from bert.data.records import input_pipeline
    from bert.modeling.heads import PretrainingModel
    from bert.training import run

    logging.info("***** Running training *****")
    logging.info("  Batch size = %d", config.train_batch_size)
    logging.info("  Num steps = %d", config.num_train_steps)
    run.train(
        config,
        run.Length(config.num_train_steps, config.num_warmup_steps),
        lambda seed: PretrainingModel(
            bert_config,
            compute_dtype=config.compute_dtype,
            init_seed=seed,
        ),
        lambda state, context: input_pipeline.train_batches(
            source,
            config.train_batch_size,
            seed=state.seed,
            shuffle_buffer_size=config.shuffle_buffer_size,
            examples_seen=state.examples_seen,
            context=context,
        ),
        unreadable(source),
        on_loaded=lambda: task_files.write(
            config.output_dir, task_of(config), config.bert_config_file, None
        ),
    )


def evaluate(config: Config, bert_config, source) -> None:
    """Evaluates output_dir's newest checkpoint, else init_checkpoint."""
    from bert.data.records import input_pipeline
    from bert.model_folder import locate
    from bert.modeling.heads import PretrainingModel
    from bert.tasks.pretraining import metrics
    from bert.training import loop, results, run, strategy

    # Made by all workers: TensorFlow sends them the chief's start weights.
    model = PretrainingModel(bert_config, compute_dtype=config.compute_dtype)
    trained = locate.trained_checkpoint(config.output_dir)
    step = run.load_trained(model, trained, config.init_checkpoint)
    if not strategy.is_chief():
        return
    logging.info("***** Running evaluation *****")
    logging.info("  Batch size = %d", config.eval_batch_size)
    batches = input_pipeline.eval_batches(
        source, config.eval_batch_size, repeat=True, drop_remainder=True
    ).take(config.max_eval_steps)
    figures = metrics.metrics(
        loop.Forward(model, functools.partial(eval_figures, model))(
            loop.Batches(batches, unreadable(source))
        )
    )
    results.write_eval_results(config.output_dir, figures, step)


def unreadable(source):
    """Returns what the loop says of a record that cannot be read."""
    from bert.data.records import record_files
    from bert.training import loop

    return loop.Unreadable(
        record_files.READ_ERRORS,
        functools.partial(record_files.explain, source),
    )


def eval_figures(model, outputs, batch):
    """Returns what `tasks.pretraining.metrics.metrics` takes, as tensors."""
    import tensorflow as tf

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


if __name__ == "__main__":
    command_line.run(main, define_flags)

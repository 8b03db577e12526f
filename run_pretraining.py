"""Pre-trains BERT: masked language model and next sentence prediction.

Takes the records of create_pretraining_data.py; writes checkpoints, event
files and eval_results.txt to output_dir. See docs/pretraining.md.
"""

from absl import flags, logging

from bert.cli import command_line, shared_flags, training_flags
from bert.compat import names
from bert.files import atomic_files
from bert.tasks.pretraining.config import Config


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_model_flags(flag_values)
    shared_flags.define_required_strings(
        flag_values,
        input_file="Record files of create_pretraining_data.py: paths or "
        "glob patterns, separated by commas.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        upper_bound=10**7,
        shuffle_buffer_size=(
            10000,
            "Each record is drawn from this many; 1 keeps the order of the "
            "files (all of them in turn, a record each).",
        ),
    )
    shared_flags.define_max_seq_length(
        flag_values, 128, "Length of the records' sequences.", lower_bound=1
    )
    shared_flags.define_batch_sizes(
        flag_values, "eval_batch_size", upper_bound=None
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        max_predictions_per_seq=(20, "Masked positions of a record."),
        num_train_steps=(100000, "The step at which training ends."),
        max_eval_steps=(100, "Batches of an evaluation."),
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        num_warmup_steps=(
            10000,
            "Steps in which the learning rate rises from 0.",
        ),
    )
    shared_flags.define_phases(flag_values, "do_train", "do_eval")
    training_flags.define_training_flags(flag_values)
    training_flags.define_export_flags(flag_values)
    shared_flags.define_device_flags(flag_values)


FLAGS = command_line.flags_of(define_flags)
__getattr__ = names.attributes_of("run_pretraining")


def pretrain(config: Config) -> None:
    """Records and model → training → evaluation.

    Raises:
        UserError: a file, a record or a checkpoint is not what it must be.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.data.records import record_files
    from bert.modeling.config import read_config
    from bert.serving import export
    from bert.tasks import changed_config, reports, resuming, run_weights
    from bert.tasks.pretraining import training
    from bert.training import strategy
    from bert.training.diary import Diary

    config = changed_config.applied(config)
    # First of all: some strategies must be made before any operation runs.
    chosen = strategy.create(config)
    start = run_weights.start(config)
    if config.do_export:
        export.check_run(config)
    bert_config = read_config(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    source = training.record_source(config, bert_config)
    record_files.check_records(source)
    if config.do_train:
        resuming.check(config, training.task_of(config))
    with (
        atomic_files.leaving_no_folder(config.output_dir),
        strategy.worker_barrier(chosen),
    ):
        with chosen.scope():
            training.check_model(config, bert_config, start)
            is_chief = strategy.is_chief()
        written = ["eval_results.txt", *reports.FILES]
        with (
            resuming.alone(config, written, is_chief),
            Diary(
                *(config, lambda: [("input", f, None) for f in source.files]),
                *(chosen, is_chief),
            ) as diary,
        ):
            nothing = None
            with chosen.scope():
                if config.do_train:
                    nothing = training.train(config, bert_config, source)
                if config.do_eval:
                    diary.figures.update(
                        training.evaluate(config, bert_config, source)
                    )
            if config.do_export and is_chief:
                export.export_run(config, training.task_of(config))
    if nothing and (config.do_eval or config.do_export):
        logging.warning("%s", nothing)  # once more, as the last line


def main(_: object = None) -> None:
    """Flags → records and model → training → evaluation."""
    pretrain(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

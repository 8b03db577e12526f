"""Pre-trains BERT: masked language model and next sentence prediction.

Takes the records of create_pretraining_data.py; writes checkpoints, event
files and eval_results.txt to output_dir. See docs/pretraining.md.
"""

from absl import flags, logging

from bert.cli import (
    command_line,
    pretraining_flags,
    shared_flags,
    training_flags,
)
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
    shared_flags.define_strings(
        flag_values,
        eval_file="Record files to evaluate on, as input_file. Default: those "
        "of input_file.",
    )
    shared_flags.define_strings(
        flag_values,
        vocab_file="The vocabulary that the records were made with; it is "
        "kept in output_dir. Default: what the note beside the records says.",
    )
    shared_flags.define_do_lower_case(
        flag_values,
        default=None,
        text="Whether the records' text is lower-cased; task.json in "
        "output_dir keeps it. Default: what their note says.",
    )
    shared_flags.define_next_sentence(
        flag_values,
        None,
        "The second task, which the records are made for; none: masked words "
        "are all that is trained, of any records. Default: what their note "
        "says, else nsp.",
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
    pretraining_flags.define_mask_flags(
        flag_values,
        has_defaults=False,
        masking="static: the masks of the records. dynamic: others each time "
        "that a record is trained on.",
        pack_sequences="Train on rows of several texts, which do not see one "
        "another, instead of padding.",
    )
    shared_flags.define_phases(flag_values, "do_train", "do_eval")
    training_flags.define_training_flags(flag_values)
    training_flags.define_teacher_flags(
        flag_values,
        "A pre-trained model of the same vocabulary, from whose words for "
        "masked positions the model learns, too.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        distill_top_k=(
            32,
            "The teacher's likeliest words that are learned; 0: none.",
        ),
        relation_heads=(
            0,
            "Learn how the teacher relates tokens, in this many heads, which "
            "divide the width of both: 48, 64; 0: do not.",
        ),
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        teacher_layer="The teacher's layer whose relations are learned, from "
        "1. Default: the last; of more than 12 layers the one at 7/8.",
    )
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
    from bert.modeling.config import read_config
    from bert.serving import export_place
    from bert.tasks import (
        changed_config,
        outputs,
        reports,
        resuming,
        run_weights,
    )
    from bert.tasks.pretraining import inputs, origin, teacher

    config = changed_config.applied(config)
    start = run_weights.start(config)
    written = ["eval_results.txt", *reports.FILES]
    if config.do_export:
        export_place.check_run(config, written)
    bert_config = read_config(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    files = inputs.record_files(config)
    config = origin.completed(config, bert_config, files, start)
    teachers = teacher.find(config, bert_config)
    if config.do_train:
        resuming.check(config, inputs.task_of(config))
    # All above needs no TensorFlow, or hardly ever.
    from bert.data.records import record_files
    from bert.serving import export
    from bert.tasks.pretraining import training, watching
    from bert.training import strategy
    from bert.training.diary import Diary

    # First of all: some strategies must be made before any operation runs.
    chosen = strategy.create(config)
    taught_by = (
        teacher.make(teachers, config, bert_config) if teachers else None
    )
    source = training.record_source(
        config, bert_config, files, is_trained=config.do_train
    )
    record_files.check_records(source)
    evaluated = training.evaluated_source(config, bert_config, source)
    data = [("input", f, None) for f in source.files]
    if evaluated is not source:
        data += [("eval", f, None) for f in evaluated.files]
    read = [config.bert_config_file, config.vocab_file, *evaluated.files]
    outputs.check(config, written, [*read, *source.files])
    with (
        atomic_files.leaving_no_folder(config.output_dir),
        strategy.worker_barrier(chosen),
    ):
        with chosen.scope():
            training.check_model(config, bert_config, start)
            is_chief = strategy.is_chief()
        with (
            resuming.alone(config, written, is_chief),
            Diary(config, lambda: data, chosen, is_chief) as diary,
        ):
            nothing = None
            with chosen.scope():
                watch = watching.begin(config, source, evaluated)
                if config.do_train:
                    nothing = training.train(
                        config, bert_config, source, watch, taught_by
                    )
                if config.do_eval:
                    diary.figures.update(
                        training.evaluate(config, bert_config, watch)
                    )
            if config.do_export and is_chief:
                export.export_run(
                    config, inputs.task_of(config), config.vocab_file
                )
    if nothing and (config.do_eval or config.do_export):
        logging.warning("%s", nothing)  # once more, as the last line


def main(_: object = None) -> None:
    """Flags → records and model → training → evaluation."""
    pretrain(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

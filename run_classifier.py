"""Fine-tunes BERT to classify texts or pairs of texts, and to score them.

The tasks of the original and of GLUE, one's own tsv, csv and jsonl files, and
tasks that Python code adds to `processors`. See docs/classification.md.
"""

from absl import flags

from bert.cli import command_line, shared_flags, table_flags, training_flags
from bert.compat import names
from bert.data.records import long_texts
from bert.tasks.classification.config import Config, processors
from bert.tasks.classification.processors import (  # noqa: F401 (people import them from here)
    ColaProcessor,
    DataProcessor,
    InputExample,
    MnliProcessor,
    MrpcProcessor,
    XnliProcessor,
)
from bert.tasks.classification.table_settings import FORMATS


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=128)
    shared_flags.define_strings(
        flag_values, data_dir="Folder of the task's files."
    )
    shared_flags.define_strings(flag_values, task_name=_task_names())
    table_flags.define_table_flags(flag_values)
    table_flags.require_task_name(flag_values)
    table_flags.define_result_flags(flag_values)
    _define_long_text_flags(flag_values)
    training_flags.define_lm_loss_weight(flag_values)
    flags.DEFINE_enum(
        "language",
        None,
        XnliProcessor.languages,
        "Of xnli: the language of its texts. Default: zh.",
        flag_values=flag_values,
    )
    flags.register_validator(
        "data_dir",
        lambda value: bool(
            value or _has_own_files(flag_values["task_name"].value, flag_values)
        ),
        "must be given",
        flag_values,
    )
    table_flags.define_split_flags(flag_values)
    shared_flags.define_batch_sizes(flag_values, "eval_batch_size")


def _define_long_text_flags(flag_values: flags.FlagValues) -> None:
    """Defines what is read of texts longer than max_seq_length."""
    flags.DEFINE_enum(
        "truncation",
        "end",
        long_texts.TRUNCATIONS,
        "What is cut off of a text that is too long: its end, its start or its "
        "middle (a quarter is kept from the start). windows: nothing; it is "
        "read in several sequences. Pairs lose the longer one's end always.",
        flag_values=flag_values,
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        upper_bound=10**4,
        doc_stride="Of windows: word pieces from the start of one to that of "
        "the next. Default: half of max_seq_length.",
        max_windows="Of windows: how many of a text are read. Default: 16.",
    )
    flags.DEFINE_enum(
        "window_pooling",
        None,
        long_texts.WINDOW_POOLINGS,
        "Of windows: how a text's logits come from theirs. Default: mean.",
        flag_values=flag_values,
    )


def _has_own_files(
    task_name: str | None, flag_values: flags.FlagValues
) -> bool:
    if task_name is None:
        return table_flags.has_files(flag_values)
    return task_name.lower() in FORMATS


def _task_names() -> str:
    return (
        f"{', '.join(processors)}; or, for files of one's own, "
        f"{', '.join(FORMATS)}. Default: what the files' endings say."
    )


FLAGS = command_line.flags_of(define_flags)
__getattr__ = names.attributes_of("run_classifier")


def run() -> None:
    """Runs the script; for code that has added to `processors`."""
    FLAGS["task_name"].help = _task_names()
    command_line.run(main, FLAGS)


def main(_: object = None) -> None:
    """Flags → examples → records and model → training → results."""
    classify(Config.from_flags(FLAGS))


def classify(config: Config) -> None:
    """Examples → records and model → training → results.

    Raises:
        UserError: a file, a row or a checkpoint is not what it must be.
    """
    # Imported here: --help needs none of it.
    from bert.tasks import finetune
    from bert.tasks.classification.finetuning import Classification

    finetune.run(Classification(config))


if __name__ == "__main__":
    run()

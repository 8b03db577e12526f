"""Fine-tunes BERT to choose one of several texts: SWAG, RACE, own questions.

Takes csv, tsv and jsonl files; writes checkpoints, eval_results.txt and
predictions to output_dir. See docs/multiple_choice.md.
"""

from absl import flags

from bert.cli import command_line, shared_flags, table_flags, training_flags
from bert.tasks import finetune
from bert.tasks.multiple_choice.config import Config
from bert.tasks.multiple_choice.examples import FILES
from bert.tasks.multiple_choice.finetuning import MultipleChoice


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=128)
    shared_flags.define_strings(
        flag_values,
        data_dir="Folder of the task's files: train.csv (.tsv, .jsonl), dev… "
        "(of swag: val.csv) and test….",
    )
    shared_flags.define_strings(
        flag_values,
        task_name=f"{', '.join(FILES)}. Default: what the files' endings say.",
    )
    table_flags.define_set_flags(
        flag_values, ".csv (.tsv, .jsonl)", has_labels=False
    )
    table_flags.require_task_name(flag_values)
    table_flags.define_text_flags(flag_values)
    shared_flags.define_strings(
        flag_values,
        choice_columns="Own data: columns of the choices, separated by commas; "
        "in jsonl also one key that holds a list.",
    )
    table_flags.define_split_flags(flag_values)
    shared_flags.define_batch_sizes(flag_values, "eval_batch_size")


FLAGS = command_line.flags_of(define_flags)


def main(_: object = None) -> None:
    """Flags → questions → records → training → evaluation → prediction."""
    finetune.run(MultipleChoice(Config.from_flags(FLAGS)))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

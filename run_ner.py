"""Fine-tunes BERT to label words: named entities, parts of speech.

Takes CoNLL files; writes checkpoints, eval_results.txt and predictions to
output_dir. See docs/ner.md.
"""

from typing import TYPE_CHECKING

from absl import flags

from bert.cli import command_line, shared_flags, table_flags, training_flags

if TYPE_CHECKING:
    from bert.tasks.tagging.config import Config


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=128)
    shared_flags.define_strings(
        flag_values, data_dir="Folder with train.txt, dev.txt and test.txt."
    )
    table_flags.define_set_flags(flag_values, ".txt")
    shared_flags.define_integers(
        flag_values,
        token_column=(0, "Column of the words, from 0; -1 is the last."),
        label_column=(-1, "Column of the labels, from 0; -1 is the last."),
    )
    table_flags.define_split_flags(flag_values)
    shared_flags.define_batch_sizes(flag_values, "eval_batch_size")


FLAGS = command_line.flags_of(define_flags)


def config_from_flags(flag_values: flags.FlagValues) -> "Config":
    """Returns the values of the flags, checked."""
    # Imported here: --help needs none of it.
    from bert.tasks.tagging.config import Config

    return Config.from_flags(flag_values)


def main(_: object = None) -> None:
    """Flags → sentences → records → training → evaluation → prediction."""
    # Imported here: --help needs none of it.
    from bert.tasks import finetune
    from bert.tasks.tagging.finetuning import Tagging

    finetune.run(Tagging(config_from_flags(FLAGS)))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

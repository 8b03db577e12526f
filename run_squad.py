"""Fine-tunes BERT to find the answer to a question in a paragraph (SQuAD).

Takes SQuAD's JSON files, v1.1 or v2.0; writes checkpoints, predictions and
eval_results.txt to output_dir. See docs/squad.md.
"""

from typing import TYPE_CHECKING

from absl import flags

from bert.cli import command_line, shared_flags, training_flags
from bert.compat import names
from bert.tasks import spec

if TYPE_CHECKING:
    from bert.tasks.squad.config import Config


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=384)
    shared_flags.define_strings(
        flag_values,
        train_file="SQuAD JSON file to train on.",
        predict_file="SQuAD JSON file to answer (--do_predict, --do_eval) and "
        "to evaluate while training (--eval_steps).",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        doc_stride=(
            128,
            "Word pieces from the start of a window over a long paragraph to "
            "that of the next.",
        ),
        max_query_length=(64, "Word pieces of a question that are kept."),
        n_best_size=(20, "Answers to keep in nbest_predictions.json."),
        max_answer_length=(30, "Word pieces of an answer at most."),
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        upper_bound=1000,
        num_workers=(
            1,
            "Processes that make the records, which are the same for any "
            "number.",
        ),
    )
    shared_flags.define_bools(
        flag_values,
        verbose_logging="Whether to log the answers that are not found in the "
        "text.",
        version_2_with_negative="Whether questions may have no answer (SQuAD "
        "v2.0).",
        cut_padding="Train on windows of like length, cut to the longest of "
        "their batch: less work. The loss is then over their tokens alone; in "
        "the original it is over padding, too. On a TPU nothing is cut.",
    )
    flags.DEFINE_string(
        "null_score_diff_threshold",
        "0.0",
        "No answer is given where null_odds are above this; auto: the number "
        "that gives the best F1 on predict_file.",
        flag_values=flag_values,
    )
    for name, values, text in (
        (
            "answer_offsets",
            spec.find("squad").choices["answer_offsets"],
            "What answers are counted in. words: split at spaces, as in the "
            "original. characters: for scripts without spaces, words with "
            "endings, and all others; a model is trained and used with the "
            "same.",
        ),
        (
            "f1_by",
            ("words", "characters", "auto"),
            "What F1 counts. words: the official figure. auto: characters of "
            "Han, kana, Thai, Lao, Khmer and Myanmar, words of the rest.",
        ),
        (
            "train_on_answer",
            ("error", "first", "longest"),
            "Which of a question's several answers is learned. error: each "
            "must have exactly one.",
        ),
    ):
        flags.DEFINE_enum(
            name, values[0], values, text, flag_values=flag_values
        )


FLAGS = command_line.flags_of(define_flags)
__getattr__ = names.attributes_of("run_squad")


def read_squad_examples(input_file, is_training):
    """The original's; see `compat.squad`."""
    from bert.compat import squad

    return squad.read_squad_examples(
        input_file, is_training, FLAGS.version_2_with_negative
    )


def get_final_text(pred_text, orig_text, do_lower_case):
    """The original's; see `tasks.squad.final_text`."""
    from bert.tasks.squad import final_text

    return final_text.get_final_text(
        pred_text, orig_text, do_lower_case, FLAGS.verbose_logging
    )


def write_predictions(
    all_examples,
    all_features,
    all_results,
    n_best_size,
    max_answer_length,
    do_lower_case,
    output_prediction_file,
    output_nbest_file,
    output_null_log_odds_file,
):
    """The original's; see `compat.squad`."""
    from bert.compat import squad

    has_null = FLAGS.version_2_with_negative
    squad.write_predictions(
        all_examples,
        all_features,
        all_results,
        squad.AnswerSettings(
            n_best_size,
            max_answer_length,
            do_lower_case,
            has_null,
            FLAGS.verbose_logging,
        ),
        squad.Paths(
            output_prediction_file,
            output_nbest_file,
            output_null_log_odds_file if has_null else None,
        ),
        float(FLAGS.null_score_diff_threshold),
    )


def validate_flags_or_throw(bert_config):
    """The original's: raises UserError where flags cannot be used."""
    from bert.data.text import case_check

    case_check.validate_case_matches_checkpoint(
        FLAGS.do_lower_case, FLAGS.init_checkpoint
    )
    config = config_from_flags(FLAGS)
    bert_config.check_sequence_length(config.max_seq_length)


def config_from_flags(flag_values: flags.FlagValues) -> "Config":
    """Returns the values of the flags, checked."""
    # Imported here: --help needs none of it.
    from bert.tasks.squad.config import Config

    return Config.from_flags(flag_values)


def main(_: object = None) -> None:
    """Flags → questions → windows → training → answers → evaluation."""
    # Imported here: --help needs none of it.
    from bert.tasks import finetune
    from bert.tasks.squad.finetuning import Squad

    finetune.run(Squad(config_from_flags(FLAGS)))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

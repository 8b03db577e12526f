"""Flags of both scripts of pre-training, each defined once.

Imports without TensorFlow.
"""

from absl import flags

from bert.cli import shared_flags
from bert.tasks import spec

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()


def define_mask_flags(
    flag_values: flags.FlagValues,
    *,
    has_defaults: bool,
    masking: str,
    pack_sequences: str,
) -> None:
    """Defines what is masked, and when, and --pack_sequences.

    Args:
        flag_values: where to.
        has_defaults: whether records are made; else a flag that is not given
            is as it was when they were.
        masking: says what --masking is.
        pack_sequences: says what --pack_sequences is.
    """
    given = "" if has_defaults else " With dynamic masks; default: as noted."
    flags.DEFINE_float(
        "masked_lm_prob",
        0.15 if has_defaults else None,
        "Share of a sequence's tokens to mask." + given,
        flag_values=flag_values,
    )
    shared_flags.define_bools(
        flag_values,
        default=False if has_defaults else None,
        do_whole_word_mask="Whether to mask all pieces of a word or none, "
        "instead of each piece by itself." + given,
    )
    shared_flags.define_integers(
        flag_values,
        max_ngram=(
            1 if has_defaults else None,
            "Words (pieces, without do_whole_word_mask) in a row that are "
            "masked together, at most; n of them with a probability of 1/n."
            + given,
        ),
    )
    flags.DEFINE_enum(
        "masking", "static", spec.MASKING, masking, flag_values=flag_values
    )
    shared_flags.define_bools(flag_values, pack_sequences=pack_sequences)

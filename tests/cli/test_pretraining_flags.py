import pytest
from absl import flags

from bert.cli import pretraining_flags


@pytest.mark.parametrize(
    ("has_defaults", "values"),
    [(True, [0.15, False, 1]), (False, [None, None, None])],
)
def test_what_is_not_given_is_known_where_records_are_made(
    has_defaults, values
):
    found = flags.FlagValues()
    pretraining_flags.define_mask_flags(
        found, has_defaults=has_defaults, masking="", pack_sequences=""
    )
    found(["test"])
    names = ("masked_lm_prob", "do_whole_word_mask", "max_ngram")
    assert [found[name].value for name in names] == values
    assert (found.masking, found.pack_sequences) == ("static", False)

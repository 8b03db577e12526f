"""Flags that are defined once, with the defaults of each script."""

import pytest
from absl import flags

from bert.cli import shared_flags


def parsed(values, *args):
    values(["script.py", *args])
    return values


def test_empty_value_is_as_missing():
    values = flags.FlagValues()
    shared_flags.define_required_strings(values, out="Text.")
    for args in ([], ["--out="]):
        with pytest.raises(flags.Error, match=r"--out=.*: must be given"):
            parsed(values, *args)
    assert parsed(values, "--out=a").out == "a"


def test_strings_have_no_default_and_their_text():
    values = flags.FlagValues()
    shared_flags.define_strings(values, a="Of a.", b="Of b.")
    assert parsed(values).flag_values_dict() == {"a": None, "b": None}
    assert values["b"].help == "Of b."


@pytest.mark.parametrize("lower_bound", [1, 3])
def test_max_seq_length_has_the_scripts_bound(lower_bound):
    values = flags.FlagValues()
    shared_flags.define_max_seq_length(
        values, 128, "Longest.", lower_bound=lower_bound
    )
    assert parsed(values).max_seq_length == 128
    assert parsed(values, f"--max_seq_length={lower_bound}")
    with pytest.raises(flags.IllegalFlagValueError):
        parsed(values, f"--max_seq_length={lower_bound - 1}")


def test_batch_sizes_are_positive_and_bounded():
    values = flags.FlagValues()
    shared_flags.define_batch_sizes(values, "batch_size")
    shared_flags.define_batch_sizes(values, "eval_batch_size", upper_bound=None)
    assert (parsed(values).batch_size, values.eval_batch_size) == (32, 8)
    assert parsed(values, "--eval_batch_size=1000001")
    for wrong in ("--batch_size=1000001", "--batch_size=0"):
        with pytest.raises(flags.IllegalFlagValueError):
            parsed(values, wrong)


def test_phases_are_off_by_default():
    values = flags.FlagValues()
    shared_flags.define_phases(values, "do_train", "do_eval")
    assert parsed(values, "--do_eval").flag_values_dict() == {
        "do_train": False,
        "do_eval": True,
    }


def test_do_lower_case_has_its_old_name():
    values = flags.FlagValues()
    shared_flags.define_do_lower_case(values)
    assert parsed(values).do_lower_case is True
    assert parsed(values, "--do_lower=False").do_lower_case is False

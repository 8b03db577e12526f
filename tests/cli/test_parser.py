"""Known flags, unknown ones, and words that belong to none."""

import pytest
from absl import flags, logging

from bert.cli import parser, shared_flags, training_flags
from bert.errors import UserError


@pytest.fixture
def values():
    found = flags.FlagValues()
    shared_flags.define_do_lower_case(found)
    training_flags.define_training_flags(found)
    shared_flags.define_required_strings(found, input_file="The input.")
    flags.DEFINE_float("share", 0.0, "A part.", 0, 1, flag_values=found)
    flags.DEFINE_integer("verbosity", -1, "As absl's.", flag_values=found)
    return found


def test_known_flags_get_their_values(values):
    args = ["--input_file=a", "--train_batch_size=4", "--nodo_lower_case"]
    assert parser.parse(values, ["script.py", *args]) == ["script.py"]
    assert values.input_file == "a"
    assert values.train_batch_size == 4
    assert values.do_lower_case is False


def test_unknown_flags_warn_with_the_nearest_and_do_not_stop(values, capsys):
    args = ["--train_batch_sise=4", "--input_file=a", "--zzz", "a", "--qq=1"]
    parser.parse(values, ["script.py", *args])
    assert (values.input_file, values.train_batch_size) == ("a", 32)
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "warning: unknown flag --train_batch_sise is ignored; did you mean "
        "--train_batch_size?",
        "warning: unknown flag --zzz is ignored",
        "warning: unknown flag --qq is ignored",
    ]
    assert said.out == ""


def test_a_script_may_refuse_some_unknown_flags(values, capsys):
    def check_unknown(name):
        if name == "qq":
            raise UserError(f"no --{name} here.")

    args = ["--input_file=a", "--zz", "--qq=1", "--input_file=--qq"]
    with pytest.raises(SystemExit):
        parser.parse(values, ["script.py", *args], check_unknown=check_unknown)
    assert capsys.readouterr().err.splitlines() == [
        "warning: unknown flag --zz is ignored",
        "error: no --qq here. (--help shows all flags)",
    ]


@pytest.mark.parametrize(
    "flag", ["--do_lower=False", "--do_lower_case=false", "--nodo_lower_case"]
)
def test_do_lower_is_do_lower_case(values, flag):
    parser.parse(values, ["script.py", "--input_file=a", flag])
    assert values.do_lower_case is False


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "required flags are missing: --input_file"),
        (["--input_file=a", "--train_batch_size=0"], "--train_batch_size=0"),
        (["--input_file="], "required flags are missing: --input_file"),
        (["--input_file=a", "--learning_rate=nan"], "--learning_rate=nan"),
        (["--input_file=a", "--share=nan"], "--share=nan must be a number"),
        (["--input_file=a", "b", "--learning_rate=1"], "separated by commas"),
        (["--input_file=a", "--train_batch_size=x"], "--train_batch_size=x"),
        (
            ["--input_file=a", "--do_lower_case", "false"],
            "write --do_lower_case=false",
        ),
        (["train", "--input_file=a"], "Received: 'train'."),
    ],
)
def test_a_bad_command_line_is_one_line(values, args, message, capsys):
    with pytest.raises(SystemExit) as ended:
        parser.parse(values, ["script.py", *args])
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize(
    ("args", "level"),
    [([], logging.INFO), (["--verbosity=-1"], logging.ERROR)],
)
def test_info_lines_are_shown_unless_asked_otherwise(values, args, level):
    logging.set_verbosity(logging.ERROR)
    parser.parse(values, ["script.py", "--input_file=a", *args])
    assert logging.get_verbosity() == level


def test_words_stand_among_flags_where_they_are_taken(values):
    args = ["a", "--input_file=x", "b", "--train_batch_size", "4", "c"]
    found = parser.parse(values, ["script.py", *args], takes_words=True)
    assert found == ["script.py", "a", "b", "c"]
    assert (values.input_file, values.train_batch_size) == ("x", 4)


def test_what_stands_behind_two_dashes_is_left_as_it_is(values, capsys):
    behind = ["--", "--train_batch_size=5", "--zzz", "d", "--", "--help"]
    args = ["a", "--input_file=x", *behind]
    found = parser.parse(values, ["script.py", *args], takes_words=True)
    assert found == ["script.py", "a", *behind]
    assert values.train_batch_size == 32
    assert capsys.readouterr().err == ""

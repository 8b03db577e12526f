"""A script from its command line to its exit code, as a user meets it."""

import subprocess
import sys
from pathlib import Path

import pytest

from bert.cli import command_line
from bert.errors import UserError

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys
from absl import flags, logging
from bert.cli import command_line, shared_flags, training_flags
from bert.errors import UserError

def define(fv):
    shared_flags.define_do_lower_case(fv)
    training_flags.define_training_flags(fv)
    flags.DEFINE_string("input_file", None, "The input.", flag_values=fv)
    shared_flags.required(fv, "input_file")

F = command_line.flags_of(define)

def work():
    print(F.input_file, F.do_lower_case, F.train_batch_size)
    logging.info("working")
    {body}

command_line.run(work, F, lambda: None)
"""


def run(*args, body="pass"):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("{body}", body), *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_unknown_flags_warn_and_do_not_stop():
    done = run("--train_batch_sise=4", "--input_file=a", "--zzz", "a", "--qq=1")
    assert done.returncode == 0
    assert done.stdout == "a True 32\n"
    assert done.stderr.count("is ignored") == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "required flags are missing: --input_file"),
        (["train", "--input_file=a"], "Received: 'train'."),
    ],
)
def test_a_bad_command_line_is_one_line_and_exit_code_1(args, message):
    done = run(*args)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_users_mistake_is_one_line_and_exit_code_1():
    done = run("--input_file=a", body="raise UserError('two\\nlines')")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: two lines"
    assert "Traceback" not in done.stderr


def test_our_own_mistake_keeps_its_stack_trace():
    done = run("--input_file=a", body="raise KeyError('bug')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_info_lines_are_shown_unless_asked_otherwise():
    assert "working" in run("--input_file=a").stderr
    assert "working" not in run("--input_file=a", "--verbosity=-1").stderr


def test_help_shows_the_shared_flags():
    done = run("--help")
    assert "--train_batch_size" in done.stdout
    assert "--[no]do_lower_case" in done.stdout


@pytest.mark.parametrize("reads", [False, True])
def test_help_may_be_cut_off(reads):
    help_of = [sys.executable, str(ROOT / "run_squad.py"), "--help"]
    pipe = subprocess.PIPE
    with subprocess.Popen(help_of, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        if reads:  # as head does
            assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_flags_of_several_scripts_live_in_one_process():
    from bert import run_classifier, run_squad

    assert run_squad.FLAGS.max_seq_length == 384  # before anything is parsed
    assert run_classifier.FLAGS.max_seq_length == 128
    flag_values = command_line.flags_of(run_squad.define_flags)
    flag_values.n_best_size = 7
    assert flag_values.n_best_size == 7
    assert run_squad.FLAGS.n_best_size == 20


def test_main_takes_the_argument_that_tf_app_gave(monkeypatch):
    from bert import run_squad

    monkeypatch.setattr(run_squad.FLAGS["output_dir"], "_value", "/x")
    with pytest.raises(UserError, match="At least one of --do_train"):
        run_squad.main(["run_squad.py"])


def test_a_command_line_of_another_script_is_read(capsys):
    from bert import run_pretraining

    words = [
        *("--bert_config_file=c", "--output_dir=o", "--input_file=i"),
        *("--verbosity=-1", "--alsologtostderr", "--zzz"),
    ]
    for quiet in (False, True):
        found = command_line.read(run_pretraining.define_flags, words, quiet)
        assert found.output_dir == "o"
        assert ("unknown flag --zzz" in capsys.readouterr().err) is not quiet
    assert run_pretraining.FLAGS.output_dir is None
    with pytest.raises(UserError, match="missing: --bert_config_file, --out"):
        command_line.read(run_pretraining.define_flags, [])
    with pytest.raises(UserError, match="flag --max_seq_length=0"):
        command_line.read(
            run_pretraining.define_flags, [*words, "--max_seq_length=0"]
        )

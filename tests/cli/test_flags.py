import errno
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys
from absl import flags, logging
from bert.cli import flags as run_flags
from bert.errors import UserError

def define(fv):
    run_flags.define_do_lower_case(fv)
    run_flags.define_training_flags(fv)
    flags.DEFINE_string("input_file", None, "The input.", flag_values=fv)
    run_flags.required(fv, "input_file")

def main():
    F = flags.FLAGS
    print(F.input_file, F.do_lower_case, F.train_batch_size)
    logging.info("working")
    {body}

run_flags.run(main, define)
"""


def run(*args, body="pass"):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("{body}", body), *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_unknown_flags_warn_with_the_nearest_and_do_not_stop():
    done = run("--train_batch_sise=4", "--input_file=a", "--zzz", "a", "--qq=1")
    assert done.returncode == 0
    assert done.stdout == "a True 32\n"
    assert (
        "--train_batch_sise is ignored; did you mean --train_batch_size?"
        in (done.stderr)
    )
    assert "unknown flag --zzz is ignored\n" in done.stderr
    assert "unknown flag --qq is ignored\n" in done.stderr


@pytest.mark.parametrize(
    "flag", ["--do_lower=False", "--do_lower_case=false", "--nodo_lower_case"]
)
def test_do_lower_is_do_lower_case(flag):
    done = run("--input_file=a", flag)
    assert done.stdout == "a False 32\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "required flags are missing: --input_file"),
        (["--input_file=a", "--train_batch_size=0"], "--train_batch_size=0"),
        (["--input_file="], "required flags are missing: --input_file"),
        (["--input_file=a", "--learning_rate=nan"], "--learning_rate=nan"),
        (["--input_file=a", "b", "--learning_rate=1"], "separated by commas"),
        (["--input_file=a", "--train_batch_size=x"], "--train_batch_size=x"),
        (
            ["--input_file=a", "--do_lower_case", "false"],
            "write --do_lower_case=false",
        ),
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


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("raise UserError('two\\nlines')", "error: two lines"),
        ("open('/no/such')", "error: /no/such: No such file or directory"),
        (
            f"raise OSError({errno.ENOSPC}, 'No space left', 'out')",
            "error: out: No space left",
        ),
        (
            "import tensorflow as tf; tf.io.gfile.GFile('/no/such').read()",
            "error: /no/such; No such file or directory",
        ),
    ],
)
def test_the_users_mistake_is_one_line_and_exit_code_1(body, line):
    done = run("--input_file=a", body=body)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == line
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

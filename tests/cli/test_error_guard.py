"""What ends a script with one line, and what with a trace."""

import errno
from pathlib import Path

import pytest
import tensorflow as tf

from bert.cli import error_guard
from bert.errors import UserError


def raising(error):
    def main():
        raise error

    return main


def read_missing():
    tf.io.gfile.GFile("/no/such").read()


def open_missing():
    Path("/no/such").read_text()


@pytest.mark.parametrize(
    ("main", "line"),
    [
        (raising(UserError("two\nlines")), "error: two lines"),
        (open_missing, "error: /no/such: No such file or directory"),
        (
            raising(OSError(errno.ENOSPC, "No space left", "out")),
            "error: out: No space left",
        ),
        (raising(OSError("as told")), "error: as told"),
        (read_missing, "error: /no/such; No such file or directory"),
        (
            raising(
                tf.errors.UnknownError(None, None, "x: No space left on device")
            ),
            "error: x: No space left on device",
        ),
        (
            raising(
                tf.errors.ResourceExhaustedError(
                    None, None, "{{node a}} OOM when allocating a tensor"
                )
            ),
            "error: OOM when allocating a tensor; lower --train_batch_size or "
            "--max_seq_length",
        ),
        (
            raising(UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates")),
            "error: a path or text is not valid UTF-8: '\\udcff'; rename it.",
        ),
    ],
)
def test_what_is_not_our_fault_is_one_line(main, line, capsys):
    assert error_guard.exit_code(main) == 1
    assert capsys.readouterr().err == f"{line}\n"


def test_interrupt_is_130(capsys):
    assert error_guard.exit_code(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_success_is_0_and_silent(capsys):
    assert error_guard.exit_code(lambda: None) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error",
    [
        KeyError("bug"),
        ValueError("bug"),
        tf.errors.InvalidArgumentError(None, None, "bug"),
    ],
)
def test_our_own_mistake_is_raised(error):
    with pytest.raises(type(error)):
        error_guard.exit_code(raising(error))

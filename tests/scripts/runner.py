"""Runs a script as a user does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(script: str, *args: str, check: bool = True, **kwargs):
    """Runs a script of this project and returns the completed process.

    Args:
        script: file name at the top of the tree.
        *args: command line.
        check: whether a failure is the test's failure, with the log shown.
        **kwargs: for subprocess.run.
    """
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        **kwargs,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def error_of(script: str, *args: str) -> str:
    """Returns the line that a script ends with on bad input.

    It must be one line without a stack trace, and the exit code 1.
    """
    done = run(script, *args, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: "), done.stderr
    return line

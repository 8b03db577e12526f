"""A script in a process of its own, which ends when this one is told to.

Imports without TensorFlow.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bert.training.signals import Signals

_ROOT = Path(__file__).parents[2]
_PR_SET_PDEATHSIG = 1  # of prctl(2)
_LOOK_SECONDS = 0.5
_END_BYTES = 2**14


def command(script: str, flags: Sequence[str]) -> list[str]:
    """Returns what starts a script, wherever one is."""
    return [sys.executable, "-P", "-m", "bert", script, *flags]


def run(words: Sequence[str], log: str) -> int:
    """Runs a command to its end; returns its exit code.

    A signal that ends a training goes on to the command, which saves; this
    process then ends as the signal says. Where this one is killed, the command
    gets a SIGTERM (on Linux).

    Args:
        words: the command.
        log: file that its output is added to.

    Raises:
        KeyboardInterrupt: after a SIGINT.
        SystemExit: after a SIGTERM or SIGHUP.
    """
    with open(log, "ab") as file, Signals() as signals:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=_environment(),
            # A terminal's Ctrl-C would reach it a second time, which means:
            # at once.
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        try:
            _wait(process, signals)
        except BaseException:
            process.send_signal(signal.SIGINT)  # a second Ctrl-C
            process.wait()
            raise
    if signals.received == signal.SIGINT:
        raise KeyboardInterrupt
    if signals.received:
        sys.exit(128 + signals.received)
    return process.returncode


def last_line(log: str) -> str:
    """Returns the last line of a log that is not blank."""
    with open(log, "rb") as file:
        file.seek(max(os.path.getsize(log) - _END_BYTES, 0))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def _wait(process: subprocess.Popen, signals: Signals) -> None:
    is_told = False
    while process.poll() is None:
        if signals.received and not is_told:
            process.send_signal(signals.received)
            is_told = True
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _environment() -> dict[str, str]:
    """Returns the environment in which the command finds this package."""
    # Where a clone's folder `bert`, or the installed package, is.
    root = _ROOT if (_ROOT / "bert/__init__.py").exists() else _ROOT.parent
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

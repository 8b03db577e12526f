"""Runs a script as a user does."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from absl import flags

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


def run_code(code: str, *args: str):
    """Runs Python code in a process; returns the completed process."""
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


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


def model_flags(golden: Path, output_dir: Path | None = None) -> list[str]:
    """Returns the flags of a tiny model's files, and of output_dir."""
    flags = [
        f"--vocab_file={golden / 'inputs/vocab.txt'}",
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
    ]
    return flags + [f"--output_dir={output_dir}"] * (output_dir is not None)


def flags_of(script: ModuleType, *args: object) -> flags.FlagValues:
    """Returns the flags of a script with the values of a command line."""
    flag_values = flags.FlagValues()
    script.define_flags(flag_values)
    flag_values([script.__name__, *map(str, args)])
    return flag_values


def config_of(script: ModuleType, *args: object) -> Any:
    """Returns the configuration that a command line gives a script."""
    own = getattr(script, "config_from_flags", None)
    return (own or script.Config.from_flags)(flags_of(script, *args))

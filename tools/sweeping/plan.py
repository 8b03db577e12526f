"""From a grid and seeds to runs, whose flags are all checked."""

import difflib
import importlib
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from absl import flags

from bert.cli import command_line
from bert.errors import UserError
from bert.tools.sweeping import grid as grids
from bert.tools.sweeping import notes
from bert.tools.sweeping.grid import Point

SEED = "random_seed"
# The sweep's own, in each run.
_OWN = ("output_dir", "records_dir")
# A run is the same with another one.
_NO_MATTER = ("log_style",)


class Run(NamedTuple):
    """A run that is planned.

    Attributes:
        name: its folder's, and what people see.
        point: its values of the grid, without the seed.
        folder: its output_dir.
        flags: all of its flags.
        values: what the script makes of them, by name.
    """

    name: str
    point: Point
    folder: str
    flags: list[str]
    values: Mapping[str, Any]


def plan(
    script_name: str,
    words: Sequence[str],
    axes: Mapping[str, Sequence[str]],
    output_dir: str,
) -> list[Run]:
    """Returns the runs, whose flags and folders are all checked.

    Args:
        script_name: which script, less `.py`.
        words: its flags, of all runs.
        axes: flags with the values to try; the seed may be among them.
        output_dir: gets their folders.

    Raises:
        UserError: the script does not have such flags, or refuses a value, or
            a folder has something else.
    """
    script = importlib.import_module(f"bert.{script_name}")
    known = _flags_of(script)
    if _is_given("output_dir", words):
        raise UserError(
            "Expected --output_dir before the --: it is the sweep's, and each "
            "run has a folder there. Received: it stands behind the --."
        )
    shares = "records_dir" in known and not _is_given("records_dir", words)
    records = f"--records_dir={os.path.join(output_dir, 'records')}"
    for flag in axes:
        _check_flag(flag, known, words)
    runs: list[Run] = []
    for values in grids.points(axes):
        name = grids.name(values)
        folder = os.path.join(output_dir, name)
        own = [f"--{flag}={value}" for flag, value in values.items()]
        own += [records] * shares
        line = [*words, *own, f"--output_dir={folder}"]
        kept = _checked(script, line, quiet=bool(runs))
        notes.check(folder, kept)
        point = {flag: v for flag, v in values.items() if flag != SEED}
        runs.append(Run(name, point, folder, line, kept))
    return runs


def _flags_of(script: ModuleType) -> flags.FlagValues:
    return command_line.flags_of(script.define_flags)


def _check_flag(
    name: str, known: flags.FlagValues, words: Sequence[str]
) -> None:
    """Raises UserError where a flag cannot be tried."""
    fault = None
    if name not in known:
        near = difflib.get_close_matches(name, list(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        fault = f"{name}, which the script does not have{hint}"
    elif name in _OWN:
        fault = f"{name}, which is another one for each run anyway"
    elif _is_given(name, words):
        fault = f"{name}, which stands behind -- too; leave one out"
    if fault:
        raise UserError(
            f"Expected flags to try in --grid and --seeds. Received: {fault}."
        )


def _is_given(name: str, words: Sequence[str]) -> bool:
    """Whether a command line sets a flag."""
    given = (w.lstrip("-").split("=")[0] for w in words if w[:1] == "-")
    return any(each in (name, f"no{name}") for each in given)


def _checked(
    script: ModuleType, words: Sequence[str], quiet: bool
) -> dict[str, Any]:
    """Returns what a script makes of its flags.

    Args:
        script: the script.
        words: its command line.
        quiet: whether unknown flags have been warned of.

    Raises:
        UserError: it refuses them.
    """
    values = command_line.read(script.define_flags, words, quiet)
    own = getattr(script, "config_from_flags", None)
    (own or script.Config.from_flags)(values)
    free = (*_OWN, *_NO_MATTER)
    names = [name for name in _flags_of(script) if name not in free]
    return {name: values[name].value for name in names}

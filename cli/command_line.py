"""The one way to start a script.

A script defines its flags in `define_flags(flag_values)`, has a function that
does its work with a configuration, and ends in `command_line.run`. Nothing
here imports TensorFlow, so `--help` answers at once.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

from absl import app, flags

from bert.cli import environment, error_guard, parser

_Config = TypeVar("_Config")


def run(
    define_flags: Callable[[flags.FlagValues], None],
    make_config: Callable[[flags.FlagValues], _Config],
    work: Callable[[_Config], None],
    prepare: Callable[[], None] = environment.prepare,
) -> None:
    """Parses the command line, does the script's work, and exits.

    Args:
        define_flags: defines the script's flags on the given FlagValues.
        make_config: makes the configuration of parsed flags, and checks it.
        work: the script's pipeline.
        prepare: is called before `work`.

    Exit code: 0; 1 after one line on stderr where the user's input or the
    file system is at fault; 130 after Ctrl-C.
    """

    def main() -> None:
        config = make_config(flags.FLAGS)
        prepare()
        work(config)

    define_flags(flags.FLAGS)
    app.run(
        lambda _: error_guard.exit_code(main),
        flags_parser=functools.partial(parser.parse, flags.FLAGS),
    )

"""The one way to start a script.

A script defines its flags in `define_flags(flag_values)` and ends in
`command_line.run(main, define_flags)`. Nothing here imports TensorFlow, so
`--help` answers at once.
"""

import functools
from collections.abc import Callable

from absl import app, flags

from bert.cli import error_guard, parser


def run(
    main: Callable[[], None],
    define_flags: Callable[[flags.FlagValues], None],
) -> None:
    """Parses the command line, runs `main`, and exits.

    Args:
        main: the script's pipeline; it reads its flags from `flags.FLAGS`.
        define_flags: defines the script's flags on the given FlagValues.

    Exit code: 0; 1 after one line on stderr where the user's input or the
    file system is at fault; 130 after Ctrl-C.
    """
    define_flags(flags.FLAGS)
    app.run(
        lambda _: error_guard.exit_code(main),
        flags_parser=functools.partial(parser.parse, flags.FLAGS),
    )

"""The one way to start a script.

A script defines its flags in `define_flags(flag_values)`, has a `main` that
makes its configuration of them and does its work, and ends in
`command_line.run`. Nothing here imports TensorFlow, so `--help` answers at
once.
"""

import functools
from collections.abc import Callable

from absl import app, flags

from bert.cli import environment, error_guard, log_stream, parser


def run(
    main: Callable[[], None],
    define_flags: Callable[[flags.FlagValues], None],
    prepare: Callable[[], None] = environment.prepare,
) -> None:
    """Parses the command line, runs `main`, and exits.

    Args:
        main: the script's pipeline; it reads its flags from absl's FLAGS.
        define_flags: defines the script's flags on the given FlagValues.
        prepare: is called before `main`.

    Exit code: 0; 1 after one line on stderr where the user's input or the
    file system is at fault; 130 after Ctrl-C.
    """

    def prepared_main() -> None:
        prepare()
        main()

    log_stream.protect()
    define_flags(flags.FLAGS)
    app.run(
        lambda _: error_guard.exit_code(prepared_main),
        flags_parser=functools.partial(parser.parse, flags.FLAGS),
    )

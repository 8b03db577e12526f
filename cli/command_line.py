"""The one way to start a script.

A script defines its flags in `define_flags(flag_values)`, keeps them in its
`FLAGS`, has a `main` that makes its configuration of them and does its work,
and ends in `command_line.run`. Nothing here imports TensorFlow, so `--help`
answers at once.
"""

import contextlib
import copy
import functools
import io
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from bert.cli import (
    environment,
    error_guard,
    log_stream,
    log_styles,
    parser,
    relay,
)
from bert.errors import UserError

# A flag belongs to the script that asks for it, so that --help shows it.
flags.disclaim_key_flags()


def flags_of(
    define_flags: Callable[[flags.FlagValues], None],
) -> flags.FlagValues:
    """Returns a script's own flags, which have their defaults until parsed.

    So several scripts can be imported into one process.

    Args:
        define_flags: defines them on the given FlagValues.
    """
    flag_values = flags.FlagValues()
    define_flags(flag_values)
    log_styles.define_flag(flag_values)
    flag_values.mark_as_parsed()
    return flag_values


def read(
    define_flags: Callable[[flags.FlagValues], None],
    words: Sequence[str],
    quiet: bool = False,
) -> flags.FlagValues:
    """Returns the flags of a script as a command line of it sets them.

    Args:
        define_flags: the script's.
        words: what stands behind its name.
        quiet: whether to say nothing of unknown flags.

    Raises:
        UserError: a value or a word is wrong.
    """
    flag_values = flags_of(define_flags)
    for module, own in flags.FLAGS.flags_by_module_dict().items():
        for flag in own if module.startswith("absl.") else ():
            # A copy: this process has values of its own.
            flag_values[flag.name] = copy.deepcopy(flag)
    told = io.StringIO() if quiet else sys.stderr
    try:
        with contextlib.redirect_stderr(told):
            parser.read(flag_values, ["script", *words])
    except (flags.Error, ValueError) as error:
        raise UserError(parser.fault(error)) from error
    return flag_values


def run(
    main: Callable[..., None],
    flag_values: flags.FlagValues,
    prepare: Callable[[], None] = environment.prepare,
    takes_words: bool = False,
    check_unknown: Callable[[str], None] | None = None,
) -> None:
    """Parses the command line, runs `main`, and exits.

    Args:
        main: the script's pipeline; called with the words, if it takes some.
        flag_values: the script's flags; absl parses and shows them with its
            own.
        prepare: is called before `main`.
        takes_words: whether words may stand among the flags; see
            `parser.read`.
        check_unknown: see there.

    Exit code: 0; 1 after one line on stderr where the user's input or the
    file system is at fault; 130 after Ctrl-C.
    """

    def prepared_main(words: Sequence[str]) -> None:
        prepare()
        main(*[words] * takes_words)

    log_stream.protect()
    log_styles.use(log_styles.asked(sys.argv))
    relay.hide_native_lines()
    flags.FLAGS.append_flag_values(flag_values)
    for module, own in flag_values.flags_by_module_dict().items():
        for flag in own:
            flags.FLAGS.register_flag_by_module(module, flag)
    app.run(
        lambda args: error_guard.exit_code(lambda: prepared_main(args[1:])),
        flags_parser=functools.partial(
            parser.parse,
            flags.FLAGS,
            takes_words=takes_words,
            check_unknown=check_unknown,
        ),
    )

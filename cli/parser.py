"""The command line → flags.

The original ignores flags it does not know, and documented commands rely on
that (`--do_lower=False`, `--do_lower_case=false` for run_pretraining.py). So
does `parse`, but it says so and names the nearest flag that exists.
"""

import collections
import contextlib
import difflib
import itertools
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence

from absl import flags, logging

from bert.errors import MOST_CHARS, UserError, one_line


def parse(
    flag_values: flags.FlagValues,
    argv: Sequence[str],
    takes_words: bool = False,
    check_unknown: Callable[[str], None] | None = None,
) -> list[str]:
    """Parses argv as absl does, but goes on after unknown flags.

    What is wrong is one line on stderr and the end of the process, with exit
    code 1.

    Args:
        flag_values: the flags that are known; they get their values.
        argv: the name of the script, and its arguments.
        takes_words: see `read`.
        check_unknown: see `read`.

    Returns:
        The name of the script, and its words.
    """
    try:
        words = read(flag_values, argv, takes_words, check_unknown)
    except (flags.Error, ValueError) as error:  # UserError is one
        hint = " (--help shows all flags)"
        shown = one_line(f"error: {fault(error)}", MOST_CHARS - len(hint))
        print(shown + hint, file=sys.stderr)
        sys.exit(1)
    if not flag_values["verbosity"].present:
        logging.set_verbosity(logging.INFO)
    return [argv[0], *words]


def read(
    flag_values: flags.FlagValues,
    argv: Sequence[str],
    takes_words: bool = False,
    check_unknown: Callable[[str], None] | None = None,
) -> list[str]:
    """Reads argv, and warns of unknown flags.

    Args:
        flag_values: the flags that are known; they get their values.
        argv: the name of the script, and its arguments.
        takes_words: whether words may stand among the flags, and anything
            behind a `--`.
        check_unknown: is called with the name of each unknown flag; raises
            UserError for one that is not to be ignored.

    Returns:
        These words; with the `--`, if there is one.

    Raises:
        flags.Error, ValueError: a value or a word is wrong; see `fault`.
    """
    ends = takes_words and "--" in argv
    own = list(argv[: argv.index("--")] if ends else argv)
    # Without this, absl stops at the first word that is no flag and drops
    # all flags behind it.
    flag_values.set_gnu_getopt(True)
    with _pipe_may_close():  # --help shows, and exits
        rest = flag_values(own, known_only=True)[1:]
    for name in flag_values:
        value = flag_values[name].value
        if isinstance(value, float) and math.isnan(value):  # is in no bounds
            raise UserError(f"flag --{name}={value} must be a number")
    words = []
    for before, word in _words(flag_values, own[1:], rest, check_unknown):
        if not takes_words:
            is_flag = before.startswith("-") and "=" not in before
            hint = f"; write {before}={word}" if is_flag else ""
            raise UserError(
                "Expected flags only (--name=value; several files are "
                f"separated by commas). Received: {word!r}{hint}."
            )
        words.append(word)
    return [*words, *argv[len(own) :]]


def fault(error: Exception) -> str:
    """Returns what to say of an error that `read` raised."""
    # absl gives one line for each required flag that is missing.
    missing = re.findall(r"flag (--\w+)=\w*: must be given", str(error))
    if missing:
        return f"required flags are missing: {', '.join(missing)}"
    return "; ".join(str(error).splitlines())


@contextlib.contextmanager
def _pipe_may_close() -> Iterator[None]:
    """Exits without a word where nobody reads on: --help | head."""
    try:
        try:
            yield
        finally:
            if sys.stdout:  # not where it is closed: >&-
                sys.stdout.flush()
    except BrokenPipeError:
        # Else Python flushes it again when it exits, and says so at length.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _words(
    flag_values: flags.FlagValues,
    argv: list[str],
    rest: list[str],
    check_unknown: Callable[[str], None] | None,
) -> Iterator[tuple[str, str]]:
    """Warns of unknown flags; yields each word that belongs to no flag.

    Args:
        flag_values: the flags that are known.
        argv: all arguments.
        rest: those that belong to no known flag, in their order.
        check_unknown: see `read`.

    Yields:
        The argument before the word, and the word.
    """
    left = collections.deque(rest)
    unknown = ""  # an unknown flag without a value, if one stands just before
    for before, word in itertools.pairwise(["", *argv]):
        if not left or word != left[0]:
            unknown = ""
            continue
        left.popleft()
        if word.startswith("-") and word.strip("-"):
            name = word.lstrip("-").split("=", 1)[0]
            if check_unknown:
                check_unknown(name)
            _warn_of_unknown_flag(flag_values, name)
            unknown = word if "=" not in word else ""
        elif unknown:
            unknown = ""  # its value, as in `--unknown value`
        else:
            yield before, word


def _warn_of_unknown_flag(flag_values: flags.FlagValues, name: str) -> None:
    near = difflib.get_close_matches(name, list(flag_values), n=1)
    hint = f"; did you mean --{near[0]}?" if near else ""
    text = f"warning: unknown flag --{name} is ignored{hint}"
    print(one_line(text, MOST_CHARS), file=sys.stderr)

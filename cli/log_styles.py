"""How the log looks: --log_style.

original: absl's lines, with the texts of the original. short: what people look
for, some 20 lines for a fine-tuning. json: one object a line.

A line says how it looks in the other styles: one of the logger `absl.details`
is left out of short; `extra={"short": text}` is said there instead;
`extra={"fields": {…}}` are its figures, for json.
"""

import atexit
import logging as python_logging
import sys
import time
import traceback
from collections.abc import Sequence

from absl import flags, logging

from bert.cli import relay, relay_process

flags.disclaim_key_flags()

STYLES = ("short", "original", "json")
_SHORT_PROGRESS_SECONDS = 300


def define_flag(flag_values: flags.FlagValues) -> None:
    """Defines --log_style."""
    flags.DEFINE_enum(
        "log_style",
        "original",
        STYLES,
        "Of the log, on stderr. short: what is done, from where, progress, "
        "figures and where results are. original: all lines of the original. "
        "json: an object a line, with time, level, message and figures.",
        flag_values=flag_values,
    )


def asked(argv: Sequence[str]) -> str:
    """Returns the style that a command line asks for, right or wrong as it is.

    Known before all flags are: json is also for what is wrong with them.
    """
    flag_values = flags.FlagValues()
    define_flag(flag_values)
    flag_values.set_gnu_getopt(True)
    try:
        flag_values(argv, known_only=True)
    except flags.Error:
        return "original"  # a parser that knows all flags says why
    return flag_values.log_style


def use(style: str) -> None:
    """Gives the process's log a style; call it once."""
    handler = logging.get_absl_handler().python_handler
    if style == "short":
        handler.addFilter(_ShortFilter())
        handler.setFormatter(_ShortFormatter())
    elif style == "json":
        handler.setFormatter(_JsonFormatter())
        python_logging.captureWarnings(True)
        sys.excepthook = _log_exception
        atexit.register(relay.Relay("json").sync)


class _ShortFilter(python_logging.Filter):
    """Leaves out details, and progress that is little."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = (0, 0.0)  # tenths of the job, and when

    def filter(self, record: python_logging.LogRecord) -> bool:
        if record.levelno > python_logging.INFO:
            return True
        if record.name == "absl.details":
            return False
        fields = getattr(record, "fields", {})
        if "done" not in fields:
            return True
        tenths = fields["done"] * 10 // (fields["total"] or sys.maxsize)
        last, when = self._shown
        is_new = tenths != last or (
            record.created - when >= _SHORT_PROGRESS_SECONDS
        )
        if is_new:
            self._shown = (tenths, record.created)
        return is_new


class _ShortFormatter(python_logging.Formatter):
    def format(self, record: python_logging.LogRecord) -> str:
        text = getattr(record, "short", "") or super().format(record)
        if text.startswith("*"):
            text = text.strip("* ")
        if record.levelno > python_logging.INFO:
            text = f"{record.levelname.lower()}: {text}"
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        return f"{at} {text}"


class _JsonFormatter(python_logging.Formatter):
    def format(self, record: python_logging.LogRecord) -> str:
        return relay_process.json_line(
            record.created,
            record.levelname.lower(),
            super().format(record),
            getattr(record, "fields", {}),
        )


def _log_exception(kind, error, trace) -> None:
    """Logs a stack trace as one line, where Python writes it otherwise."""
    lines = traceback.format_exception(kind, error, trace)
    logging.error("%s", "".join(lines).rstrip())

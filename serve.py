"""Answers HTTP requests with what trained models say, as TensorFlow Serving.

The texts and answers are those of predict.py and fill_mask.py. See
docs/serving.md.
"""

from absl import flags

from bert.cli import command_line, shared_flags, source_flags
from bert.model_folder import formats
from bert.serving.http_config import Config
from bert.tasks import spec


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values)
    flag_values["model_dir"].help += (
        " Several: NAME=FOLDER,NAME=FOLDER. The name of a single one is "
        "`model`."
    )
    source_flags.define_task_flags(flag_values, spec.TASKS)
    source_flags.define_runtime_flag(flag_values, formats.CHOICES)
    source_flags.define_precision_flag(flag_values)
    _define_listening_flags(flag_values)
    _define_batch_flags(flag_values)


def _define_listening_flags(flag_values: flags.FlagValues) -> None:
    """Defines who is answered."""
    flags.DEFINE_string(
        "host",
        "127.0.0.1",
        "Address to listen at. 0.0.0.0: all of this machine, for everybody "
        "who can reach it.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "port",
        8501,
        "Port to listen at. 0: a free one, which the log names.",
        lower_bound=0,
        upper_bound=65535,
        flag_values=flag_values,
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        upper_bound=64,
        workers=(1, "Processes that share the port; each holds the models."),
    )
    shared_flags.define_strings(
        flag_values,
        api_key_file="File with a key a line; a request must then say "
        "`Authorization: Bearer KEY`. Default: no key is needed.",
    )
    flags.DEFINE_float(
        "reload_seconds",
        None,
        "How often to look for a newer checkpoint or export. Default: only "
        "on SIGHUP.",
        lower_bound=0.1,
        flag_values=flag_values,
    )


def _define_batch_flags(flag_values: flags.FlagValues) -> None:
    """Defines how requests are computed together, and when they are refused."""
    for name, default, bounds, text in (
        (
            "batch_timeout_ms",
            5.0,
            (0.0, 60_000.0),
            "How long a request waits at most for others to be computed with.",
        ),
        (
            "request_timeout_s",
            60.0,
            (0.001, 86_400.0),
            "How long a request takes at most; it then gets 504. So long may "
            "a client take to send one, or to read its answer.",
        ),
        ("max_body_mb", 16.0, (0.001, 1024.0), "Longest request; else 413."),
    ):
        flags.DEFINE_float(
            name, default, text, *bounds, flag_values=flag_values
        )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        upper_bound=2**24,
        max_batch_tokens=(
            16384,
            "Word pieces that are computed together, padding included. On a "
            "GPU more may be faster, on a CPU fewer answer sooner.",
        ),
        max_queue_rows=(
            4096,
            "Rows of a model that may wait; else 429.",
        ),
    )


FLAGS = command_line.flags_of(define_flags)


def main() -> None:
    """Flags → models → port → answers."""
    config = Config.from_flags(FLAGS)
    # Here, so that --help and bad flags need neither starlette nor uvicorn.
    from bert.serving import http_workers

    http_workers.run(config)


if __name__ == "__main__":
    command_line.run(main, FLAGS)

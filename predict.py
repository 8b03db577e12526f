"""Answers lines of text with what a trained model says of them.

Reads a file, or standard input as it comes; writes a line of JSON for each. Of
a table it writes the table, with the answers in further columns. See
docs/prediction.md.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from bert.cli import command_line, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.data.tables import json_node, table_cells
from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.files import text_input
from bert.model_folder import formats
from bert.model_folder.given import Given
from bert.serving.answering import Failures
from bert.tasks import spec

if TYPE_CHECKING:
    from bert.serving.line_service import Service
    from bert.serving.predictor import Predictor

_TABLES = ("csv", "tsv")
_TASKS = [task for task in spec.TASKS if task != "pretraining"]


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values)
    source_flags.define_input_flags(flag_values)
    flags.DEFINE_enum(
        "input_format",
        None,
        ["text", "jsonl", *_TABLES],
        "text: a text a line, or `text ||| text`. jsonl: a JSON object a line "
        '({"text": "…"}). csv, tsv: a table of texts, which gets columns with '
        "the answers. Default: the ending of input_file, if it is one of "
        "these, else text.",
        flag_values=flag_values,
    )
    shared_flags.define_strings(
        flag_values,
        text_column="Of a table: column of the text: its name in the header, "
        "or its number from 0. Default: as in training, else text.",
        pair_column="Of a table: column of the second text of a pair. "
        "Default: as in training.",
        delimiter="Of a table: what stands between its columns: a character, "
        "or tab. Default: as in training, or what its header shows.",
    )
    shared_flags.define_bools(
        flag_values,
        default=None,
        header="Of a table: whether its first line names the columns. "
        "Default: as in training.",
    )
    source_flags.define_task_flags(flag_values, _TASKS)
    source_flags.define_runtime_flag(flag_values, formats.CHOICES)
    source_flags.define_precision_flag(flag_values)
    for name, text in (
        ("n_best_size", "Answers to give."),
        ("max_answer_length", "Word pieces of an answer at most."),
    ):
        flags.DEFINE_integer(
            name,
            None,
            f"Of squad: {text} Default: what task.json says.",
            lower_bound=1,
            flag_values=flag_values,
        )
    flags.DEFINE_float(
        "null_score_diff_threshold",
        None,
        "Of squad: no answer is given where null_odds are above this. "
        "Default: what task.json says.",
        flag_values=flag_values,
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    input_file: str | None
    input_format: str | None
    text_column: str | None
    pair_column: str | None
    delimiter: str | None
    header: bool | None
    on_error: str
    batch_size: int
    n_best_size: int | None
    max_answer_length: int | None
    null_score_diff_threshold: float | None

    @property
    def answer_options(self) -> dict[str, int | float]:
        """How to choose answers, where that is said."""
        options = {
            "n_best_size": self.n_best_size,
            "max_answer_length": self.max_answer_length,
            "null_score_diff_threshold": self.null_score_diff_threshold,
        }
        return {k: v for k, v in options.items() if v is not None}

    def __post_init__(self):
        for name in self.of_tables:
            if self.format not in _TABLES:
                raise UserError(
                    f"--{name} is for tables; leave it out, or say "
                    f"--input_format=csv or tsv. Received: --{name} for "
                    f"{self.format}."
                )
        table_cells.delimiter_of(self.delimiter)

    @property
    def of_tables(self) -> dict[str, str | bool]:
        """How to read a table, where that is said."""
        said = {
            "text_column": self.text_column,
            "pair_column": self.pair_column,
            "delimiter": self.delimiter,
            "header": self.header,
        }
        return {k: v for k, v in said.items() if v is not None}

    @property
    def format(self) -> str:
        """What the input is: text, jsonl, csv or tsv."""
        return self.input_format or self.ending or "text"

    @property
    def is_jsonl(self) -> bool:
        """Whether lines are JSON objects."""
        return self.format == "jsonl"

    @property
    def failures(self) -> Failures:
        """What becomes of lines that cannot be answered."""
        return Failures(self.on_error)

    @property
    def ending(self) -> str | None:
        """The ending of the input file, if it says what is in it."""
        name = text_input.unpacked_name(self.input_file or "")
        ending = name.rpartition(".")[2].lower()
        return ending if ending in ("jsonl", *_TABLES) else None


def predict(config: Config) -> None:
    """Loads the model and answers the lines on standard output.

    Raises:
        UserError: a file is missing or wrong, or a line cannot be answered.
    """
    from bert.serving import line_service, table_service

    def load() -> "Predictor":
        # Here, so that --help and a missing file need no TensorFlow.
        from bert.serving.predictor import Predictor

        return Predictor.load(
            config.model_dir,
            config.batch_size,
            config,
            None,  # its model_dir names the task
            config.runtime,
            config.precision,
            **config.answer_options,
        )

    if config.format in _TABLES:
        asked = table_service.Asked(
            config.format == "csv", config.of_tables, config.failures
        )
        table_service.run(config.input_file, load, asked)
    else:
        line_service.run(config.input_file, lambda: service(config, load()))


def service(config: Config, predictor: "Predictor") -> "Service":
    """Returns what is done with the lines."""
    from bert.serving import line_service

    def read(place: Place) -> tuple[dict[str, Any], Any] | None:
        if place.line == 1:
            _warn_of_format(config, place)
        return read_request(predictor, config.is_jsonl, place)

    return line_service.Service(
        read=read,
        answer=functools.partial(answers, predictor),
        file_lines=predictor.window_size,
        stream_lines=predictor.batch_size,
        failures=config.failures,
        copied=functools.partial(_id_of, config.is_jsonl),
    )


def read_request(
    predictor: "Predictor", is_jsonl: bool, place: Place
) -> tuple[dict[str, Any], Any] | None:
    """Returns what a line asks.

    Args:
        predictor: the model.
        is_jsonl: whether the line is a JSON object; a blank one asks nothing.
        place: the line.

    Returns:
        What is copied into the answer (`id`, if given), and the request.

    Raises:
        UserError: it asks nothing that the model can answer.
    """
    from bert.tasks.requests import UnfitError, copied_of

    if is_jsonl and not place.content.strip():
        return None
    value = json_node.parse_line(place) if is_jsonl else None
    try:
        if value is None:
            return {}, predictor.request_of_line(place.content)
        return copied_of(value), predictor.request(value)
    except UnfitError as error:
        raise place.fault(str(error)) from error


def _id_of(is_jsonl: bool, place: Place) -> dict[str, Any]:
    """Returns what is copied from a line that cannot be answered."""
    from bert.tasks.requests import copied_of

    try:
        return copied_of(json_node.parse_line(place)) if is_jsonl else {}
    except ValueError:  # UserError and UnfitError are
        return {}


def _warn_of_format(config: Config, place: Place) -> None:
    """Says that what looks like a table or JSON is read as text, if it is."""
    if config.format == "text" and config.ending in _TABLES:
        logging.warning(
            "%s: each of its lines is answered as a text; a table is read by "
            "its columns without --input_format=text.",
            place.file,
        )
    is_open = config.input_format is None and not config.is_jsonl
    if not is_open or not place.content.lstrip().startswith("{"):
        return
    try:
        json.loads(place.content)
    except (ValueError, RecursionError):
        return
    logging.warning(
        "%s, line 1, is a JSON object, and is answered as plain text; if it "
        "is a request, say --input_format=jsonl (if not, text).",
        place.file,
    )


def answers(
    predictor: "Predictor", asked: Sequence[tuple[dict[str, Any], Any]]
) -> Iterator[dict[str, Any]]:
    """Yields the answer to each of `read_request`'s results, in order."""
    found = predictor.answers(request for _, request in asked)
    for (copied, _), answer in zip(asked, found, strict=True):
        yield {**copied, **answer}


def main(_: object = None) -> None:
    """Flags → model → lines → answers."""
    predict(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

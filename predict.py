"""Answers lines of text with what a trained model says of them.

Reads a file, or standard input as it comes; writes a line of JSON for each.
See docs/prediction.md.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from bert.cli import command_line, source_flags
from bert.cli.config import FlagConfig
from bert.data.tables import json_node
from bert.data.tables.rows import Place
from bert.files import text_input
from bert.model_folder.given import Given
from bert.tasks import spec

if TYPE_CHECKING:
    from bert.serving.line_service import Service
    from bert.serving.predictor import Predictor

FLAGS = flags.FLAGS

_TASKS = [task for task in spec.TASKS if task != "pretraining"]


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values)
    source_flags.define_input_flags(flag_values)
    flags.DEFINE_enum(
        "input_format",
        None,
        ["text", "jsonl"],
        "text: a text a line, or `text ||| text`. jsonl: a JSON object a line "
        '({"text": "…"}). Default: jsonl for an input_file of that ending, '
        "else text.",
        flag_values=flag_values,
    )
    source_flags.define_task_flags(flag_values, _TASKS)
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    input_file: str | None
    input_format: str | None
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

    @property
    def is_jsonl(self) -> bool:
        """Whether lines are JSON objects."""
        if self.input_format:
            return self.input_format == "jsonl"
        name = text_input.unpacked_name(self.input_file or "")
        return name.endswith(".jsonl")


def predict(config: Config) -> None:
    """Loads the model and answers the lines on standard output.

    Raises:
        UserError: a file is missing or wrong, or a line cannot be answered.
    """
    from bert.serving import line_service

    def load() -> "Service":
        # Here, so that --help and a missing file need no TensorFlow.
        from bert.serving.predictor import Predictor

        predictor = Predictor.load(
            config.model_dir,
            config.batch_size,
            config,
            **config.answer_options,
        )
        return service(config, predictor)

    line_service.run(config.input_file, load)


def service(config: Config, predictor: "Predictor") -> "Service":
    """Returns what is done with the lines."""
    from bert.serving import line_service

    def read(place: Place) -> tuple[dict[str, Any], Any] | None:
        if place.line == 1 and config.input_format is None:
            _warn_of_json(config, place)
        return read_request(predictor, config.is_jsonl, place)

    return line_service.Service(
        read=read,
        answer=functools.partial(answers, predictor),
        file_lines=predictor.window_size,
        stream_lines=predictor.batch_size,
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
    from bert.tasks.requests import UnfitError

    if is_jsonl and not place.content.strip():
        return None
    value = json_node.parse_line(place) if is_jsonl else None
    try:
        if value is None:
            return {}, predictor.request_of_line(place.content)
        return _copied(value, place), predictor.request(value)
    except UnfitError as error:
        raise place.fault(str(error)) from error


def _copied(value: dict[str, Any], place: Place) -> dict[str, Any]:
    """Returns what is copied into the answer to a JSON object."""
    copied = {"id": value["id"]} if "id" in value else {}
    try:
        json.dumps(copied, allow_nan=False)
    except ValueError as error:
        raise place.fault(
            "an id that JSON can write, without NaN and numbers beyond 1e308"
        ) from error
    return copied


def _warn_of_json(config: Config, place: Place) -> None:
    """Says that what looks like JSON is read as text, if it is."""
    if config.is_jsonl or not place.content.lstrip().startswith("{"):
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


def main() -> None:
    """Flags → model → lines → answers."""
    predict(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, define_flags)

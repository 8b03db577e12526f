"""Asks a pre-trained model for the words that `[MASK]` stands for.

Reads a file, or standard input as it comes; writes a line of JSON for each
line: the likeliest words, or how likely the line itself is. See
docs/prediction.md.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from bert.cli import command_line, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.data.tables.rows import Place
from bert.model_folder.given import Given
from bert.serving.answering import Failures

if TYPE_CHECKING:
    from bert.serving.line_service import Service
    from bert.serving.masked_words import MaskedWords
    from bert.tasks.pretraining.inference import MaskedText

# Batches of lines whose answers may wait, sorted by length.
_WINDOW_BATCHES = 32


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values)
    source_flags.define_input_flags(flag_values)
    shared_flags.define_integers(
        flag_values, lower_bound=1, top_k=(5, "Words to give for each [MASK].")
    )
    shared_flags.define_bools(
        flag_values,
        pseudo_log_likelihood="Give instead the sum of the log-probabilities "
        "of a line's word pieces, each with [MASK] in its place.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    input_file: str | None
    batch_size: int
    on_error: str
    top_k: int
    pseudo_log_likelihood: bool


def fill_mask(config: Config) -> None:
    """Loads the model and answers the lines on standard output.

    Raises:
        UserError: a file is missing or wrong, or a line cannot be answered.
    """
    from bert.serving import line_service

    def load() -> "Service":
        # Here, so that --help and a missing file need no TensorFlow.
        from bert.serving import loaded_model

        source = loaded_model.find_pretrained(config.model_dir, config)
        from bert.serving.masked_words import MaskedWords

        words = MaskedWords(source, config.model_dir, config.batch_size)
        words.check_top_k(config.top_k)
        return service(config, words)

    line_service.run(config.input_file, load)


def service(config: Config, words: "MaskedWords") -> "Service":
    """Returns what is done with the lines."""
    from bert.serving import line_service
    from bert.tasks.requests import UnfitError

    scores = config.pseudo_log_likelihood
    ask = words.whole_text if scores else words.request

    def read(place: Place) -> "MaskedText":
        try:
            return ask(place.content)
        except UnfitError as error:
            raise place.fault(str(error)) from error

    def answer(texts: "Sequence[MaskedText]") -> Iterator[dict[str, Any]]:
        if scores:
            return words.scores(texts)
        return words.fill(texts, config.top_k)

    # A line that is scored is a row for each of its pieces.
    return line_service.Service(
        read,
        answer,
        file_lines=config.batch_size * (1 if scores else _WINDOW_BATCHES),
        stream_lines=config.batch_size,
        failures=Failures(config.on_error),
    )


def main(_: object = None) -> None:
    """Flags → model → lines → words for each [MASK]."""
    fill_mask(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

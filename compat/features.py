"""What extract_features.py of the original has for code that imports it."""

from collections.abc import Sequence
from typing import Any

from bert.compat import input_fns, sequences
from bert.files import text_input
from bert.tasks.features import example_log


class InputExample:
    """A line of text.

    Args:
        unique_id: the line's number.
        text_a: the text, or the first one.
        text_b: the second one, or None.
    """

    def __init__(self, unique_id: int, text_a: str, text_b: str | None) -> None:
        self.unique_id = unique_id
        self.text_a = text_a
        self.text_b = text_b


class InputFeatures:
    """What the model takes of a line.

    Args:
        unique_id: the example's.
        tokens: not padded.
        input_ids: S ints.
        input_mask: S ints.
        input_type_ids: S ints.
    """

    def __init__(
        self,
        unique_id: int,
        tokens: Sequence[str],
        input_ids: Sequence[int],
        input_mask: Sequence[int],
        input_type_ids: Sequence[int],
    ) -> None:
        self.unique_id = unique_id
        self.tokens = tokens
        self.input_ids = input_ids
        self.input_mask = input_mask
        self.input_type_ids = input_type_ids


def read_examples(input_file: str) -> list[InputExample]:
    """Reads lines: a text, or `text ||| text`; blank ones are "".

    Bytes that are not UTF-8 are left out, with a warning.

    Raises:
        OSError: the file cannot be read.
    """
    # Here, since it imports TensorFlow.
    from bert.tasks.features import features_text

    with text_input.reader(input_file) as lines:
        return [
            InputExample(number, *texts)
            for number, texts in enumerate(
                features_text.read_lines(input_file, lines)
            )
        ]


def convert_examples_to_features(
    examples: Sequence[InputExample], seq_length: int, tokenizer: Any
) -> list[InputFeatures]:
    """Makes the features of lines; logs the first five.

    Args:
        examples: the lines.
        seq_length: S.
        tokenizer: has `tokenize` and `convert_tokens_to_ids`.

    Raises:
        AssertionError, IndexError: see `sequences.pack_texts`.
    """
    found = []
    for number, example in enumerate(examples):
        tokens, values = sequences.pack_texts(
            example.text_a, example.text_b, tokenizer, seq_length
        )
        if number < example_log.LOGGED_EXAMPLES:
            example_log.log(example.unique_id, tokens, values)
        values["input_type_ids"] = values.pop("segment_ids")
        found.append(InputFeatures(example.unique_id, tokens, **values))
    return found


def input_fn_builder(
    features: Sequence[InputFeatures], seq_length: int
) -> input_fns.InputFn:
    """Returns the `input_fn` of features; see `input_fns.of_features`."""
    del seq_length  # the features have it
    names = ("unique_id", "input_ids", "input_mask", "input_type_ids")
    columns = {name: [getattr(row, name) for row in features] for name in names}
    columns["unique_ids"] = columns.pop("unique_id")
    return input_fns.of_features(columns)

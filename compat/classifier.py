"""What run_classifier.py of the original has for code that imports it."""

from collections.abc import Sequence
from typing import Any

from bert.compat import input_fns, sequences
from bert.tasks.classification import features, kinds
from bert.tasks.classification.processors import InputExample


class PaddingInputExample:
    """A row that is no example and fills up a batch."""


class InputFeatures:
    """What a record is made of.

    Args:
        input_ids: S ints.
        input_mask: S ints.
        segment_ids: S ints.
        label_id: the label's place in the list of labels.
        is_real_example: False for a `PaddingInputExample`.
    """

    def __init__(
        self,
        input_ids: Sequence[int],
        input_mask: Sequence[int],
        segment_ids: Sequence[int],
        label_id: int,
        is_real_example: bool = True,
    ) -> None:
        self.input_ids = input_ids
        self.input_mask = input_mask
        self.segment_ids = segment_ids
        self.label_id = label_id
        self.is_real_example = is_real_example


def convert_single_example(
    ex_index: int,
    example: InputExample | PaddingInputExample,
    label_list: Sequence[Any],
    max_seq_length: int,
    tokenizer: Any,
) -> InputFeatures:
    """Makes the features of an example; logs it where ex_index is below 5.

    Args:
        ex_index: the example's number.
        example: the example.
        label_list: the labels; of equal ones the last counts.
        max_seq_length: S.
        tokenizer: has `tokenize` and `convert_tokens_to_ids`.

    Raises:
        KeyError: the label is not in label_list.
        AssertionError, IndexError: see `sequences.pack_texts`.
    """
    if isinstance(example, PaddingInputExample):
        ids, mask, segments = ([0] * max_seq_length for _ in range(3))
        return InputFeatures(ids, mask, segments, 0, is_real_example=False)
    label_id = {name: number for number, name in enumerate(label_list)}[
        example.label
    ]
    tokens, values = sequences.pack_texts(
        example.text_a, example.text_b, tokenizer, max_seq_length
    )
    if ex_index < features.LOGGED_EXAMPLES:
        features.log_example(
            example, tokens, {**values, "label_ids": [label_id]}
        )
    return InputFeatures(
        values["input_ids"],
        values["input_mask"],
        values["segment_ids"],
        label_id,
    )


def convert_examples_to_features(
    examples: Sequence[InputExample | PaddingInputExample],
    label_list: Sequence[Any],
    max_seq_length: int,
    tokenizer: Any,
) -> list[InputFeatures]:
    """Makes the features of all examples; see `convert_single_example`."""
    found = []
    for index, example in enumerate(examples):
        features.log_progress(index, len(examples))
        found.append(
            convert_single_example(
                index, example, label_list, max_seq_length, tokenizer
            )
        )
    return found


def file_based_convert_examples_to_features(
    examples: Sequence[InputExample | PaddingInputExample],
    label_list: Sequence[Any],
    max_seq_length: int,
    tokenizer: Any,
    output_file: str,
) -> None:
    """Writes a record for each example; see `convert_single_example`.

    Raises:
        OSError: the file cannot be written.
    """
    # Here, since it imports NumPy.
    from bert.data.records import record_writer

    def rows():
        for row in convert_examples_to_features(
            examples, label_list, max_seq_length, tokenizer
        ):
            yield {
                "input_ids": row.input_ids,
                "input_mask": row.input_mask,
                "segment_ids": row.segment_ids,
                "label_ids": [row.label_id],
                "is_real_example": [int(row.is_real_example)],
            }

    fields = kinds.find("classification").fields(max_seq_length, 1)
    record_writer.write(output_file, fields, rows())


def input_fn_builder(
    features: Sequence[InputFeatures],
    seq_length: int,
    is_training: bool,
    drop_remainder: bool,
) -> input_fns.InputFn:
    """Returns the `input_fn` of features; see `input_fns.of_features`."""
    del seq_length  # the features have it
    columns = {
        name: [getattr(row, name) for row in features]
        for name in ("input_ids", "input_mask", "segment_ids")
    }
    columns["label_ids"] = [row.label_id for row in features]
    return input_fns.of_features(columns, is_training, drop_remainder)


def file_based_input_fn_builder(
    input_file: str, seq_length: int, is_training: bool, drop_remainder: bool
) -> input_fns.InputFn:
    """Returns the `input_fn` of a file; see `input_fns.of_file`."""
    return input_fns.of_file(
        input_file,
        seq_length,
        ("label_ids", "is_real_example"),
        is_training,
        drop_remainder,
    )

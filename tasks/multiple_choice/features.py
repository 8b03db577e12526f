"""Questions with choices → the features of their records.

Letters of shapes: C choices of a record, S sequence.
"""

from collections.abc import Iterator, Sequence

from absl import logging

from bert.data.records import packing
from bert.data.records.fields import Field, sequence_fields
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.spec import INPUTS

_details = logging.get_absl_logger().getChild("details")

# Whose features are logged.
LOGGED_EXAMPLES = 5


def fields(seq_length: int, num_choices: int) -> tuple[Field, ...]:
    """Returns the fields of run_multiple_choice.py's records.

    Args:
        seq_length: the flag max_seq_length, S.
        num_choices: C; a choice that there is not is all padding.
    """
    return (*sequence_fields(seq_length, num_choices), Field("label_ids", 1))


def featurize(
    examples: Sequence[ChoiceExample],
    num_choices: int,
    max_seq_length: int,
    tokenizer: FullTokenizer,
) -> Iterator[dict[str, list[int]]]:
    """Yields the features of each example; logs the first five.

    Args:
        examples: in the order of the records.
        num_choices: C, at least as many as each example has.
        max_seq_length: S; pairs are cut as run_classifier.py's.
        tokenizer: makes ids of text.

    Yields:
        `input_ids`, `input_mask`, `segment_ids` (C * S ints, choice after
        choice) and `label_ids` ([1]; 0 where there is none).
    """
    for index, example in enumerate(examples):
        features: dict[str, list[int]] = {name: [] for name in INPUTS}
        features["label_ids"] = [example.label or 0]
        is_logged = index < LOGGED_EXAMPLES
        if is_logged:
            _details.info("*** Example ***")
            _details.info("guid: %s", example.guid)
        rows = iter(pack(example, max_seq_length, tokenizer))
        for number in range(num_choices):
            is_there = any(example.choices[number : number + 1])
            packed = next(rows) if is_there else packing.Packed([], 0)
            padded = packing.pad(packed, max_seq_length)
            for name, values in padded.items():
                features[name] += values
            if is_logged:
                tokens = tokenizer.convert_ids_to_tokens(packed.ids)
                _details.info("choice: %d", number)
                _details.info("tokens: %s", " ".join(tokens))
                for name, values in padded.items():
                    _details.info("%s: %s", name, " ".join(map(str, values)))
        if is_logged:
            _details.info("label: %s", example.label)
        yield features


def pack(
    example: ChoiceExample, max_seq_length: int, tokenizer: FullTokenizer
) -> list[packing.Packed]:
    """Returns the text with each choice that there is, as one sequence.

    Args:
        example: its text is encoded once.
        max_seq_length: S; pairs are cut as run_classifier.py's.
        tokenizer: makes ids of text.
    """
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    # Of a pair the first so many pieces decide.
    text_ids = tokenizer.encode(example.text, max_seq_length)

    def encode(text: str) -> list[int]:
        # A list of its own: a pair is cut in place.
        if text is example.text:
            return list(text_ids)
        return tokenizer.encode(text, max_seq_length)

    return [
        packing.pack_texts(
            example.text, choice, encode, special, max_seq_length
        )
        for choice in example.choices
        if choice
    ]

"""Examples of a classification task → the features of their records.

Imports neither TensorFlow nor NumPy.
"""

from collections.abc import Iterator, Mapping, Sequence

from absl import logging

from bert.data.records import long_texts, packing
from bert.data.records.long_texts import LongTexts
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.classification.processors import InputExample

_details = logging.get_absl_logger().getChild("details")

# Whose features are logged.
LOGGED_EXAMPLES = 5


def featurize(
    examples: Sequence[InputExample],
    label_ids: Sequence[Sequence[float]],
    max_seq_length: int,
    tokenizer: FullTokenizer,
    cut: LongTexts = long_texts.END,
) -> Iterator[dict[str, Sequence[float]]]:
    """Yields the features of each example; logs the first five.

    Args:
        examples: in the order of the records.
        label_ids: the label of each as numbers.
        max_seq_length: S.
        tokenizer: makes ids of text.
        cut: what becomes of longer texts.

    Yields:
        `input_ids`, `input_mask`, `segment_ids` (S ints, of texts in windows
        those of W windows, one after the other), `label_ids` and
        `is_real_example` ([1]).
    """
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    places, num_cut = cut.max_windows or 1, 0
    for index, (example, labels) in enumerate(
        zip(examples, label_ids, strict=True)
    ):
        log_progress(index, len(examples))
        sequences = cut.pack(
            example.text_a,
            example.text_b,
            tokenizer.encode,
            special,
            max_seq_length,
        )
        num_cut += len(sequences) > places
        del sequences[places:]
        features = {
            **long_texts.pad(sequences, places, max_seq_length),
            "label_ids": labels,
            "is_real_example": [1],
        }
        if index < LOGGED_EXAMPLES:
            ids = [number for each in sequences for number in each.ids]
            tokens = tokenizer.convert_ids_to_tokens(ids)
            log_example(example, tokens, features)
        yield features
    if num_cut:
        logging.info(
            "%d of %d texts have more than --max_windows=%d windows; what is "
            "behind them is not read.",
            *(num_cut, len(examples), places),
        )


def log_progress(index: int, num_examples: int) -> None:
    """Logs every 10,000th example as the original does."""
    if index % 10000 == 0:
        _details.info("Writing example %d of %d", index, num_examples)


def log_example(
    example: InputExample,
    tokens: Sequence[str],
    features: Mapping[str, Sequence],
) -> None:
    """Logs an example as the original does."""
    _details.info("*** Example ***")
    _details.info("guid: %s", example.guid)
    _details.info("tokens: %s", " ".join(tokens))
    for name in ("input_ids", "input_mask", "segment_ids"):
        _details.info("%s: %s", name, " ".join(map(str, features[name])))
    numbers = ", ".join(map(str, features["label_ids"]))
    _details.info("label: %s (id = %s)", example.label, numbers)

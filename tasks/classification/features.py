"""Examples of a classification task → the features of their records.

Imports neither TensorFlow nor NumPy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from absl import logging

from bert.data.records import packing
from bert.data.tables import rows
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.tasks.classification.processors import InputExample

# Whose features are logged.
LOGGED_EXAMPLES = 5


def featurize(
    examples: Sequence[InputExample],
    labels: Sequence[str],
    max_seq_length: int,
    tokenizer: FullTokenizer,
    kind: str = "classification",
) -> Iterator[dict[str, list]]:
    """Yields the features of each example; logs the first five.

    Args:
        examples: in the order of the records.
        labels: the task's; their places are their ids.
        max_seq_length: S; longer texts lose their end.
        tokenizer: makes ids of text.
        kind: see `DataProcessor`.

    Yields:
        `input_ids`, `input_mask`, `segment_ids` (S ints), `label_ids` (as
        `records.classification_fields` says) and `is_real_example` ([1]).
    """
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    for index, example in enumerate(examples):
        if index % 10000 == 0:
            logging.info("Writing example %d of %d", index, len(examples))
        packed = packing.pack_texts(
            example.text_a,
            example.text_b,
            tokenizer.encode,
            special,
            max_seq_length,
        )
        features = packing.pad(packed, max_seq_length)
        features["label_ids"] = label_ids(example, labels, kind)
        features["is_real_example"] = [1]
        if index < LOGGED_EXAMPLES:
            tokens = tokenizer.convert_ids_to_tokens(packed.ids)
            _log(example, tokens, features)
        yield features


def inputs(
    examples: Iterable[InputExample], labels: Sequence[str], kind: str
) -> Iterator[tuple]:
    """Yields what each example's features are made from.

    Args:
        examples: in the order of the records.
        labels: the task's.
        kind: see `DataProcessor`.
    """
    for example in examples:
        ids = label_ids(example, labels, kind)
        yield example.text_a, example.text_b, ids


def label_ids(
    example: InputExample, labels: Sequence[str], kind: str
) -> list[int] | list[float]:
    """Returns an example's label as numbers; without a label, zeros.

    Raises:
        UserError: its label is not one of the task's.
    """
    if kind == "regression":
        return [_number(example)]
    if kind == "multi_label":
        own = example.label or ()
        _check_labels(example, own, labels)
        return [int(label in own) for label in labels]
    if example.label is None:
        return [0]
    _check_labels(example, [example.label], labels)
    return [list(labels).index(example.label)]


def _number(example: InputExample) -> float:
    try:
        return 0.0 if example.label is None else float(example.label)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"Example {example.guid}: expected a number as label. Received: "
            f"{rows.shorten(example.label)}, of the text "
            f"{rows.shorten(example.text_a)}."
        ) from error


def _check_labels(
    example: InputExample, own: Sequence[str], labels: Sequence[str]
) -> None:
    for label in own:
        if label not in labels:
            raise UserError(
                f"Example {example.guid}: expected one of the labels that "
                f"get_labels() gives ({rows.some(list(labels))}). "
                f"Received: {rows.shorten(label)}, of the text "
                f"{rows.shorten(example.text_a)}."
            )


def _log(
    example: InputExample,
    tokens: Sequence[str],
    features: Mapping[str, Sequence],
) -> None:
    """Logs an example as the original does."""
    logging.info("*** Example ***")
    logging.info("guid: %s", example.guid)
    logging.info("tokens: %s", " ".join(tokens))
    for name in ("input_ids", "input_mask", "segment_ids"):
        logging.info("%s: %s", name, " ".join(map(str, features[name])))
    numbers = ", ".join(map(str, features["label_ids"]))
    logging.info("label: %s (id = %s)", example.label, numbers)

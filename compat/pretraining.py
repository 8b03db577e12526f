"""What create_pretraining_data.py of the original has for code that imports it.

Values of flags are arguments here; create_pretraining_data.py fills them in.
Tokens stand for their ids in `data.corpus.instances`.
"""

import collections
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bert.compat import sequences
from bert.data.corpus import instances
from bert.data.corpus.documents import Documents, read_documents
from bert.data.corpus.draws import shuffle
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.masking import mask
from bert.data.records import packing
from bert.data.text.tokenization import printable_text
from bert.files import text_input

if TYPE_CHECKING:
    import tensorflow as tf


class TrainingInstance:
    """A masked pair of texts.

    Args:
        tokens: [CLS] a [SEP] b [SEP], masked.
        segment_ids: 0 for a, 1 for b.
        masked_lm_positions: which tokens are to be predicted, ascending.
        masked_lm_labels: the tokens that were there.
        is_random_next: whether b is a random text.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        segment_ids: Sequence[int],
        masked_lm_positions: Sequence[int],
        masked_lm_labels: Sequence[str],
        is_random_next: bool,
    ) -> None:
        self.tokens = tokens
        self.segment_ids = segment_ids
        self.is_random_next = is_random_next
        self.masked_lm_positions = masked_lm_positions
        self.masked_lm_labels = masked_lm_labels

    def __repr__(self) -> str:
        lines = [
            f"tokens: {' '.join(map(printable_text, self.tokens))}",
            f"segment_ids: {' '.join(map(str, self.segment_ids))}",
            f"is_random_next: {self.is_random_next}",
            f"masked_lm_positions: "
            f"{' '.join(map(str, self.masked_lm_positions))}",
            f"masked_lm_labels: "
            f"{' '.join(map(printable_text, self.masked_lm_labels))}",
        ]
        return "\n".join(lines) + "\n\n"


# A token that is to be predicted: its position, and what it is.
MaskedLmInstance = collections.namedtuple("MaskedLmInstance", "index label")


class _Continuations:
    """The pieces that begin with "##"."""

    def __contains__(self, token: str) -> bool:
        return token.startswith("##")


def _vocabulary(words: Sequence[str]) -> Vocabulary:
    """Returns the vocabulary of tokens that stand for their ids."""
    ids: Any = ("[MASK]", words, _Continuations())
    return Vocabulary(packing.SpecialIds(*sequences.SPECIAL_TOKENS), *ids)


def create_training_instances(
    input_files: Iterable[str],
    tokenizer: Any,
    settings: InstanceSettings,
    rng: random.Random,
) -> list[TrainingInstance]:
    """Makes the instances of all passes over text, shuffled.

    Args:
        input_files: a sentence a line, a blank line after each document.
        tokenizer: has `tokenize` and `vocab`.
        settings: what to make.
        rng: where every random number comes from.

    Raises:
        OSError: a file cannot be read.
    """

    def lines_of(name: str) -> Iterable[bytes]:
        with text_input.reader(name) as file:
            yield from file

    documents = read_documents(
        ((name, lines_of(name)) for name in input_files), tokenizer.tokenize
    )
    found = [
        _training_instance(instance)
        for of_document in instances.create_training_instances(
            documents, settings, _vocabulary(list(tokenizer.vocab)), rng
        )
        for instance in of_document
    ]
    shuffle(found, rng)
    return found


def create_instances_from_document(
    all_documents: Sequence[Sequence[Sequence[Any]]],
    document_index: int,
    settings: InstanceSettings,
    vocab_words: Sequence[str],
    rng: random.Random,
) -> list[TrainingInstance]:
    """Makes the instances of a document, in one pass.

    Args:
        all_documents: documents of sentences of tokens.
        document_index: which of them.
        settings: what to make.
        vocab_words: what a random word is drawn from.
        rng: where every random number comes from.

    Raises:
        AssertionError, ValueError: the sequences are too short for two texts.
    """
    documents = Documents()
    for sentences in all_documents:
        for tokens in sentences:
            documents.add_sentence(tokens)
        documents.firsts.append(len(documents.bounds) - 1)
    found = instances.document_instances(
        documents,
        document_index,
        range(len(documents)),
        document_index,
        settings,
        _vocabulary(vocab_words),
        rng,
    )
    return [_training_instance(instance) for instance in found]


def _training_instance(instance: instances.Instance) -> TrainingInstance:
    tokens: list[Any] = list(instance.packed.ids)
    labels: list[Any] = list(instance.masked_lm_ids)
    first = instance.packed.first_length
    # As the original: a text of no tokens is an error.
    assert first > 2
    assert len(tokens) - first > 1
    return TrainingInstance(
        tokens,
        [0] * first + [1] * (len(tokens) - first),
        instance.masked_lm_positions,
        labels,
        instance.next_sentence_label,
    )


def create_masked_lm_predictions(
    tokens: Sequence[str],
    masked_lm_prob: float,
    max_predictions_per_seq: int,
    vocab_words: Sequence[str],
    rng: random.Random,
    do_whole_word_mask: bool,
) -> tuple[list[str], list[int], list[str]]:
    """Masks tokens; [CLS] and [SEP] never are.

    Args:
        tokens: a sequence.
        masked_lm_prob: share of the tokens to mask.
        max_predictions_per_seq: how many at most.
        do_whole_word_mask: mask all pieces of a word or none.
        vocab_words: what a random word is drawn from.
        rng: where every random number comes from.

    Returns:
        The masked sequence, the positions, and the tokens that were there.
    """
    masked: list[Any] = list(tokens)
    candidates = [
        place
        for place, token in enumerate(tokens)
        if token not in sequences.SPECIAL_TOKENS
    ]
    settings = InstanceSettings(
        max_seq_length=len(tokens),
        max_predictions_per_seq=max_predictions_per_seq,
        masked_lm_prob=masked_lm_prob,
        short_seq_prob=0.0,
        dupe_factor=1,
        do_whole_word_mask=do_whole_word_mask,
    )
    masks: Any = mask(
        masked, candidates, settings, _vocabulary(vocab_words), rng
    )
    return masked, *masks


def truncate_seq_pair(
    tokens_a: list[str],
    tokens_b: list[str],
    max_num_tokens: int,
    rng: random.Random,
) -> None:
    """Cuts a pair down in place: `packing.truncate_spans_at_random`.

    Raises:
        AssertionError: there is nothing left to cut.
    """
    assert max_num_tokens >= 0
    spans = packing.truncate_spans_at_random(
        (0, len(tokens_a)), (0, len(tokens_b)), max_num_tokens, rng
    )
    for tokens, (start, stop) in zip((tokens_a, tokens_b), spans, strict=True):
        tokens[:] = tokens[start:stop]


def write_instance_to_example_files(
    instances: Sequence[TrainingInstance],
    tokenizer: Any,
    max_seq_length: int,
    max_predictions_per_seq: int,
    output_files: Sequence[str],
) -> None:
    """Writes records to files that take turns; logs 20 of them.

    Args:
        instances: what to write.
        tokenizer: has `convert_tokens_to_ids`.
        max_seq_length: S.
        max_predictions_per_seq: P; an instance with more has a longer record.
        output_files: the files.

    Raises:
        AssertionError: an instance has more than S tokens.
        KeyError: a token is not in the vocabulary.
    """
    # Here, so that --help needs no NumPy.
    import numpy as np

    from bert.data.corpus import instance_records, record_fields
    from bert.data.records import record_bytes

    frames = []
    logged = []
    for number, instance in enumerate(instances):
        size = max(max_predictions_per_seq, len(instance.masked_lm_labels))
        fields = record_fields.pretraining_fields(max_seq_length, size)
        values = _values(instance, tokenizer, max_seq_length, size)
        arrays = {
            field.name: np.array([values[field.name]], field.dtype)
            for field in fields
        }
        frames += record_bytes.frames(fields, arrays)
        if number < instance_records.LOGGED_INSTANCES:
            logged.append((instance.tokens, values))
    for tokens, values in logged:
        instance_records.log([printable_text(t) for t in tokens], values)
    instance_records.write(frames, output_files)


def _values(
    instance: TrainingInstance, tokenizer: Any, seq_length: int, size: int
) -> dict[str, list]:
    """Returns what `record_fields.pretraining_fields` names."""

    def padded(numbers: Iterable[int], length: int) -> list[int]:
        own = list(numbers)
        return own + [0] * (length - len(own))

    ids = list(tokenizer.convert_tokens_to_ids(instance.tokens))
    labels = tokenizer.convert_tokens_to_ids(instance.masked_lm_labels)
    assert len(ids) <= seq_length
    return {
        "input_ids": padded(ids, seq_length),
        "input_mask": padded([1] * len(ids), seq_length),
        "segment_ids": padded(instance.segment_ids, seq_length),
        "masked_lm_positions": padded(instance.masked_lm_positions, size),
        "masked_lm_ids": padded(labels, size),
        "masked_lm_weights": [
            *[1.0] * len(labels),
            *[0.0] * (size - len(labels)),
        ],
        "next_sentence_labels": [int(instance.is_random_next)],
    }


def create_int_feature(values: Iterable[int]) -> "tf.train.Feature":
    """Returns a feature of whole numbers."""
    import tensorflow as tf

    # A bool with a sign is an int; a list takes only these.
    numbers = [+value for value in values]
    return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))


def create_float_feature(values: Iterable[float]) -> "tf.train.Feature":
    """Returns a feature of numbers."""
    import tensorflow as tf

    return tf.train.Feature(float_list=tf.train.FloatList(value=list(values)))

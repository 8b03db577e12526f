"""Text → documents → instances for the two tasks of pre-training.

The same documents, settings and seed give the same instances in the same
order as google-research/bert's create_pretraining_data.py: every number that
it draws from its `random.Random` is drawn here too, in its order. Documents
are lists of sentences, sentences lists of ids.

Source: Devlin et al. 2019, section 3.1 and appendix A.1, A.2.
"""

import dataclasses
import itertools
import random
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableSequence,
)
from typing import NamedTuple

from absl import logging

from data import packing

Document = list[list[int]]

# How often another document is drawn where the same one came up.
_RANDOM_DOCUMENT_TRIES = 10


@dataclasses.dataclass(frozen=True)
class Settings:
    """What instances to make; the flags of the same names.

    Attributes:
        max_seq_length: ids of an instance at most, [CLS] and [SEP] counted;
            at least 5.
        max_predictions_per_seq: masked positions of an instance at most.
        masked_lm_prob: share of an instance's ids to mask.
        short_seq_prob: how often a document's instances are made shorter.
        dupe_factor: passes over the documents, each with other masks.
        do_whole_word_mask: mask all pieces of a word or none.
    """

    max_seq_length: int
    max_predictions_per_seq: int
    masked_lm_prob: float
    short_seq_prob: float
    dupe_factor: int
    do_whole_word_mask: bool


class Vocabulary(NamedTuple):
    """What masking and packing know of a vocabulary.

    Attributes:
        special: [CLS] and [SEP].
        mask_id: [MASK].
        word_ids: what a random word is drawn from, in the order of the file.
        continuation_ids: the pieces that begin with "##".
    """

    special: packing.SpecialIds
    mask_id: int
    word_ids: list[int]
    continuation_ids: frozenset[int]

    @classmethod
    def from_vocab(cls, vocab: Mapping[str, int]) -> "Vocabulary":
        """Reads it from a tokenizer's `vocab`, token → id."""
        return cls(
            packing.SpecialIds.from_vocab(vocab),
            vocab["[MASK]"],
            list(vocab.values()),
            frozenset(i for token, i in vocab.items() if token[:2] == "##"),
        )


class Instance(NamedTuple):
    """A masked pair of texts.

    Attributes:
        packed: [CLS] a [SEP] b [SEP], some ids replaced.
        is_random_next: whether b is from anywhere, instead of following a.
        masked_lm_positions: which ids of `packed` are to be predicted,
            ascending.
        masked_lm_ids: what stood there.
    """

    packed: packing.Packed
    is_random_next: bool
    masked_lm_positions: list[int]
    masked_lm_ids: list[int]


def read_documents(
    files: Iterable[tuple[str, Iterable[bytes]]],
    encode: Callable[[str], list[int]],
) -> list[Document]:
    """Reads text: a sentence a line, a blank line after each document.

    The end of a file ends no document. Bytes that are not UTF-8 are left out,
    with one warning.

    Args:
        files: pairs of a name and the lines in it.
        encode: text → ids.

    Returns:
        The documents that have a sentence, without the sentences that have no
        ids.
    """
    documents: list[Document] = [[]]
    num_bad, first_bad = 0, ""
    for name, lines in files:
        for number, line in enumerate(lines, start=1):
            try:
                text = line.decode("utf-8").strip()
            except UnicodeDecodeError:
                text = line.decode("utf-8", "ignore").strip()
                num_bad += 1
                first_bad = first_bad or f"{name}, line {number}"
            if not text:
                documents.append([])
            elif ids := encode(text):
                documents[-1].append(ids)
    if num_bad:
        logging.warning(
            "Expected UTF-8 text. Received %d lines with other bytes, which "
            "are left out (the first: %s); convert the text to UTF-8.",
            num_bad,
            first_bad,
        )
    return [document for document in documents if document]


def create_training_instances(
    documents: list[Document],
    settings: Settings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> Iterator[list[Instance]]:
    """Makes the instances of all passes over the documents.

    The original ends with a shuffle of all of them: whoever has collected
    what is yielded here (or what became of it) calls `shuffle` on that, with
    the same rng.

    Args:
        documents: at least one, none empty; gets shuffled.
        settings: what to make.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.

    Yields:
        The instances of each document of each pass.
    """
    shuffle(documents, rng)
    for _ in range(settings.dupe_factor):
        for index in range(len(documents)):
            yield create_instances_from_document(
                documents, index, settings, vocabulary, rng
            )


def create_instances_from_document(
    documents: list[Document],
    document_index: int,
    settings: Settings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> list[Instance]:
    """Makes the instances of one document in one pass.

    A chunk is as many sentences as fill a sequence. Its first few are a; b is
    the rest of it or, by a coin, sentences from another document, and then
    the rest goes back to be used next.
    """
    document = documents[document_index]
    max_num_tokens = settings.max_seq_length - 3
    # Mostly full sequences, so that little is padding; some shorter ones, as
    # fine-tuning will see them.
    target_length = max_num_tokens
    if rng.random() < settings.short_seq_prob:
        target_length = rng.randint(2, max_num_tokens)

    instances = []
    start = 0
    while start < len(document):
        chunk = _next_chunk(document, start, target_length)
        a_end = rng.randint(1, len(chunk) - 1) if len(chunk) > 1 else 1
        ids_a = _joined(chunk[:a_end])
        is_random_next = len(chunk) == 1 or rng.random() < 0.5
        if is_random_next:
            ids_b = _random_sentences(
                documents, document_index, target_length - len(ids_a), rng
            )
            start += a_end
        else:
            ids_b = _joined(chunk[a_end:])
            start += len(chunk)
        packing.truncate_seq_pair_at_random(ids_a, ids_b, max_num_tokens, rng)
        packed = packing.pack_pair(ids_a, ids_b, vocabulary.special)
        positions, ids = create_masked_lm_predictions(
            packed, settings, vocabulary, rng
        )
        instances.append(Instance(packed, is_random_next, positions, ids))
    return instances


def create_masked_lm_predictions(
    packed: packing.Packed,
    settings: Settings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> tuple[list[int], list[int]]:
    """Masks words of a sequence, in place.

    Of the chosen ids 80 % become [MASK], 10 % stay and 10 % become any word
    of the vocabulary.

    Returns:
        The positions that were chosen, ascending, and the ids that stood
        there.
    """
    ids = packed.ids
    num_to_predict = min(
        settings.max_predictions_per_seq,
        max(1, round(len(ids) * settings.masked_lm_prob)),
    )
    # [CLS] and both [SEP] are never masked.
    candidates = [
        *range(1, packed.first_length - 1),
        *range(packed.first_length, len(ids) - 1),
    ]
    if settings.do_whole_word_mask:
        words = _words(candidates, ids, vocabulary.continuation_ids)
        shuffle(words, rng)
        chosen = _first_that_fit(words, num_to_predict)
    else:
        shuffle(candidates, rng)
        chosen = candidates[:num_to_predict]

    labels = {}
    # In the order in which they were chosen: each draws its replacement.
    for position in chosen:
        labels[position] = ids[position]
        if rng.random() < 0.8:
            ids[position] = vocabulary.mask_id
        elif rng.random() >= 0.5:
            word = rng.randint(0, len(vocabulary.word_ids) - 1)
            ids[position] = vocabulary.word_ids[word]
    chosen.sort()
    return chosen, [labels[position] for position in chosen]


def instance_features(
    instance: Instance, settings: Settings
) -> dict[str, list[int] | list[float]]:
    """Returns the features that `records.pretraining_fields` names.

    Predictions that are not used are position 0, id 0, weight 0.0.
    """
    num_predictions = len(instance.masked_lm_positions)
    num_unused = settings.max_predictions_per_seq - num_predictions
    unused = [0] * num_unused
    return {
        **packing.pad(instance.packed, settings.max_seq_length),
        "masked_lm_positions": instance.masked_lm_positions + unused,
        "masked_lm_ids": instance.masked_lm_ids + unused,
        "masked_lm_weights": [1.0] * num_predictions + [0.0] * num_unused,
        "next_sentence_labels": [int(instance.is_random_next)],
    }


def shuffle(items: MutableSequence, rng: random.Random) -> None:
    """Does what `rng.shuffle(items)` does, in a third of the time.

    The same numbers are drawn and the same state is left: for each place from
    the last to the second, `getrandbits` of as many bits as the place's
    number has, again while it is too high (Python 3.11 to 3.13).
    """
    getrandbits = rng.getrandbits
    last = len(items) - 1
    while last > 0:
        bits = (last + 1).bit_length()
        # The first place whose number, place + 1, has that many bits.
        first = (1 << (bits - 1)) - 1
        for place in range(last, first - 1, -1):
            other = getrandbits(bits)
            while other > place:
                other = getrandbits(bits)
            items[place], items[other] = items[other], items[place]
        last = first - 1


def _next_chunk(
    document: Document, start: int, target_length: int
) -> list[list[int]]:
    """Returns sentences from `start` on until they have target_length ids."""
    length = 0
    for end in range(start, len(document)):
        length += len(document[end])
        if length >= target_length:
            return document[start : end + 1]
    return document[start:]


def _random_sentences(
    documents: list[Document],
    document_index: int,
    target_length: int,
    rng: random.Random,
) -> list[int]:
    """Returns sentences in a row from anywhere but, if it can be, here."""
    for _ in range(_RANDOM_DOCUMENT_TRIES):
        random_index = rng.randint(0, len(documents) - 1)
        if random_index != document_index:
            break
    document = documents[random_index]
    start = rng.randint(0, len(document) - 1)
    return _joined(_next_chunk(document, start, target_length))


def _joined(sentences: Iterable[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(sentences))


def _words(
    positions: Iterable[int], ids: list[int], continuation_ids: frozenset[int]
) -> list[list[int]]:
    """Returns the positions word by word.

    A continuation belongs to the word before it, be that in the other text:
    truncation can leave a text that begins with such a piece.
    """
    words: list[list[int]] = []
    for position in positions:
        if words and ids[position] in continuation_ids:
            words[-1].append(position)
        else:
            words.append([position])
    return words


def _first_that_fit(words: Iterable[list[int]], limit: int) -> list[int]:
    """Returns the positions of words, leaving out those that exceed limit."""
    chosen: list[int] = []
    for positions in words:
        if len(chosen) + len(positions) <= limit:
            chosen += positions
    return chosen

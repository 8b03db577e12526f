"""Text → documents → instances for the two tasks of pre-training.

The same documents, settings and seed give the same instances in the same
order as google-research/bert's create_pretraining_data.py: every number that
it draws from its `random.Random` is drawn here too, in its order.

Source: Devlin et al. 2019, section 3.1 and appendix A.1, A.2.
"""

import bisect
import dataclasses
import random
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableSequence,
    Sequence,
)
from typing import Any, NamedTuple

from absl import logging

from bert.data.records import packing
from bert.data.text import special_tokens
from bert.errors import UserError

# How often another document is drawn where the same one came up.
_RANDOM_DOCUMENT_TRIES = 10


@dataclasses.dataclass(frozen=True)
class InstanceSettings:
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
    """What masking and packing need of a vocabulary.

    Attributes:
        special: [CLS] and [SEP].
        mask_id: [MASK].
        word_ids: what a random word is drawn from, in the order of the file.
        continuation_ids: the pieces that go on with the word of the one
            before them: word pieces that begin with "##".
        unfinished_ids: the pieces with whose word the next one goes on: byte
            pairs that do not end with "</w>".
    """

    special: packing.SpecialIds
    mask_id: int
    word_ids: list[int]
    continuation_ids: frozenset[int]
    unfinished_ids: frozenset[int] = frozenset()

    @classmethod
    def from_vocab(cls, vocab: Mapping[str, int]) -> "Vocabulary":
        """Reads it from a tokenizer's `vocab`, token → id."""
        names = special_tokens.of(vocab)
        has_pairs = names is special_tokens.BYTE_PAIRS
        inside = frozenset(
            number
            for token, number in vocab.items()
            if token not in names
            and (token[-4:] != "</w>" if has_pairs else token[:2] == "##")
        )
        return cls(
            packing.SpecialIds.from_vocab(vocab),
            vocab[names.mask],
            list(vocab.values()),
            *((frozenset(), inside) if has_pairs else (inside,)),
        )


class Instance(NamedTuple):
    """A masked pair of texts.

    Attributes:
        packed: [CLS] a [SEP] b [SEP], some ids replaced.
        is_random_next: whether b is a random text, not the one after a.
        masked_lm_positions: which ids of `packed` are to be predicted,
            ascending.
        masked_lm_ids: the ids that were there before masking.
    """

    packed: packing.Packed
    is_random_next: bool
    masked_lm_positions: list[int]
    masked_lm_ids: list[int]


@dataclasses.dataclass
class Documents:
    """Documents of sentences of ids, one after the other.

    Attributes:
        ids: of all sentences.
        bounds: sentence s is ids[bounds[s] : bounds[s + 1]].
        firsts: document d has the sentences firsts[d] to firsts[d + 1] - 1.
    """

    # Lists while documents are added; later also arrays or memoryviews.
    ids: Any = dataclasses.field(default_factory=list)
    bounds: Any = dataclasses.field(default_factory=lambda: [0])
    firsts: Any = dataclasses.field(default_factory=lambda: [0])

    def __len__(self) -> int:
        return len(self.firsts) - 1

    def add_sentence(self, ids: Iterable[int]) -> None:
        """Adds a sentence, not empty, to the document that is being read."""
        self.ids += ids
        self.bounds.append(len(self.ids))

    def end_document(self) -> bool:
        """Ends the document that is being read; False where it is empty."""
        num_sentences = len(self.bounds) - 1
        if num_sentences == self.firsts[-1]:
            return False
        self.firsts.append(num_sentences)
        return True


class TextPair(NamedTuple):
    """Where the two texts of an instance are.

    Attributes:
        a: span of the document's ids.
        b: span of ids: of the same, or of the others where `is_random_next`.
        is_random_next: whether b is a random text, not the one after a.
    """

    a: packing.Span
    b: packing.Span
    is_random_next: bool


def line_text(line: bytes) -> tuple[str, bool]:
    """Returns a line's text, stripped, and whether it was sound UTF-8.

    As in the original a carriage return is no part of it, wherever it stands.
    Bytes that are not UTF-8 are left out. A line without text is blank: it
    ends a document.
    """
    line = line.replace(b"\r", b"")
    try:
        return line.decode("utf-8").strip(), True
    except UnicodeDecodeError:
        return line.decode("utf-8", "ignore").strip(), False


def warn_of_bad_lines(num_bad: int, first_bad: str) -> None:
    """Warns where lines were no sound UTF-8; `first_bad` is where one is."""
    if num_bad:
        logging.warning(
            "Expected UTF-8 text. Received %d lines with other bytes, which "
            "are left out (the first: %s); convert the text to UTF-8.",
            num_bad,
            first_bad,
        )


def warn_of_one_document(files: Sequence[str]) -> None:
    """Warns that there is no other document to take sentences from."""
    logging.warning(
        "All text is one document, so random next sentences come from it as "
        "well; separate documents by blank lines (in %s).",
        names_of(files),
    )


def no_text(files: Sequence[str]) -> UserError:
    """Returns what to raise where there is no document."""
    return UserError(
        f"Expected text in the --input_file. Received: {names_of(files)}, "
        "without a line that holds a token."
    )


def names_of(files: Sequence[str]) -> str:
    """Returns the first files, as messages list them."""
    return ", ".join(files[:3]) + ", ..." * (len(files) > 3)


def read_documents(
    files: Iterable[tuple[str, Iterable[bytes]]],
    encode: Callable[[str], list[int]],
) -> Documents:
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
    documents = Documents()
    num_bad, first_bad = 0, ""
    for name, lines in files:
        for number, line in enumerate(lines, start=1):
            text, is_sound = line_text(line)
            if not is_sound:
                num_bad += 1
                first_bad = first_bad or f"{name}, line {number}"
            if not text:
                documents.end_document()
            elif ids := encode(text):
                documents.add_sentence(ids)
    documents.end_document()
    warn_of_bad_lines(num_bad, first_bad)
    return documents


def create_training_instances(
    documents: Documents,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> Iterator[list[Instance]]:
    """Makes the instances of all passes over the documents.

    The original shuffles all of them at the end: the caller collects what is
    yielded (or what it is converted to), and calls `shuffle` on that with the
    same rng.

    Args:
        documents: at least one.
        settings: what to make.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.

    Yields:
        The instances of each document of each pass.
    """
    order = list(range(len(documents)))
    shuffle(order, rng)
    for _ in range(settings.dupe_factor):
        for place, index in enumerate(order):
            yield document_instances(
                documents, index, order, place, settings, vocabulary, rng
            )


def document_instances(
    documents: Documents,
    index: int,
    order: Sequence[int],
    own: int,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> list[Instance]:
    """Makes the instances of one document, in one pass.

    Args:
        documents: at least one.
        index: which it is.
        order: see `text_pairs`.
        own: see `text_pairs`.
        settings: what to make.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.
    """
    pairs = text_pairs(documents, index, documents, order, own, settings, rng)
    # One at a time: an instance's masks are drawn before the next one's texts.
    return [
        _masked(documents.ids, pair, settings, vocabulary, rng)
        for pair in pairs
    ]


def _masked(
    ids: Sequence[int],
    pair: TextPair,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> Instance:
    a, b, is_random_next = pair
    packed = packing.pack_pair(
        ids[slice(*a)], ids[slice(*b)], vocabulary.special
    )
    masks = create_masked_lm_predictions(packed, settings, vocabulary, rng)
    return Instance(packed, is_random_next, *masks)


def text_pairs(
    documents: Documents,
    index: int,
    others: Documents,
    order: Sequence[int],
    own: int,
    settings: InstanceSettings,
    rng: random.Random,
) -> Iterator[TextPair]:
    """Cuts one document, in one pass, into pairs of texts.

    A chunk is as many sentences as fill a sequence. Its first few are a; b is
    the rest of it or, by a coin, sentences from another document, and then
    the rest goes back to be used next.

    Args:
        documents: where the document is.
        index: which it is.
        others: where random next sentences come from.
        order: their numbers, one of which is drawn.
        own: where in `order` this document stands; -1: nowhere.
        settings: what to make.
        rng: where every random number comes from.
    """
    bounds = documents.bounds
    start, stop = documents.firsts[index], documents.firsts[index + 1]
    max_num_tokens = settings.max_seq_length - 3
    # Mostly full sequences, so that little is padding; some shorter ones, as
    # fine-tuning will see them.
    target_length = max_num_tokens
    if rng.random() < settings.short_seq_prob:
        target_length = rng.randint(2, max_num_tokens)

    while start < stop:
        end = _chunk_end(bounds, start, stop, target_length)
        size = end - start
        a_end = start + (1 + draw_below(size - 1, rng) if size > 1 else 1)
        a = bounds[start], bounds[a_end]
        is_random_next = size == 1 or rng.random() < 0.5
        if is_random_next:
            other = order[draw_other(len(order), own, rng)]
            b = _random_sentences(
                others, other, target_length - a[1] + a[0], rng
            )
            start = a_end
        else:
            b = bounds[a_end], bounds[end]
            start = end
        yield TextPair(
            *packing.truncate_spans_at_random(a, b, max_num_tokens, rng),
            is_random_next,
        )


def create_masked_lm_predictions(
    packed: packing.Packed,
    settings: InstanceSettings,
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
    # [CLS] and both [SEP] are never masked.
    candidates = [
        *range(1, packed.first_length - 1),
        *range(packed.first_length, len(ids) - 1),
    ]
    return mask(ids, candidates, settings, vocabulary, rng)


def mask(
    ids: list[int],
    candidates: list[int],
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> tuple[list[int], list[int]]:
    """Does what `create_masked_lm_predictions` does.

    Args:
        ids: the sequence.
        candidates: the positions that may be masked, ascending.
        settings: how many.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.
    """
    num_to_predict = min(
        settings.max_predictions_per_seq,
        max(1, round(len(ids) * settings.masked_lm_prob)),
    )
    if settings.do_whole_word_mask:
        words = _words(candidates, ids, vocabulary)
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
            word = draw_below(len(vocabulary.word_ids), rng)
            ids[position] = vocabulary.word_ids[word]
    chosen.sort()
    return chosen, [labels[position] for position in chosen]


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


def draw_below(limit: int, rng: random.Random) -> int:
    """Does what `rng.randrange(limit)` does, in a third of the time.

    See `shuffle`.
    """
    bits = limit.bit_length()
    number = rng.getrandbits(bits)
    while number >= limit:
        if limit < 1:
            raise ValueError("There is no number below 0 to draw.")
        number = rng.getrandbits(bits)
    return number


def draw_other(count: int, own: int, rng: random.Random) -> int:
    """Draws a number below `count`, again up to nine times if it is `own`."""
    for _ in range(_RANDOM_DOCUMENT_TRIES):
        number = draw_below(count, rng)
        if number != own:
            break
    return number


def _chunk_end(
    bounds: Sequence[int], start: int, stop: int, target_length: int
) -> int:
    """Returns the end of the sentences, from start, with target_length ids.

    At least one sentence, and at most those before `stop`.
    """
    target = bounds[start] + target_length
    return bisect.bisect_left(bounds, target, start + 1, stop)


def _random_sentences(
    documents: Documents, index: int, target_length: int, rng: random.Random
) -> packing.Span:
    """Returns sentences in a row from anywhere in a document."""
    first, stop = documents.firsts[index], documents.firsts[index + 1]
    start = first + draw_below(stop - first, rng)
    end = _chunk_end(documents.bounds, start, stop, target_length)
    return documents.bounds[start], documents.bounds[end]


def _words(
    positions: Iterable[int], ids: list[int], vocabulary: Vocabulary
) -> list[list[int]]:
    """Returns the positions word by word.

    A continuation belongs to the word before it, even to one of the other
    text: truncation can leave a text that begins with such a piece.
    """
    words: list[list[int]] = []
    for position in positions:
        if words and (
            ids[position] in vocabulary.continuation_ids
            or ids[position - 1] in vocabulary.unfinished_ids
        ):
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

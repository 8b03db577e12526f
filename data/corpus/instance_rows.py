"""Many instances at a time, as rows of arrays: packed, padded and masked.

The rules are those of `packing` and `masking`; the random numbers are given,
some for each row.

Letters: R rows, S the sequence length, P predictions of a row at most.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bert.data.corpus import instances, masking, packed_texts
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.packed_texts import Arrays
from bert.data.corpus.text_pairs import TextPair
from bert.data.records import packing


class Rows(NamedTuple):
    """Packed sequences.

    Attributes:
        ids: int32 [R, S]: [CLS] a [SEP] b [SEP], or [CLS] a [SEP]; and zeros.
        first_lengths: int64 [R], how many ids are of segment 0.
        lengths: int64 [R], how many are no padding.
    """

    ids: np.ndarray
    first_lengths: np.ndarray
    lengths: np.ndarray


def pack(
    pairs: Sequence[TextPair],
    ids: np.ndarray,
    other_ids: np.ndarray,
    special: packing.SpecialIds,
    seq_length: int,
) -> Rows:
    """Packs texts into rows.

    Args:
        pairs: the texts of each row; at least one row.
        ids: of the texts a, and of b where it follows a.
        other_ids: of b where it is a random text.
        special: [CLS] and [SEP].
        seq_length: S.
    """
    table = np.array([(*p.a, *p.b, p.is_random_next) for p in pairs])
    a_starts, a_stops, b_starts, b_stops, is_random = table.T[:, :, None]
    places = np.arange(seq_length)
    firsts = a_stops - a_starts + 2  # [CLS] a [SEP]
    b_lengths = b_stops - b_starts
    lengths = firsts + b_lengths + (b_lengths > 0)  # b [SEP]
    rows = np.zeros((len(pairs), seq_length), np.int32)
    is_a = (places >= 1) & (places < firsts - 1)
    is_b = (places >= firsts) & (places < lengths - 1)
    for here, source, origins in (
        (is_a, ids, a_starts - 1),
        (is_b & (is_random == 0), ids, b_starts - firsts),
        (is_b & (is_random == 1), other_ids, b_starts - firsts),
    ):
        rows[here] = source[(origins + places)[here]]
    rows[:, 0] = special.cls
    np.put_along_axis(rows, firsts - 1, special.sep, axis=1)
    np.put_along_axis(rows, lengths - 1, special.end, axis=1)
    return Rows(rows, firsts[:, 0], lengths[:, 0])


def num_to_predict(
    lengths: np.ndarray, settings: InstanceSettings
) -> np.ndarray:
    """Returns how many ids are masked of rows of these lengths, int64 [R]."""
    return np.clip(
        np.rint(lengths * settings.masked_lm_prob).astype(np.int64),
        1,
        settings.max_predictions_per_seq,
    )


def num_random_bytes(settings: InstanceSettings) -> int:
    """Returns how many random bytes `features` takes for a row."""
    # For each id its place in the order, and how long an n-gram is that
    # begins there; for each prediction what takes its place.
    scores = settings.max_seq_length * (2 if settings.max_ngram > 1 else 1)
    return 4 * (scores + 2 * settings.max_predictions_per_seq)


def features(
    rows: Rows,
    next_labels: np.ndarray,
    random_bytes: bytes,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
) -> dict[str, np.ndarray]:
    """Masks rows, in place, and returns the features of their records.

    With masking dynamic nothing is masked.

    Args:
        rows: the sequences.
        next_labels: of the second task, [R].
        random_bytes: `num_random_bytes` for each row.
        settings: what to mask.
        vocabulary: the one that the ids are of.

    Returns:
        By field name, arrays [R, length].
    """
    if settings.masking == "dynamic":
        none = np.zeros(0, np.int32)
        counts = np.zeros(len(rows.ids), np.int64)
        return _values(rows, next_labels, counts, none, none, settings)
    num_draws = 2 * settings.max_predictions_per_seq
    numbers = np.frombuffer(random_bytes, "<u4").reshape(len(rows.ids), -1)
    scores, draws = numbers[:, :-num_draws], numbers[:, -num_draws:]
    is_masked = _chosen(rows, scores, settings, vocabulary)

    where, positions = np.nonzero(is_masked)  # ascending in each row
    labels = rows.ids[where, positions]
    counts = is_masked.sum(axis=1)
    # The place of each among its row's predictions.
    before = np.cumsum(counts) - counts
    places = np.arange(len(where)) - np.repeat(before, counts)
    rows.ids[where, positions] = _replacements(
        labels,
        draws[where, 2 * places],
        draws[where, 2 * places + 1],
        vocabulary,
    )
    return _values(rows, next_labels, counts, positions, labels, settings)


def instance_features(
    masked: Sequence[instances.Instance], settings: InstanceSettings
) -> dict[str, np.ndarray]:
    """Returns the features of instances that are already masked.

    Returns:
        As `features` does.
    """

    def joined(lists: Iterable[list[int]]) -> np.ndarray:
        return np.fromiter(itertools.chain.from_iterable(lists), np.int32)

    packed = [instance.packed for instance in masked]
    lengths = np.array([len(one.ids) for one in packed])
    shape = len(packed), settings.max_seq_length
    ids = np.zeros(shape, np.int32)
    ids[_first(lengths, shape)] = joined(one.ids for one in packed)
    rows = Rows(ids, np.array([one.first_length for one in packed]), lengths)
    return _values(
        rows,
        np.array([instance.next_sentence_label for instance in masked]),
        np.array([len(i.masked_lm_positions) for i in masked]),
        joined(i.masked_lm_positions for i in masked),
        joined(i.masked_lm_ids for i in masked),
        settings,
    )


def together(values: Arrays, settings: InstanceSettings) -> Arrays:
    """Returns features as records have them: of rows of several, if asked for.

    Args:
        values: what `features` returns.
        settings: what to make.
    """
    if not settings.pack_sequences:
        return values
    # Also where there are no masks yet, or fewer: all that there may be.
    room = num_to_predict(packed_texts.lengths(values), settings)
    return packed_texts.pack(values, room)


def _values(
    rows: Rows,
    next_labels: np.ndarray,
    counts: np.ndarray,
    positions: np.ndarray,
    labels: np.ndarray,
    settings: InstanceSettings,
) -> dict[str, np.ndarray]:
    """Returns the features that `record_fields.pretraining_fields` names.

    Predictions that are not used are position 0, id 0, weight 0.0.

    Args:
        rows: the sequences, masked.
        next_labels: of the second task, [R].
        counts: how many predictions each row has, [R].
        positions: of the predictions, row after row.
        labels: the ids that were there before masking, in that order.
        settings: the lengths.
    """
    shape = len(counts), settings.max_predictions_per_seq
    is_used = _first(counts, shape)
    masked_positions = np.zeros(shape, np.int32)
    masked_positions[is_used] = positions
    masked_ids = np.zeros(shape, np.int32)
    masked_ids[is_used] = labels
    input_mask = _first(rows.lengths, rows.ids.shape)
    return {
        "input_ids": rows.ids,
        "input_mask": input_mask,
        "segment_ids": input_mask & ~_first(rows.first_lengths, rows.ids.shape),
        "masked_lm_positions": masked_positions,
        "masked_lm_ids": masked_ids,
        "masked_lm_weights": is_used.astype(np.float32),
        "next_sentence_labels": next_labels[:, None],
    }


def _first(counts: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns a bool array, true for the first `counts` of each row."""
    return np.arange(shape[1]) < counts[:, None]


def _chosen(
    rows: Rows,
    scores: np.ndarray,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
) -> np.ndarray:
    """Returns which positions are to be predicted, bool [R, S].

    Words (single positions, without do_whole_word_mask) are taken in the order
    of their first position's score; those that exceed the number of
    predictions are left out. With max_ngram above 1 it is n-grams that begin
    there, see `masking`; the numbers behind the scores tell their lengths.
    """
    limits = num_to_predict(rows.lengths, settings)
    places = np.arange(rows.ids.shape[1])
    # [CLS] and both [SEP] are never masked.
    is_candidate = (
        (places > 0)
        & (places != rows.first_lengths[:, None] - 1)
        & (places < rows.lengths[:, None] - 1)
    )
    is_first = is_candidate
    if settings.do_whole_word_mask:
        goes_on = np.isin(rows.ids, list(vocabulary.continuation_ids))
        if vocabulary.unfinished_ids:
            is_open = np.isin(rows.ids, list(vocabulary.unfinished_ids))
            goes_on[:, 1:] |= is_open[:, :-1]
        # A text may begin with a continuation: it belongs to the word before
        # it, even to one of the other text.
        goes_on[:, 1] = False
        is_first = is_candidate & ~goes_on
    # The number of each position's word.
    words = np.maximum(np.cumsum(is_first, axis=1) - 1, 0)
    # Each key is different, so the order does not depend on how it is sorted.
    keys = scores[:, : len(places)].astype(np.uint64) << np.uint64(32)
    keys |= words.astype(np.uint64)
    keys[~is_first] = 2**64 - 1
    keys.sort(axis=1)
    order = (keys & np.uint64(2**32 - 1)).astype(np.int64)

    flat = words + np.arange(0, words.size, len(places))[:, None]
    sizes = np.bincount(flat[is_candidate], minlength=flat.size)
    sizes = sizes.reshape(flat.shape)
    num_words = is_first.sum(axis=1)
    if settings.max_ngram > 1:
        lengths = _ngram_lengths(rows, is_first, scores, settings.max_ngram)
        is_taken = _taken_ngrams(order, num_words, sizes, lengths, limits)
    else:
        is_taken = _taken_words(order, num_words, sizes, limits)
    return is_candidate & np.take_along_axis(is_taken, words, axis=1)


def _taken_words(
    order: np.ndarray,
    num_words: np.ndarray,
    sizes: np.ndarray,
    limits: np.ndarray,
) -> np.ndarray:
    """Returns which words are taken, bool [R, S].

    Args:
        order: numbers of words, those of the row first, int [R, S].
        num_words: how many words a row has, [R].
        sizes: how many positions a word has, [R, S].
        limits: how many positions may be taken, [R].
    """
    is_taken = np.zeros(order.shape, bool)
    every_row = np.arange(len(order))
    for rank in range(num_words.max()):
        word = np.where(rank < num_words, order[:, rank], 0)
        size = sizes[every_row, word]
        fits = (rank < num_words) & (size <= limits)
        is_taken[every_row[fits], word[fits]] = True
        limits = limits - size * fits
        if not limits.any():
            break
    return is_taken


def _ngram_lengths(
    rows: Rows, is_first: np.ndarray, scores: np.ndarray, max_ngram: int
) -> np.ndarray:
    """Returns how many words an n-gram has that begins at a word, [R, S].

    No n-gram goes on in the other text.

    Args:
        rows: the sequences.
        is_first: whether a position begins a word, bool [R, S].
        scores: of the words' order, then of these lengths, uint32 [R, 2 * S].
        max_ngram: its longest.
    """
    words = np.arange(is_first.shape[1])
    every_row, num_words = np.arange(len(is_first)), is_first.sum(axis=1)
    # The first word of b; a word of a may end in b, which then has none.
    b = np.minimum(rows.first_lengths, len(words) - 1)
    ends = np.where(
        is_first[every_row, b],
        np.cumsum(is_first, axis=1)[every_row, b] - 1,
        num_words,
    )[:, None]
    ends = np.where(words < ends, ends, num_words[:, None])
    most = np.clip(ends - words, 1, max_ngram)
    line = np.array(masking.ngram_lengths(max_ngram))
    draws = scores[:, len(words) :] / 2**32 * line[most - 1]
    return 1 + np.searchsorted(line, draws, side="right")


def _taken_ngrams(
    order: np.ndarray,
    num_words: np.ndarray,
    sizes: np.ndarray,
    lengths: np.ndarray,
    limits: np.ndarray,
) -> np.ndarray:
    """Returns which words are taken, as `_taken_words` does.

    An n-gram that has more positions than are left is made shorter; one that
    meets another is left out.

    Args:
        order: see there.
        num_words: see there.
        sizes: see there.
        lengths: how many words the n-gram has that begins at a word, [R, S].
        limits: see there.
    """
    steps = np.arange(lengths.max())
    is_taken = np.zeros((len(order), order.shape[1] + len(steps)), bool)
    totals = np.pad(np.cumsum(sizes, axis=1), ((0, 0), (1, 0)))
    every_row = np.arange(len(order))
    for rank in range(num_words.max()):
        word = np.where(rank < num_words, order[:, rank], 0)
        count = lengths[every_row, word]
        before = totals[every_row, word]
        for _ in steps[1:]:
            size = totals[every_row, word + count] - before
            count = count - ((size > limits) & (count > 1))
        size = totals[every_row, word + count] - before
        ngram = every_row[:, None], word[:, None] + steps
        is_inside = steps < count[:, None]
        is_free = ~(is_taken[ngram] & is_inside).any(axis=1)
        fits = (rank < num_words) & (size <= limits) & is_free
        is_taken[ngram] |= is_inside & fits[:, None]
        limits = limits - size * fits
        if not limits.any():
            break
    return is_taken


def _replacements(
    ids: np.ndarray,
    coins: np.ndarray,
    draws: np.ndarray,
    vocabulary: Vocabulary,
) -> np.ndarray:
    """Returns 80 % [MASK], 10 % the same id, 10 % any word."""
    word_ids = np.array(vocabulary.word_ids, np.int32)
    words = draws.astype(np.uint64) * np.uint64(len(word_ids)) >> np.uint64(32)
    share = coins / 2**32
    return np.where(
        share < 0.8,
        np.int32(vocabulary.mask_id),
        np.where(share < 0.9, ids, word_ids[words]),
    )

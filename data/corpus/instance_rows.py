"""Many instances at a time, as rows of arrays: packed, padded and masked.

The rules are those of `packing` and `instances.create_masked_lm_predictions`;
the random numbers are given, some for each row.

Letters: R rows, S the sequence length, P predictions of a row at most.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bert.data.corpus import instances
from bert.data.records import packing


class Rows(NamedTuple):
    """Packed sequences.

    Attributes:
        ids: int32 [R, S]: [CLS] a [SEP] b [SEP] and zeros.
        first_lengths: int64 [R], how many ids are of segment 0.
        lengths: int64 [R], how many are no padding.
    """

    ids: np.ndarray
    first_lengths: np.ndarray
    lengths: np.ndarray


def pack(
    pairs: Sequence[instances.TextPair],
    ids: np.ndarray,
    other_ids: np.ndarray,
    special: packing.SpecialIds,
    seq_length: int,
) -> Rows:
    """Packs pairs of texts into rows.

    Args:
        pairs: the pair of each row; at least one.
        ids: of the texts a, and of b where it follows a.
        other_ids: of b where it is a random text.
        special: [CLS] and [SEP].
        seq_length: S.
    """
    table = np.array([(*a, *b, is_random) for a, b, is_random in pairs])
    a_starts, a_stops, b_starts, b_stops, is_random = table.T[:, :, None]
    places = np.arange(seq_length)
    firsts = a_stops - a_starts + 2  # [CLS] a [SEP]
    lengths = firsts + b_stops - b_starts + 1
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


def num_random_bytes(settings: instances.InstanceSettings) -> int:
    """Returns how many random bytes `features` takes for a row."""
    return 4 * (settings.max_seq_length + 2 * settings.max_predictions_per_seq)


def features(
    rows: Rows,
    is_random_next: np.ndarray,
    random_bytes: bytes,
    settings: instances.InstanceSettings,
    vocabulary: instances.Vocabulary,
) -> dict[str, np.ndarray]:
    """Masks rows, in place, and returns the features of their records.

    Args:
        rows: the sequences.
        is_random_next: [R].
        random_bytes: `num_random_bytes` for each row.
        settings: what to mask.
        vocabulary: the one that the ids are of.

    Returns:
        By field name, arrays [R, length].
    """
    seq_length = settings.max_seq_length
    numbers = np.frombuffer(random_bytes, "<u4").reshape(len(rows.ids), -1)
    scores, draws = numbers[:, :seq_length], numbers[:, seq_length:]
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
    return _values(rows, is_random_next, counts, positions, labels, settings)


def instance_features(
    masked: Sequence[instances.Instance], settings: instances.InstanceSettings
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
        np.array([instance.is_random_next for instance in masked]),
        np.array([len(i.masked_lm_positions) for i in masked]),
        joined(i.masked_lm_positions for i in masked),
        joined(i.masked_lm_ids for i in masked),
        settings,
    )


def _values(
    rows: Rows,
    is_random_next: np.ndarray,
    counts: np.ndarray,
    positions: np.ndarray,
    labels: np.ndarray,
    settings: instances.InstanceSettings,
) -> dict[str, np.ndarray]:
    """Returns the features that `record_fields.pretraining_fields` names.

    Predictions that are not used are position 0, id 0, weight 0.0.

    Args:
        rows: the sequences, masked.
        is_random_next: [R].
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
        "next_sentence_labels": is_random_next[:, None],
    }


def _first(counts: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns a bool array, true for the first `counts` of each row."""
    return np.arange(shape[1]) < counts[:, None]


def _chosen(
    rows: Rows,
    scores: np.ndarray,
    settings: instances.InstanceSettings,
    vocabulary: instances.Vocabulary,
) -> np.ndarray:
    """Returns which positions are to be predicted, bool [R, S].

    Words (single positions, without do_whole_word_mask) are taken in the order
    of their first position's score; those that exceed the number of
    predictions are left out.
    """
    limits = np.clip(
        np.rint(rows.lengths * settings.masked_lm_prob).astype(np.int64),
        1,
        settings.max_predictions_per_seq,
    )
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
    # Each key is different, so the order does not depend on how it is sorted.
    keys = scores.astype(np.uint64) << np.uint64(32) | places.astype(np.uint64)
    keys[~is_first] = 2**64 - 1
    keys.sort(axis=1)
    order = (keys & np.uint64(2**32 - 1)).astype(np.int64)

    # Where the word of each position begins, and the words' lengths there.
    firsts = np.maximum.accumulate(np.where(is_first, places, 0), axis=1)
    flat = firsts + np.arange(0, firsts.size, len(places))[:, None]
    sizes = np.bincount(flat[is_candidate], minlength=flat.size)
    sizes = sizes.reshape(flat.shape)

    is_taken = np.zeros(flat.shape, bool)
    every_row, num_words = np.arange(len(flat)), is_first.sum(axis=1)
    for rank in range(num_words.max()):
        first = np.where(rank < num_words, order[:, rank], 0)
        size = sizes[every_row, first]
        fits = (rank < num_words) & (size <= limits)
        is_taken[every_row[fits], first[fits]] = True
        limits = limits - size * fits
        if not limits.any():
            break
    return is_candidate & np.take_along_axis(is_taken, firsts, axis=1)


def _replacements(
    ids: np.ndarray,
    coins: np.ndarray,
    draws: np.ndarray,
    vocabulary: instances.Vocabulary,
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

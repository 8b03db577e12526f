from collections import Counter

import numpy as np
import pytest

from bert.data.corpus import instance_rows
from bert.data.corpus.instances import Instance
from bert.data.corpus.text_pairs import TextPair
from bert.data.records import packing
from tests.data.corpus.test_instance_settings import (
    CLS,
    MASK,
    SEP,
    VOCABULARY,
    make_settings,
)
from tests.data.corpus.test_masking import (
    NUMBERS_OF_MASKS,
    SHARES_OF_NGRAMS,
    shares,
)


def pack(*texts, seq_length=16):
    """Rows of pairs (a, b)."""
    ids, pairs = [], []
    for a, b in texts:
        start = len(ids)
        ids += [*a, *b]
        middle = start + len(a)
        pairs.append(TextPair((start, middle), (middle, len(ids)), False))
    return instance_rows.pack(
        pairs, np.array(ids), np.array([]), VOCABULARY.special, seq_length
    )


def mask(a, b, rows=1, **changes):
    settings = make_settings(**changes)
    packed = pack(*[(a, b)] * rows, seq_length=settings.max_seq_length)
    size = instance_rows.num_random_bytes(settings)
    return instance_rows.features(
        packed,
        np.zeros(rows, bool),
        np.random.default_rng(0).bytes(rows * size),
        settings,
        VOCABULARY,
    )


def chosen(*args, **changes):
    """All sets of positions that are chosen."""
    values = mask(*args, rows=200, **changes)
    return {
        tuple(positions[weights > 0].tolist())
        for positions, weights in zip(
            values["masked_lm_positions"],
            values["masked_lm_weights"],
            strict=True,
        )
    }


def test_rows_are_packed_and_padded():
    ids = np.array([10, 11, 12, 13])
    others = np.array([20, 21, 22])
    pairs = [
        TextPair((0, 2), (2, 3), False),
        TextPair((3, 4), (1, 3), True),
    ]

    rows = instance_rows.pack(pairs, ids, others, VOCABULARY.special, 7)

    assert rows.ids.tolist() == [
        [CLS, 10, 11, SEP, 12, SEP, 0],
        [CLS, 13, SEP, 21, 22, SEP, 0],
    ]
    assert rows.first_lengths.tolist() == [4, 3]
    assert rows.lengths.tolist() == [6, 6]


def test_features_are_padded_with_weight_zero():
    instances = [
        Instance(packing.Packed([CLS, 10, SEP, MASK, SEP], 3), True, [3], [11]),
        Instance(
            packing.Packed([CLS, 5, SEP, 6, 7, SEP], 3), False, [1, 4], [8, 9]
        ),
    ]

    values = instance_rows.instance_features(
        instances, make_settings(max_seq_length=6, max_predictions_per_seq=2)
    )

    assert {name: rows.tolist() for name, rows in values.items()} == {
        "input_ids": [[CLS, 10, SEP, MASK, SEP, 0], [CLS, 5, SEP, 6, 7, SEP]],
        "input_mask": [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]],
        "segment_ids": [[0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1]],
        "masked_lm_positions": [[3, 0], [1, 4]],
        "masked_lm_ids": [[11, 0], [8, 9]],
        "masked_lm_weights": [[1.0, 0.0], [1.0, 1.0]],
        "next_sentence_labels": [[1], [0]],
    }


def test_features_of_masked_rows_are_those_of_the_instance():
    values = mask([10], [11], max_seq_length=7, max_predictions_per_seq=2)
    (position,) = values["masked_lm_positions"][0, :1].tolist()
    instance = Instance(
        packing.Packed(values["input_ids"][0, :5].tolist(), 3),
        False,
        [position],
        [{1: 10, 3: 11}[position]],
    )

    expected = instance_rows.instance_features(
        [instance], make_settings(max_seq_length=7, max_predictions_per_seq=2)
    )

    for name, rows in expected.items():
        assert (values[name] == rows).all()


@pytest.mark.parametrize(
    ("num_ids", "prob", "limit", "num_masked"),
    # Never [CLS] and [SEP].
    [*NUMBERS_OF_MASKS, (10, 1.0, 20, 7)],
)
def test_number_of_masks(num_ids, prob, limit, num_masked):
    values = mask(
        [10] * (num_ids - 4),
        [500],
        max_seq_length=128,
        masked_lm_prob=prob,
        max_predictions_per_seq=limit,
    )

    assert values["masked_lm_weights"].sum() == num_masked
    positions = values["masked_lm_positions"][0, :num_masked].tolist()
    assert positions == sorted(set(positions))


def test_positions_are_chosen_evenly():
    values = mask([10] * 6, [500] * 4, rows=3000, max_predictions_per_seq=2)

    counts = Counter(values["masked_lm_positions"].reshape(-1).tolist())
    assert set(counts) == {*range(1, 7), *range(8, 12)}
    # Mean 600, standard deviation 22.
    assert 510 < min(counts.values()) <= max(counts.values()) < 690


def test_masked_ids_are_mask_or_same_or_random_word():
    a = list(range(10, 60))
    values = mask(
        a,
        [500],
        rows=2000,
        max_seq_length=64,
        max_predictions_per_seq=20,
        masked_lm_prob=0.4,
    )
    original = np.array([CLS, *a, SEP, 500, SEP, *[0] * 10])
    positions = values["masked_lm_positions"]
    assert (values["masked_lm_ids"] == original[positions]).all()
    now = np.take_along_axis(values["input_ids"], positions, axis=1)
    assert (now == MASK).mean() == pytest.approx(0.8, abs=0.01)
    same = now == original[positions]
    assert same.mean() == pytest.approx(0.1, abs=0.01)
    words = Counter(now[(now != MASK) & ~same].tolist())
    assert set(words) == set(VOCABULARY.word_ids)

    values["input_ids"][np.arange(2000)[:, None], positions] = 0
    original = np.tile(original, (2000, 1))
    original[np.arange(2000)[:, None], positions] = 0
    assert (values["input_ids"] == original).all()


def test_pieces_are_masked_by_themselves_without_whole_words():
    assert chosen([10, 60, 11], [500]) == {(1,), (2,), (3,), (5,)}


def test_whole_words_are_masked_wholly_or_not_at_all():
    found = chosen(
        [10, 60, 61, 11, 12, 62],
        [500],
        do_whole_word_mask=True,
        masked_lm_prob=0.3,
    )

    # Three positions; 1-3, 4, 5-6 and 8 are words.
    assert found == {(1, 2, 3), (4, 5, 6), (5, 6, 8), (4, 8)}


def test_word_that_exceeds_the_number_of_masks_is_skipped():
    found = chosen(
        [10, 60, 61],
        [500],
        do_whole_word_mask=True,
        max_predictions_per_seq=2,
        masked_lm_prob=1.0,
    )

    assert found == {(5,)}


def test_continuation_joins_the_last_word_of_the_other_text():
    found = chosen(
        [10, 11],
        [60, 12],
        do_whole_word_mask=True,
        max_predictions_per_seq=2,
        masked_lm_prob=1.0,
    )

    assert found == {(2, 4), (1, 5)}


def test_continuation_at_the_front_is_a_word_of_its_own():
    assert chosen([60, 10], [500], do_whole_word_mask=True) == {
        (1,),
        (2,),
        (4,),
    }


def test_a_text_without_a_second_is_one_segment():
    rows = instance_rows.pack(
        [TextPair((0, 3), (0, 0)), TextPair((3, 9), (0, 0))],
        np.arange(10, 19),
        np.array([]),
        VOCABULARY.special,
        8,
    )
    assert rows.ids.tolist() == [
        [CLS, 10, 11, 12, SEP, 0, 0, 0],
        [CLS, 13, 14, 15, 16, 17, 18, SEP],
    ]
    settings = make_settings(
        max_seq_length=8, next_sentence="none", masked_lm_prob=1.0
    )
    size = instance_rows.num_random_bytes(settings)
    values = instance_rows.features(
        rows, np.zeros(2, bool), bytes(2 * size), settings, VOCABULARY
    )
    assert not values["segment_ids"].any()
    assert values["input_mask"].sum(axis=1).tolist() == [5, 8]
    assert values["masked_lm_positions"].tolist() == [
        [1, 2, 3, 0],
        [1, 2, 3, 4],
    ]
    assert values["next_sentence_labels"].tolist() == [[0], [0]]


def test_ngrams_are_drawn_by_one_by_their_length():
    values = mask(
        [10] * 400,
        [500],
        rows=2000,
        max_seq_length=404,
        max_ngram=3,
        max_predictions_per_seq=3,
        masked_lm_prob=1.0,
    )
    found = shares(values["masked_lm_positions"].tolist())
    assert found == pytest.approx(SHARES_OF_NGRAMS, abs=0.03)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 16])
def test_ngrams_keep_within_the_limit_the_words_and_the_texts(whole, limit):
    a, b = [10, 60, 61, 11, 12, 62] * 2, [60, 13, 14]
    found = chosen(
        *(a, b),
        max_seq_length=18,
        do_whole_word_mask=whole,
        max_ngram=6,
        max_predictions_per_seq=limit,
        masked_lm_prob=1.0,
    )
    before = [CLS, *a, SEP, *b, SEP]
    for positions in found:
        assert 0 < len(positions) <= limit
        assert not {0, 13, 17} & {*positions}
        for place in range(2, len(before) if whole else 0):
            if before[place] >= 60:
                last = place - 1 - (before[place - 1] == SEP)
                assert (place in positions) == (last in positions)
    assert len(found) > (limit < 15)

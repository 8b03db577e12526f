import random
from collections import Counter

import pytest

from bert.data.corpus import masking
from bert.data.corpus.masking import create_masked_lm_predictions, ngram_lengths
from bert.data.records import packing
from tests.data.corpus.test_instance_settings import (
    CLS,
    CONTINUATIONS,
    MASK,
    SEP,
    VOCABULARY,
    make_settings,
)

SEEDS = range(20)
NUMBERS_OF_MASKS = [
    (100, 0.15, 20, 15),
    (100, 0.15, 10, 10),  # never more than the limit
    (10, 0.01, 20, 1),  # always one
    (50, 0.05, 20, 2),  # 2.5 to the even number, as Python rounds
    (70, 0.05, 20, 4),  # 3.5 too
]


def mask(ids_a, ids_b=(500,), seed=0, vocabulary=VOCABULARY, **changes):
    """Returns (masked ids, positions, labels)."""
    packed = packing.pack_pair(ids_a, ids_b, vocabulary.special)
    positions, labels = create_masked_lm_predictions(
        packed, make_settings(**changes), vocabulary, random.Random(seed)
    )
    return packed.ids, positions, labels


def test_masking_keeps_cls_and_sep():
    ids, positions, _ = mask(
        [10] * 5, [11] * 6, masked_lm_prob=1.0, max_predictions_per_seq=14
    )

    assert positions == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]
    assert (ids[0], ids[6], ids[13]) == (CLS, SEP, SEP)


@pytest.mark.parametrize(
    ("num_ids", "prob", "limit", "num_masked"),
    NUMBERS_OF_MASKS,
)
def test_number_of_masks(num_ids, prob, limit, num_masked):
    """[CLS] and [SEP] count among the ids."""
    _, positions, _ = mask(
        [10] * (num_ids - 4),
        masked_lm_prob=prob,
        max_predictions_per_seq=limit,
    )

    assert len(positions) == num_masked


def test_masked_ids_are_mask_or_same_or_random_word():
    counts = Counter()
    for seed in range(200):
        ids, positions, labels = mask(
            list(range(10, 60)),
            seed=seed,
            max_predictions_per_seq=20,
            masked_lm_prob=0.4,
        )
        for position, label in zip(positions, labels, strict=True):
            assert label == ([CLS, *range(10, 60), SEP, 500])[position]
            if ids[position] in VOCABULARY.word_ids:
                counts["random"] += 1
            else:
                counts[ids[position]] += ids[position] == MASK
                counts["same"] += ids[position] == label

    assert counts[MASK] / 4000 == pytest.approx(0.8, abs=0.02)
    assert counts["same"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert counts["random"] / 4000 == pytest.approx(0.1, abs=0.02)


def test_ids_that_are_not_chosen_stay():
    ids, positions, _ = mask(list(range(10, 50)))

    original = [CLS, *range(10, 50), SEP, 500, SEP]
    for position, (new, old) in enumerate(zip(ids, original, strict=True)):
        assert position in positions or new == old


def test_pieces_are_masked_by_themselves_without_whole_words():
    chosen = {tuple(mask([10, 60, 11], seed=seed)[1]) for seed in SEEDS}

    assert chosen == {(1,), (2,), (3,), (5,)}


def test_whole_words_are_masked_wholly_or_not_at_all():
    chosen = {
        tuple(
            mask(
                [10, 60, 61, 11, 12, 62],
                seed=seed,
                do_whole_word_mask=True,
                masked_lm_prob=0.3,
            )[1]
        )
        for seed in SEEDS
    }

    # Three positions; 1-3, 4, 5-6 and 8 are words.
    assert chosen <= {(1, 2, 3), (4, 5, 6), (5, 6, 8), (4, 8)}
    assert len(chosen) > 2


def test_word_that_exceeds_the_number_of_masks_is_skipped():
    for seed in SEEDS:
        _, positions, _ = mask(
            [10, 60, 61],
            seed=seed,
            do_whole_word_mask=True,
            max_predictions_per_seq=2,
            masked_lm_prob=1.0,
        )
        assert positions == [5]


def test_continuation_joins_the_last_word_of_the_other_text():
    chosen = {
        tuple(
            mask(
                [10, 11],
                [60, 12],
                seed=seed,
                do_whole_word_mask=True,
                max_predictions_per_seq=2,
                masked_lm_prob=1.0,
            )[1]
        )
        for seed in SEEDS
    }

    assert chosen == {(2, 4), (1, 5)}


def test_continuation_at_the_front_is_a_word_of_its_own():
    chosen = {
        tuple(mask([60, 10], seed=seed, do_whole_word_mask=True)[1])
        for seed in SEEDS
    }

    assert chosen == {(1,), (2,), (4,)}


def runs(positions):
    """Returns the positions in runs without a gap."""
    found = []
    for position in positions:
        if found and position == found[-1][-1] + 1:
            found[-1].append(position)
        else:
            found.append([position])
    return found


# An n-gram of n has 6/11, 3/11, 2/11. Of three positions it is made of either
# one of 3; or of 2, and one that has room for 1; or of 1, and then likewise.
SHARES_OF_NGRAMS = {
    (3,): 2 / 11,
    (1, 2): 3 / 11 + 6 / 11 * 5 / 11,
    (1, 1, 1): 6 / 11 * 6 / 11,
}


def shares(all_positions):
    """Returns how often there are runs of which lengths."""
    found = Counter(
        tuple(sorted(map(len, runs(positions)))) for positions in all_positions
    )
    return {lengths: n / found.total() for lengths, n in found.items()}


def test_ngrams_are_drawn_by_one_by_their_length():
    assert ngram_lengths(3) == pytest.approx([1, 3 / 2, 11 / 6])
    found = shares(
        mask(
            [10] * 400,
            seed=seed,
            max_ngram=3,
            max_predictions_per_seq=3,
            masked_lm_prob=1.0,
        )[1]
        for seed in range(2000)
    )
    assert found == pytest.approx(SHARES_OF_NGRAMS, abs=0.03)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20])
def test_ngrams_keep_within_the_limit(whole, limit):
    ids = [10, 60, 61, 11, 12, 62] * 5
    for seed in SEEDS:
        _, positions, labels = mask(
            *(ids, ids, seed),
            do_whole_word_mask=whole,
            max_ngram=5,
            max_predictions_per_seq=limit,
            masked_lm_prob=0.3,
        )
        assert 0 < len(positions) <= limit
        assert positions == sorted({*positions})
        before = [CLS, *ids, SEP, *ids, SEP]
        assert labels == [before[position] for position in positions]
        if whole:  # nothing of a word is left
            for place in range(len(before)):
                if before[place] in CONTINUATIONS:
                    assert (place in positions) == (place - 1 in positions)


def test_ngrams_fill_the_limit_and_never_join_two_texts():
    for seed in SEEDS:
        _, positions, _ = mask(
            [10] * 9,
            [11] * 9,
            seed=seed,
            max_ngram=9,
            max_predictions_per_seq=9,
            masked_lm_prob=1.0,
        )
        assert len(positions) == 9
        assert not {0, 10, 20} & {*positions}


def test_a_word_goes_on_with_the_next_one_of_its_text_alone():
    words = [[1, 2], [3], [5]]  # [SEP] is at 4
    goes_on = [masking._goes_on(words, index) for index in (1, 2, 3)]
    assert goes_on == [True, False, False]


def test_ngrams_follow_the_seed():
    def positions(seed):
        return mask([10] * 60, seed=seed, max_ngram=4)[1]

    assert [*map(positions, SEEDS)] == [*map(positions, SEEDS)]
    assert len({*map(tuple, map(positions, SEEDS))}) > 15


def test_a_word_of_byte_pairs_is_masked_whole():
    vocabulary = VOCABULARY._replace(
        continuation_ids=frozenset(), unfinished_ids=frozenset({7, 8})
    )
    for seed in SEEDS:
        _, positions, _ = mask(
            *([7, 8, 9, 10], [7, 9]),
            seed,
            vocabulary,
            do_whole_word_mask=True,
            masked_lm_prob=0.4,
        )
        chosen = set(positions)
        for word in ({1, 2, 3}, {4}, {6, 7}):
            assert word <= chosen or not word & chosen
        assert chosen

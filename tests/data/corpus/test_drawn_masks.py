import numpy as np
import pytest

from bert.data.corpus import drawn_masks, packed_texts
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.records.packing import SpecialIds

LENGTH, PREDICTIONS = 64, 10
CLS, SEP, MASK = 1, 2, 3
VOCABULARY = Vocabulary(
    SpecialIds(CLS, SEP, SEP),
    MASK,
    list(range(10, 1000)),
    frozenset(range(800, 900)),
)


def settings(prob=0.15, whole_words=False):
    return InstanceSettings(LENGTH, PREDICTIONS, prob, 0.0, 1, whole_words)


def texts(count=40, seed=0):
    """Unmasked: [CLS] a [SEP] b [SEP] of 10 to 31 ids."""
    rng = np.random.default_rng(seed)
    places = np.arange(LENGTH)
    sizes = rng.integers(10, 32, count)[:, None]
    firsts = sizes // 2
    ids = rng.integers(10, 900, (count, LENGTH)).astype(np.int32)
    ids[:, 10] = 850  # goes on a word
    ids[:, 0] = CLS
    ids[(places == firsts - 1) | (places == sizes - 1)] = SEP
    real = (places < sizes).astype(np.int32)
    none = np.zeros((count, PREDICTIONS), np.int32)
    return {
        "input_ids": ids * real,
        "input_mask": real,
        "segment_ids": real * (places >= firsts),
        "masked_lm_positions": none,
        "masked_lm_ids": none,
        "masked_lm_weights": none.astype(np.float32),
        "next_sentence_labels": rng.integers(0, 2, (count, 1), np.int32),
    }


TEXTS = texts()
PACKED = packed_texts.pack(TEXTS, np.full(len(TEXTS["input_ids"]), 4))


def draw(rows, first=0, seed=5, **kwargs):
    numbers = first + np.arange(len(rows["input_ids"]))
    return drawn_masks.draw(seed, numbers, rows, settings(**kwargs), VOCABULARY)


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("rows", [TEXTS, PACKED])
def test_masks_follow_from_the_seed_and_a_rows_number_alone(rows):
    drawn = draw(rows)
    assert same(drawn, draw(rows))
    assert not same(drawn, draw(rows, seed=6))
    # In another epoch a row has another number.
    assert not same(drawn, draw(rows, first=100))
    # In parts of a batch, as workers take it and a run that goes on.
    part = {name: values[3:] for name, values in rows.items()}
    expected = {name: values[3:] for name, values in drawn.items()}
    assert same(expected, draw(part, first=3))


@pytest.mark.parametrize("rows", [TEXTS, PACKED])
def test_masks_are_undone_before_others_are_drawn(rows):
    drawn = draw(rows)
    assert (packed_texts.unmask(drawn) == rows["input_ids"]).all()
    assert same(draw(drawn, first=7), draw(rows, first=7))
    assert {name: v.dtype for name, v in drawn.items()} == {
        name: v.dtype for name, v in rows.items()
    }


def test_each_text_has_its_share_of_masks_in_a_row_of_several_too():
    lengths = packed_texts.lengths(TEXTS)
    expected = np.maximum(1, np.rint(0.15 * lengths))
    for drawn in (draw(TEXTS), packed_texts.texts_of(draw(PACKED))[0]):
        found = drawn["masked_lm_weights"].sum(axis=1)
        assert sorted(found) == sorted(expected)
    assert draw(PACKED)["masked_lm_weights"].sum() == expected.sum()


def test_of_the_masked_80_percent_are_mask_10_the_same_10_any():
    drawn = draw(texts(4000))
    row, place = np.nonzero(drawn["masked_lm_weights"])
    ids = drawn["input_ids"][row, drawn["masked_lm_positions"][row, place]]
    labels = drawn["masked_lm_ids"][row, place]
    assert not np.isin(labels, [CLS, SEP, MASK]).any()
    assert np.mean(ids == MASK) == pytest.approx(0.8, abs=0.02)
    assert np.mean(ids == labels) == pytest.approx(0.1, abs=0.02)
    positions = drawn["masked_lm_positions"]
    assert (np.diff(positions)[drawn["masked_lm_weights"][:, 1:] > 0] > 0).all()


def test_no_more_is_masked_than_there_is_room_for():
    drawn = draw(PACKED, prob=0.5)
    assert (drawn["masked_lm_weights"].sum(axis=1) == PREDICTIONS).any()
    assert (packed_texts.unmask(drawn) == PACKED["input_ids"]).all()


def test_all_pieces_of_a_word_are_masked_or_none():
    drawn = draw(TEXTS, whole_words=True, prob=0.3)
    hidden = np.zeros(drawn["input_ids"].shape, bool)
    row, place = np.nonzero(drawn["masked_lm_weights"])
    hidden[row, drawn["masked_lm_positions"][row, place]] = True
    is_word = np.flatnonzero(packed_texts.lengths(TEXTS) // 2 > 11)
    assert len(is_word) > 5
    assert (hidden[is_word, 9] == hidden[is_word, 10]).all()
    assert hidden[is_word, 9].any()

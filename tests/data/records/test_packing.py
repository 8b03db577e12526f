import random

import pytest

from bert.data.records import packing

SPECIAL = packing.SpecialIds(cls=101, sep=102, end=102)


class Coins:
    """An rng whose `random()` gives what it is told."""

    def __init__(self, *values):
        self.values = list(values)

    def random(self):
        return self.values.pop(0)


def test_special_ids_come_from_the_vocabulary():
    vocab = {"[SEP]": 7, "a": 1, "[CLS]": 3}

    assert packing.SpecialIds.from_vocab(vocab) == (3, 7, 7)


def test_a_token_of_its_own_ends_a_sequence():
    vocab = {"_start_": 1, "_delimiter_": 2, "_classify_": 3}
    special = packing.SpecialIds.from_vocab(vocab)

    assert packing.pack_single([9], special) == ([1, 9, 3], 3)
    assert packing.pack_pair([9], [8], special) == ([1, 9, 2, 8, 3], 3)


def test_pair_is_cls_a_sep_b_sep():
    packed = packing.pack_pair([1, 2], [3], SPECIAL)

    assert packed == ([101, 1, 2, 102, 3, 102], 4)


def test_padding_fills_up_with_zeros():
    packed = packing.pack_pair([1, 2], [3], SPECIAL)

    assert packing.pad(packed, 8) == {
        "input_ids": [101, 1, 2, 102, 3, 102, 0, 0],
        "input_mask": [1, 1, 1, 1, 1, 1, 0, 0],
        "segment_ids": [0, 0, 0, 0, 1, 1, 0, 0],
    }


def test_full_sequence_gets_no_padding():
    packed = packing.pack_pair([1], [2], SPECIAL)

    assert packing.pad(packed, 5)["input_ids"] == [101, 1, 102, 2, 102]


def test_sequence_that_is_too_long_is_an_error():
    packed = packing.pack_pair([1, 2], [3], SPECIAL)

    with pytest.raises(ValueError, match=r"at most 5 ids. Received: 6"):
        packing.pad(packed, 5)


@pytest.mark.parametrize(
    ("coins", "left_a"),
    [
        ([0.1, 0.49], (3, 5)),  # both from the front
        ([0.5, 0.9], (1, 3)),  # both from the back
        ([0.1, 0.9], (2, 4)),
    ],
)
def test_truncation_takes_front_or_back_by_a_coin(coins, left_a):
    spans = packing.truncate_spans_at_random((1, 5), (7, 8), 3, Coins(*coins))

    assert spans == (left_a, (7, 8))


def test_truncation_takes_from_b_where_both_are_as_long():
    spans = packing.truncate_spans_at_random((1, 3), (3, 5), 3, Coins(0.1))

    assert spans == ((1, 3), (4, 5))


def test_pair_that_fits_draws_nothing():
    rng = random.Random(1)
    state = rng.getstate()

    spans = packing.truncate_spans_at_random((1, 3), (3, 4), 3, rng)

    assert spans == ((1, 3), (3, 4))
    assert rng.getstate() == state


def test_single_is_cls_a_sep():
    assert packing.pack_single([1, 2], SPECIAL) == ([101, 1, 2, 102], 4)


@pytest.mark.parametrize(
    ("lengths", "limit", "expected"),
    [
        ((5, 3), 8, (5, 3)),
        ((5, 3), 6, (3, 3)),
        ((5, 3), 5, (3, 2)),  # on a tie b loses its last
        ((3, 5), 7, (3, 4)),
        ((1, 9), 4, (1, 3)),
        ((9, 0), 4, (4, 0)),
    ],
)
def test_fine_tuning_pops_from_the_longer_and_from_b_on_ties(
    lengths, limit, expected
):
    ids_a, ids_b = (list(range(n)) for n in lengths)
    packing.truncate_seq_pair(ids_a, ids_b, limit)
    assert (ids_a, ids_b) == tuple(list(range(n)) for n in expected)


def encode(text):
    return [ord(letter) for letter in text]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("", None), ([], [])),
        (("abc", None), ("abc", [])),
        (("abcdefg", None), ("abcdef", [])),
        (("abc", "de"), ("abc", "de")),
        (("abcd", "ef"), ("abc", "ef")),
        (("abc", "defg"), ("abc", "de")),
        (("a", "bcdefgh"), ("a", "bcde")),
        (("", "b"), ("", "b")),
        (("abcdefg", ""), ("abcdef", [])),
    ],
)
def test_texts_are_packed_into_eight_ids(texts, expected):
    ids_a, ids_b = map(encode, map("".join, expected))
    packed = packing.pack_texts(*texts, encode, SPECIAL, 8)
    second = [*ids_b, 102] if ids_b else []
    assert packed == ([101, *ids_a, 102, *second], len(ids_a) + 2)


def test_a_second_text_without_tokens_counts_as_none():
    packed = packing.pack_texts(
        "abcdefg", "\u200b", lambda t: encode(t.strip("\u200b")), SPECIAL, 8
    )
    assert packed.ids == [101, *encode("abcdef"), 102]

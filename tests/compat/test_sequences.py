import pytest

from bert.compat import sequences
from tests.compat.tokenizers import Words


def test_any_tokenizer_will_do():
    tokens, features = sequences.pack_texts("a bb", "ccc", Words(), 7)

    assert tokens == ["[CLS]", "a", "bb", "[SEP]", "ccc", "[SEP]"]
    assert features == {
        "input_ids": [5, 1, 2, 5, 3, 5, 0],
        "input_mask": [1, 1, 1, 1, 1, 1, 0],
        "segment_ids": [0, 0, 0, 0, 1, 1, 0],
    }


def test_a_second_text_without_room_is_left_out():
    tokens, _ = sequences.pack_texts("a b", "c d", Words(), 4)
    assert tokens == ["[CLS]", "a", "[SEP]"]


def test_too_short_a_sequence_is_the_originals_error():
    with pytest.raises(AssertionError):
        sequences.pack_texts("a", None, Words(), 1)
    with pytest.raises(IndexError):
        sequences.pack_texts("a", "b", Words(), 2)

"""Where new tokens go, and what their rows begin as."""

import numpy as np
import pytest

from bert.conversion import vocabulary_growth
from bert.errors import UserError

TOKENS = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "a", "b", "##b", "##c"]


def test_unused_places_come_first():
    growth = vocabulary_growth.grow(
        TOKENS, ["ab", "a", "abc", "ab", "xy", "##bc"], may_use_unused=True
    )
    assert growth.tokens == [
        *("[PAD]", "ab", "abc", "[UNK]", "a", "b", "##b", "##c"),
        *("xy", "##bc"),
    ]
    # In pieces of the old vocabulary; 3 is [UNK].
    assert growth.pieces == {1: [4, 6], 2: [4, 6, 7], 8: [3], 9: [6, 7]}


def test_or_the_vocabulary_gets_longer():
    growth = vocabulary_growth.grow(TOKENS, ["ab"], may_use_unused=False)
    assert growth.tokens == [*TOKENS, "ab"]
    assert growth.pieces == {8: [4, 6]}


@pytest.mark.parametrize("may_use_unused", [True, False])
def test_rows_are_means(may_use_unused):
    growth = vocabulary_growth.grow(
        TOKENS, ["ab", "abc", "xy"], may_use_unused=may_use_unused
    )
    rng = np.random.default_rng(1)
    table = rng.normal(size=[8, 3]).astype(np.float32)
    bias = rng.normal(size=[8]).astype(np.float32)
    names = {
        "bert/embeddings/word_embeddings": table,
        "bert/embeddings/word_embeddings/adam_m": table,
        "cls/predictions/output_bias": bias,
        "cls/predictions/output_bias/adam_v": bias,
        "bert/embeddings/position_embeddings": table,
        "output_bias": bias,
        "global_step": np.int64(3),
    }
    grown = vocabulary_growth.grow_tensors(names, growth)
    assert list(grown) == list(names)
    for name in list(names)[-3:]:
        assert grown[name] is names[name]
    old = [index for index in range(8) if index not in growth.pieces]
    for name in list(names)[:4]:
        value = grown[name]
        assert value.dtype == np.float32
        assert len(value) == len(growth.tokens)
        np.testing.assert_array_equal(value[old], names[name][old])
        for index, pieces in growth.pieces.items():
            mean = 0 if "adam" in name else names[name][pieces].mean(axis=0)
            np.testing.assert_array_equal(value[index], mean)


@pytest.mark.parametrize(
    "token", ["two words", "a-b", "##", "Ab", "é", "中文", "x" * 201, "[MASK]"]
)
def test_what_no_text_gives_is_refused(token):
    with pytest.raises(UserError, match="a word as the tokenizer makes it"):
        vocabulary_growth.check_token(token, do_lower_case=True)


@pytest.mark.parametrize("token", ["word", "##ing", "中", "$", "été"])
def test_what_a_text_gives(token):
    vocabulary_growth.check_token(token, do_lower_case=token != "été")

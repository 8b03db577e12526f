"""Words are computed once, and what is remembered of them is bounded."""

import random
import tracemalloc

import pytest

from bert.data.text import characters, tokenization
from bert.data.text.tokenization import FullTokenizer
from bert.data.text.word_memory import WordMemory
from tests.data.text.test_tokenization import SPECIAL
from tests.data.text.test_tokenization import small as small
from tests.data.text.test_tokenization import write_vocab as write_vocab


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc\n", ["a", "b", "c"]),
        ("a\x1cb c\x85d e\x0bf", ["ab", "cd", "ef"]),
        ("a\u2028b\u2029c", ["a", "b", "c"]),
        ("\x1f", []),
    ],
)
def test_text_is_split_as_cleaned_text_is(text, words):
    memory = WordMemory(lambda word: (word,), 10**6)

    assert memory.values_of_text(text) == words


def test_a_word_is_computed_once(small):
    pieces = small.tokenize("unwanted, running")
    ids = small.encode("unwanted, running")
    small._cut = None

    assert small.tokenize("running unwanted,") == pieces[-2:] + pieces[:-2]
    assert small.encode("running unwanted,") == ids[-2:] + ids[:-2]


@pytest.mark.parametrize("word_chars", [6, 32])
@pytest.mark.parametrize("road", ["tokenize", "encode"])
def test_remembered_words_stay_below_the_limit(
    write_vocab, monkeypatch, word_chars, road
):
    limit = 500_000
    monkeypatch.setattr(tokenization, "_WORDS_LIMIT_BYTES", limit)
    pieces = [*"abcdefghij🙂", *(f"##{c}" for c in "abcdefghij🙂")]
    tokenizer = FullTokenizer(write_vocab(SPECIAL + pieces))
    tokenizer.encode("abcdefghij🙂")  # fills the tables of characters
    memory = getattr(
        tokenizer,
        {"tokenize": "_pieces_of_words", "encode": "_ids_of_words"}[road],
    )
    rng = random.Random(3)
    num_words = most_words = 0
    tracemalloc.start()
    for _ in range(3000):
        word = "".join(rng.choices("abcdefghij", k=word_chars - 1))
        getattr(tokenizer, road)(word + "🙂")  # four bytes a character
        num_words = len(memory)
        most_words = max(num_words, most_words)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert limit / 3 < peak <= limit
    assert num_words < most_words  # it was full, and started over


def test_all_that_is_remembered_stays_below_200_megabytes():
    tables = 5 * characters._MAX_ENTRIES * 150  # int, " c " and its slot
    words = 2 * tokenization._WORDS_LIMIT_BYTES
    ranges = tokenization._OFFSETS_LIMIT_BYTES

    assert words + ranges + tables < 200e6


def test_long_words_are_not_remembered(small):
    small.encode("a" * 33)
    small.encode("b" * 32)

    assert list(small._ids_of_words) == ["b" * 32]


def test_words_of_one_equal_piece_share_what_is_remembered(small):
    small.encode("un UN Ún a")
    un, *others, a = small._ids_of_words.values()

    assert all(other is un for other in others)
    assert a == (11,)

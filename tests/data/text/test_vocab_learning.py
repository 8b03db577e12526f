"""The vocabularies are those of Hugging Face's trainer, ties by the ids."""

import gzip
import itertools
import json
import random
from collections import Counter

import pytest

from bert.data.text import vocab_learning
from bert.data.text.tokenization import BasicTokenizer, WordpieceTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def wordpiece(golden):
    file = golden / "wordpiece/vocabularies.json.gz"
    return json.loads(gzip.decompress(file.read_bytes()))


def vocabulary(counts, size):
    characters = vocab_learning.alphabet(counts, 2, 1000)
    return SPECIAL + vocab_learning.learn(counts, characters, size - 5)


@pytest.mark.parametrize("size", ["1000", "4000", "8000"])
def test_imdb(wordpiece, size):
    counts = wordpiece["counts"]
    found = vocabulary(counts, int(size))
    assert found == wordpiece["vocabularies"][size]
    tokenizer = WordpieceTokenizer({*found})
    pieces = sum(n * len(tokenizer.tokenize(w)) for w, n in counts.items())
    assert pieces / sum(counts.values()) == pytest.approx(
        wordpiece["pieces_per_word"][size], abs=0.001
    )


def test_chinese(golden, wordpiece):
    text = (golden / "wordpiece/chinese.txt").read_text(encoding="utf-8")
    counts = Counter(BasicTokenizer(True).tokenize(text))
    assert vocabulary(counts, 400) == wordpiece["chinese"]


def slow_pieces(counts, size, min_frequency):
    """Counts all pairs anew for each piece."""
    words = {w: [w[0], *("##" + c for c in w[1:])] for w in counts}
    pieces = sorted({c for w in words for c in w})
    pieces += sorted({p for cut in words.values() for p in cut[1:]})
    while len(pieces) < size:
        pairs = Counter()
        for word, cut in words.items():
            for pair in itertools.pairwise(cut):
                pairs[tuple(map(pieces.index, pair))] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < min_frequency:
            break
        left, right = (pieces[index] for index in best)
        joined = left + right.removeprefix("##")
        if joined not in pieces:
            pieces.append(joined)
        for word, cut in words.items():
            new = []
            for piece in cut:
                if new and new[-1] == left and piece == right:
                    new[-1] = joined
                    # What was joined is not joined again in this turn.
                    new.append(None)
                else:
                    new.append(piece)
            words[word] = [piece for piece in new if piece]
    return pieces


@pytest.mark.parametrize("seed", range(40))
def test_equals_counting_anew(seed):
    rng = random.Random(seed)
    letters = "ab" if seed % 2 else "abcde"
    counts = Counter(
        "".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(60)
    )
    least = rng.choice([1, 2, 3])
    found = vocab_learning.learn(counts, letters, 80, least)
    assert found == slow_pieces(counts, 80, least)


def test_a_word_with_a_rare_character_is_left_out():
    counts = {"aaa": 5, "bx": 9, "ab": 2}
    assert vocab_learning.learn(counts, "ab", 99) == [
        *("a", "b", "##a", "##b", "aa", "aaa", "ab")
    ]


def test_characters_are_the_frequent_ones():
    counts = {"aaa": 5, "bx": 9, "ab": 2, "y": 1}
    assert vocab_learning.alphabet(counts, 2) == ["a", "b", "x"]
    assert vocab_learning.alphabet(counts, 12) == ["a"]
    assert vocab_learning.alphabet(counts, 2, 2) == ["a", "b"]
    assert vocab_learning.alphabet(counts, 99, 4) == ["a", "b", "x", "y"]


def test_no_piece_is_too_long():
    counts = {"abc": 9, "de": 1}
    found = vocab_learning.learn(counts, "abcde", 99, 1, 2)
    assert found == [
        *("a", "b", "c", "d", "e", "##b", "##c", "##e", "ab", "de")
    ]


def test_no_words_no_pieces():
    assert vocab_learning.learn({}, [], 9) == []

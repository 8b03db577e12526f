"""Pieces with the characters of the text that they are from."""

import json
import random
import unicodedata

import pytest

from bert.data.text.tokenization import (
    BasicTokenizer,
    FullTokenizer,
    WordpieceTokenizer,
)
from bert.errors import UserError
from tests.data.text import reference_tokenizer
from tests.data.text.test_tokenization import (
    PAIRS,
    SPECIAL,
    hard_vocab,
    random_text,
)

# Marks that stay and have an order: NFD moves them.
ORDERED_MARKS = "\u302e\U0001d165\u1b44\u0327\u0301\U0001d16d\u094d"
UNASSIGNED = {"Cn", "Co", "Cs"}
# Try more after a change; 100,000 take a minute.
NUM_RANDOM = 5_000
JOINERS = "\u200c\u200d\u094d\U000e0067\ufe0f\u3164"


@pytest.fixture
def make(tmp_path):
    """Makes a tokenizer of some pieces."""

    def make(pieces, do_lower_case=True, cls=FullTokenizer):
        path = tmp_path / "vocab.txt"
        path.write_text("".join(f"{p}\n" for p in [*SPECIAL, *pieces]))
        return cls(path, do_lower_case)

    return make


def pieces_of(tokenizer, text):
    """Returns (piece, the part of the text that it is from)."""
    ids, ranges = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    pieces = tokenizer.convert_ids_to_tokens(ids)
    assert pieces == tokenizer.tokenize(text)
    assert all(start < end for start, end in ranges)
    assert ranges == sorted(ranges)
    return [
        (piece, text[start:end])
        for piece, (start, end) in zip(pieces, ranges, strict=True)
    ]


LOWERED = [
    ("unwanted, ab", "un:un ##want:want ##ed:ed ,:, ab:ab"),
    # Lower-casing that changes lengths, or is not one to one.
    ("İab", "i:İ ##ab:ab"),
    ("AB\u0307ab", "ab:AB\u0307 ##ab:ab"),
    ("ẞab ﬁab", "ß:ẞ ##ab:ab ﬁ:ﬁ ##ab:ab"),
    ("ΑΣ Σ", "α:Α ##ς:Σ σ:Σ"),
    # Stripped accents belong to their letter, one or several.
    ("e\u0301te\u0301", "e:e\u0301 ##t:t ##e:e\u0301"),
    ("été", "e:é ##t:t ##e:é"),
    ("e\u0323\u0301t", "e:e\u0323\u0301 ##t:t"),
    ("\u0301e", "e:e"),
    ("⚙\ufe0fab ⚙", "⚙:⚙\ufe0f ##ab:ab ⚙:⚙"),
    ("ด\u0e31ง", "ด:ด\u0e31 ##ง:ง"),
    # Hangul is cut into jamo; a piece has the syllables that it is from.
    ("각가", "\u1100\u1161:각 ##\u11a8\u1100:각가 ##\u1161:가"),
    # What is dropped belongs to no piece, but within one it does.
    ("a\u00adb\u200be", "ab:a\u00adb ##e:e"),
    ("\ufeffe\0\ufffd\x1c t\x0b", "e:e t:t"),
    ("e\x85t", "e:e ##t:t"),
    ("e\u200ct", "e:e ##t:t"),
    ("e\u200dt", "e:e\u200d ##t:t"),
    ("क\u094d\u200c t", "क:क\u094d\u200c t:t"),
    ("⚙\U000e0067\U000e007f", "⚙:⚙\U000e0067\U000e007f"),
    # Spaces of all kinds, and what stands alone without one.
    ("e\u3000t\u2028e\xa0t", "e:e t:t e:e t:t"),
    ("e中文t", "e:e 中:中 文:文 t:t"),
    ("\uf900", "\u8c48:\uf900"),
    ("(e,t)", "(:( e:e ,:, t:t ):)"),
    ("e\u037et", "e:e ;:\u037e t:t"),
    # All of a word that cannot be cut.
    ("éxxé\u0301, x\u200b", "[UNK]:éxxé\u0301 ,:, [UNK]:x"),
    # Marks that NFD puts in order are from all of their places.
    ("e\u302e\u1b44t", "e:e ##\u1b44:\u302e\u1b44 ##\u302e:\u302e\u1b44 ##t:t"),
]
CASED = [
    ("AB Ab", "[UNK]:AB [UNK]:Ab"),
    # Nothing is decomposed or stripped: marks are characters like others.
    ("e\u0301t", "e:e ##\u0301:\u0301 ##t:t"),
    ("é", "[UNK]:é"),
    ("e\u200bt", "e:e ##t:t"),
    ("e中t", "e:e 中:中 t:t"),
]
PIECES = [
    *["un", "##want", "##ed", "ab", "##ab", "i", "ß", "ﬁ", "α", "##ς", "σ"],
    *[
        "e",
        "##e",
        "t",
        "##t",
        "⚙",
        "ด",
        "##ง",
        "\u1100\u1161",
        "##\u11a8\u1100",
    ],
    *["##\u1161", "中", "文", "\u8c48", "(", ")", ",", ";", "##\u1b44", "क"],
    *["##\u302e", "##\u0301"],
]


@pytest.mark.parametrize(("text", "expected"), LOWERED, ids=ascii)
def test_pieces_know_their_characters(make, text, expected):
    found = pieces_of(make(PIECES), text)

    assert " ".join(map(":".join, found)) == expected


@pytest.mark.parametrize(("text", "expected"), CASED, ids=ascii)
def test_pieces_of_a_cased_model_know_their_characters(make, text, expected):
    found = pieces_of(make(PIECES, do_lower_case=False), text)

    assert " ".join(map(":".join, found)) == expected


def test_a_word_of_more_than_200_characters_is_one_piece(make):
    found = pieces_of(make(PIECES), "e " + "e" * 201 + " " + "t" * 200)

    assert found[:3] == [("e", "e"), ("[UNK]", "e" * 201), ("t", "t")]
    assert len(found) == 2 + 200


def test_bytes_are_decoded_first(make):
    found = make(PIECES).encode_with_offsets("é\xe9t".encode() + b"\xff")

    assert found[1] == [(0, 1), (1, 2), (2, 3)]


def test_words_are_the_tokenizers(make):
    tokenizer = make(PIECES)

    assert tokenizer.word_offsets(["unwanted", "", "e t"]) == [
        (0, 2, 2, 6, 6, 8),
        (),
        (0, 1, 2, 3),
    ]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_equals_the_reference_on_hard_strings(golden, pair):
    blocks = json.loads((golden / "tokenization/strings.json").read_text())
    tokenizer = FullTokenizer(golden / "inputs" / pair[0], pair[1])
    texts = {case["text"] for block in blocks for case in block["cases"]}

    assert len(texts) > 40
    for text in texts:
        check(tokenizer, text, pair[1])


def check(tokenizer, text, do_lower_case):
    """The reference's pieces at the reference's places."""
    expected = reference_tokenizer.tokenize_with_offsets(
        text, tokenizer.vocab, do_lower_case
    )
    ids, ranges = tokenizer.encode_with_offsets(text)
    found = tokenizer.convert_ids_to_tokens(ids)
    assert list(zip(found, ranges, strict=True)) == expected, ascii(text)
    assert ids == tokenizer.encode(text), ascii(text)
    return len(ids)


@pytest.mark.slow
@pytest.mark.parametrize("do_lower_case", [False, True])
def test_equals_the_reference_on_every_code_point(golden, do_lower_case):
    """As one piece, [UNK], where nothing becomes of it but itself.

    Of blocks without a character each 16th is looked at.
    """
    vocab = golden / "inputs/vocab_cased.txt"
    tokenizer = FullTokenizer(vocab, do_lower_case)
    num_special = 0
    for first in range(0, 0x110000, 256):  # many at once: quicker
        block = [chr(code) for code in range(first, first + 256)]
        if {unicodedata.category(char) for char in block} <= UNASSIGNED:
            # Characters like others, most of all that there are: some do.
            if first % 0x1000:
                continue
            words = ["".join(block)]
        else:
            words = block
        text = "\n".join(f"A{word}b" for word in words)
        ids, ranges = tokenizer.encode_with_offsets(text)
        size = len(words[0]) + 3
        plain = [(i, i + size - 1) for i in range(0, len(text), size)]
        if ranges != plain or set(ids) != {tokenizer.vocab["[UNK]"]}:
            num_special += len(words)
            check(tokenizer, text, do_lower_case)

    assert num_special > 90_000


def test_equals_the_reference_on_random_strings(make):
    pieces = [piece for piece in hard_vocab() if piece not in SPECIAL]
    pieces += [*ORDERED_MARKS, *(f"##{char}" for char in ORDERED_MARKS)]
    pieces = dict.fromkeys(pieces)
    tokenizers = {case: make(pieces, case) for case in (False, True)}
    rng = random.Random(2)
    num_pieces = 0
    for number in range(NUM_RANDOM):
        text = random_text(rng)
        for _ in range(rng.randint(0, 3)):
            place = rng.randint(0, len(text))
            marks = "".join(rng.choices(ORDERED_MARKS + JOINERS, k=2))
            text = text[:place] + marks + text[place:]
        do_lower_case = number % 2 == 0
        num_pieces += check(tokenizers[do_lower_case], text, do_lower_case)

    assert num_pieces > 5 * NUM_RANDOM


def test_some_marks_stay_and_have_an_order():
    kept = [c for c in ORDERED_MARKS if unicodedata.category(c) != "Mn"]

    assert len({unicodedata.combining(char) for char in kept}) >= 3


class OtherBasicTokenizer(BasicTokenizer):
    """A fork's, with a step of its own."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def tokenize(self, text):
        return self.step(super().tokenize(text))


@pytest.mark.parametrize(
    "step",
    [
        lambda tokens: [token.replace("ß", "ss") for token in tokens],
        lambda tokens: [token for token in tokens if token != "a"],
        lambda tokens: [*tokens, "a"],
        lambda tokens: tokens[::-1],
        lambda tokens: [],
    ],
)
def test_steps_of_a_subclass_that_change_characters_are_an_error(make, step):
    tokenizer = make([*"abs", "##a", "##b", "##s"])
    tokenizer.basic_tokenizer = OtherBasicTokenizer(step)

    assert tokenizer.encode("a-aßb") is not None
    with pytest.raises(UserError, match=r"Received: 'a-aßb' became .*override"):
        tokenizer.encode_with_offsets("a-aßb")


def test_a_subclass_may_split_words_elsewhere(make):
    tokenizer = make([*"ab", "ba"])
    tokenizer.basic_tokenizer = OtherBasicTokenizer(
        lambda tokens: [char for token in tokens for char in token]
    )

    assert pieces_of(tokenizer, "bá b") == [("b", "b"), ("a", "á"), ("b", "b")]


class OtherWordpieceTokenizer(WordpieceTokenizer):
    def __init__(self, vocab, pieces):
        super().__init__(vocab)
        self.pieces = pieces

    def tokenize(self, text):
        return self.pieces


@pytest.mark.parametrize(
    "pieces", [["a"], ["a", "##a"], ["b", "##b"], ["a", "##b", "##b"], []]
)
def test_pieces_of_a_subclass_that_are_not_the_words_are_an_error(make, pieces):
    tokenizer = make([*"ab", "##a", "##b"])
    tokenizer.wordpiece_tokenizer = OtherWordpieceTokenizer(
        tokenizer.vocab, pieces
    )

    with pytest.raises(UserError, match="steps of its own"):
        tokenizer.encode_with_offsets("ab")


def test_a_words_ranges_are_computed_once(make):
    tokenizer = make(PIECES)
    expected = tokenizer.encode_with_offsets("unwanted ab")
    tokenizer._cut = None

    assert tokenizer.encode_with_offsets("unwanted ab") == expected

import random
import unicodedata

import pytest
import tensorflow as tf

from bert.data.text.tokenization import BasicTokenizer
from bert.serving.word_graph import WordGraph

CASES = pytest.mark.parametrize("do_lower_case", [True, False])


def assert_words_equal(texts, do_lower_case):
    """Texts are str or bytes; the graph and BasicTokenizer get the same."""
    tokenizer = BasicTokenizer(do_lower_case)
    data = [t.encode() if isinstance(t, str) else t for t in texts]
    graph = WordGraph(do_lower_case).tokenize
    for text, words in zip(
        data, graph(tf.constant(data)).to_list(), strict=True
    ):
        expected = [word.encode() for word in tokenizer.tokenize(text)]
        assert words == expected, text


@CASES
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  two  words\n",
        "Don't (really) stop...",
        "naïve CAFÉ cafe\u0301",
        "日本語テスト 한국어",
        "a\u2028b\u3000c\u00a0d\x85e\x1ff",
        "a\0b\ufffdc\u200bd\x07e",
        "İstanbul ﬁne Straße ½²",
        "\U0002f800\uf900",  # CJK that becomes another CJK
        "[CLS] ##ing",
    ],
)
def test_words_are_the_basic_tokenizers(text, do_lower_case):
    assert_words_equal([text], do_lower_case)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ΟΔΟΣ", "οδος"),  # at the end
        ("ΣΟΣΑ", "σοσα"),
        ("Σ", "σ"),  # behind nothing
        ("ΑΣ\u0301", "ας"),  # accents do not count
        ("Α\u00adΣ", "ας"),  # nor what is dropped
        ("ΑΣ\u200bΑ", "ασα"),
        ("ΑΣʰ", "αςʰ"),  # cased, but transparent all the same
    ],
)
def test_sigma_is_final_at_the_end_of_a_word(text, word):
    words = WordGraph(do_lower_case=True).tokenize(tf.constant([text]))

    assert words.to_list() == [[word.encode()]]
    assert_words_equal([text], do_lower_case=True)


@CASES
def test_texts_do_not_touch_each_other(do_lower_case):
    # Words, sigmas and the order of accents would all go on.
    texts = ["ab", "cd", "", "ΑΣ", "Α", "a\u302e", "\u302ab", "ab"]

    assert_words_equal(texts, do_lower_case)


@CASES
def test_no_texts_have_no_words(do_lower_case):
    words = WordGraph(do_lower_case).tokenize(tf.constant([], tf.string))

    assert words.to_list() == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a\u302e\u302a", "a\u302e"),  # 302a is an accent (Mn): dropped
        ("a\U0001d165\U00016ff0", "a\U00016ff0\U0001d165"),
        ("a\U0001d165\u0301\U00016ff0", "a\U00016ff0\U0001d165"),
        ("a\U0001d165\u200b\U00016ff0", "a\U00016ff0\U0001d165"),
        # An accent of class 0 parts them, and is dropped.
        ("a\U0001d165\u034f\U00016ff0", "a\U0001d165\U00016ff0"),
    ],
)
def test_combining_characters_are_in_canonical_order(text, word):
    words = WordGraph(do_lower_case=True).tokenize(tf.constant([text]))

    assert words.to_list() == [[word.encode()]]
    assert_words_equal([text], do_lower_case=True)


@CASES
@pytest.mark.parametrize(
    "text",
    [
        b"a\xffb",
        b"a\xe2\x82",  # cut off
        b"a\xe2\x82 b",
        b"a\xe2\x82b",
        b"a\xed\xa0\x80b",  # a surrogate
        b"a\xc0\xafb",  # overlong
        b"a\xf4\x90\x80\x80b",  # above U+10FFFF
        b"\xf0\x9f\x99\x82\x82",
        b"\xff",
    ],
)
def test_bytes_that_are_not_utf8_are_left_out(text, do_lower_case):
    assert_words_equal([text], do_lower_case)


@CASES
def test_every_character_with_a_name_is_the_basic_tokenizers(do_lower_case):
    codes = [
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
    ]
    # And some without one, of which the last two are in a block of CJK.
    codes += [0x0378, 0xE000, 0xFFFF, 0x10FFFF, 0x2A6DF, 0x2FA1F]

    texts = [
        " ".join(f"{c} a{c}b A{c}Σ{c}a" for c in map(chr, codes[i : i + 64]))
        for i in range(0, len(codes), 64)
    ]

    assert_words_equal(texts, do_lower_case)


@CASES
def test_random_strings_are_the_basic_tokenizers(do_lower_case):
    rng = random.Random(0)
    chars = (
        "abAΣΣσ'.:\u00ad\u0345ʰÅé\u0301\u0323\u0334\u302a\u302e\U0001d165"
        "\U0001d16d\U00016ff0\u094d\u200b\0\x1c \t\u2028中豈한İﬁ½!-“"
    )
    texts = ["".join(rng.choices(chars, k=12)) for _ in range(2000)]

    assert_words_equal(texts, do_lower_case)


def test_characters_know_their_bytes():
    text = "É\u0301\u200bx, 中한"

    words = WordGraph(do_lower_case=True).split(tf.constant([text, "ab"]))

    starts, limits = words.char_starts.numpy(), words.char_limits.numpy()
    characters = [
        text.encode()[start:limit].decode()
        for start, limit in zip(starts[:-2], limits[:-2], strict=True)
    ]
    # Accents and what is dropped belong to the character before; the three
    # letters of a Hangul syllable are the syllable.
    assert characters == ["É\u0301\u200b", "x", ",", "中", "한", "한", "한"]
    assert starts[-2:].tolist() == [0, 1]
    assert limits[-2:].tolist() == [1, 2]

"""What single characters mean; the goldens of tokenization test all of them."""

import pytest

from bert.data.text import characters


@pytest.mark.parametrize(
    ("char", "is_space", "is_control", "is_punctuation"),
    [
        ("\t", True, False, False),
        ("\xa0", True, False, False),
        ("\x07", False, True, False),
        ("\u200b", False, True, False),
        ("\u2028", False, False, False),
        ("$", False, False, True),
        ("、", False, False, True),
        ("€", False, False, False),
        ("a", False, False, False),
    ],
)
def test_kinds_of_characters(char, is_space, is_control, is_punctuation):
    assert characters.is_whitespace(char) is is_space
    assert characters.is_control(char) is is_control
    assert characters.is_punctuation(char) is is_punctuation


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\0b\ufffdc\x07", "abc"),
        ("a\tb\xa0c", "a b c"),
        ("東a", " 東 a"),
        ("かな한", "かな한"),
    ],
)
def test_cleaning(text, cleaned):
    assert text.translate(characters.CLEAN) == cleaned


def test_accents_go_where_text_is_lower_cased_alone():
    text = "e\u0301!"
    assert text.translate(characters.SPLIT) == "e\u0301 ! "
    assert text.translate(characters.STRIP_AND_SPLIT) == "e ! "


@pytest.mark.parametrize(
    "name",
    ["CLEAN", "SPLIT", "STRIP_AND_SPLIT", "LEFT_CASED", "LEFT_LOWERED"],
)
def test_tables_of_characters_stay_below_their_limit(monkeypatch, name):
    monkeypatch.setattr(characters, "_MAX_ENTRIES", 1000)
    table = getattr(characters, name)
    table.clear()
    punctuation = "".join(map(chr, range(0x2010, 0x2028))) * 2
    text = "".join(map(chr, range(0x20000, 0x20000 + 3000))) + punctuation

    text.translate(table)

    assert len(table) == 1000
    assert len(text.translate(table).split()) == len(
        "".join(table.__missing__(ord(c)) for c in text).split()
    )

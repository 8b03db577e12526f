"""Sentences are cut by their language; cleaning knows none."""

import pytest

pytest.importorskip("sentencex", reason="requirements-text.txt")

from bert.data.preparation.documents import RawDocument
from bert.data.preparation.sentences import Splitter


def split(text, language="en"):
    [found] = Splitter(language, False).split((0, [RawDocument(text)]))
    return found


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Dr. Smith came. Who? He!", ["Dr. Smith came.", "Who?", "He!"]),
        (
            "de",
            "Dr. Müller kam z. B. um 3.5 Uhr. Er ging.",
            ["Dr. Müller kam z. B. um 3.5 Uhr.", "Er ging."],
        ),
        ("zh", "我来了。他走了！", ["我来了。", "他走了！"]),
        ("ar", "من أنت؟ أنا هنا.", ["من أنت؟", "أنا هنا."]),
        ("hi", "मैं आया। वह गया।", ["मैं आया।", "वह गया।"]),
        ("xx", "One. Two.", ["One.", "Two."]),
    ],
)
def test_sentences(language, text, expected):
    assert split(text, language).sentences == expected


def test_lines_are_not_joined_and_spaces_are_single():
    assert split("a\tb \xa0 c\nd\u2028e\x85f").sentences == [
        *("a b c", "d", "e", "f")
    ]


def test_cleaning():
    found = split(
        "e\u0301 &amp; &lt;b&gt; &nosuch; &\x00\x1b\ufffd\ud800x<br/>y"
    )
    assert found.sentences == ["é & <b> &nosuch; &x", "y"]


def test_what_has_no_letter():
    found = split("***\n12 - 3\nHe came. 12. ... She went.")
    assert found.left_out == {"lines without a letter": 2}
    assert " ".join(found.sentences) == "He came. 12. ... She went."
    assert all(any(map(str.isalpha, x)) for x in found.sentences)


def test_no_text_is_no_sentence():
    assert split(" \n\u200b\n").sentences == []


def test_a_bullet_ends_no_sentences():
    words = "• " + "He came by. She went to him. " * 400
    found = split(words).sentences
    assert " ".join(found) == words.strip()
    assert len(found) > 20
    assert max(map(len, found)) < 1000
    short = "• He came. She went."  # as ever: an item is one
    assert split(short).sentences == [short]

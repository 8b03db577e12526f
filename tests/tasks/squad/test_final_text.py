import logging

import pytest

from bert.tasks.squad import final_text


@pytest.mark.parametrize(
    ("pred_text", "orig_text", "text"),
    [
        ("steve smith", "Steve Smith's", "Steve Smith"),
        ("naima ozturk", "Dr. Naïma Öztürk,", "Naïma Öztürk"),
        ("' s 1987 .", "Steve's  1987.", "'s  1987."),
        ("other", "Steve Smith's", "Steve Smith's"),
        ("[UNK]", "Steve", "Steve"),
        ("", "Steve", "Steve"),
        # Lower-casing makes two characters of one; cleaning drops one.
        ("i̇stanbul", "(İstanbul)", "(İstanbul)"),
        ("ab", "a\x07b c", "a\x07b c"),
    ],
)
def test_final_text_is_that_of_the_original(pred_text, orig_text, text):
    assert final_text.get_final_text(pred_text, orig_text, True) == text


def test_final_text_of_a_cased_model():
    found = final_text.get_final_text("Smith", "Steve Smith's", False)
    assert found == "Smith"


@pytest.mark.parametrize(
    ("pred_text", "orig_text", "line"),
    [
        ("x", "a b", "Unable to find text: 'x' in 'a b'"),
        (
            "b",
            "a\x07 b",
            "Length not equal after stripping spaces: 'a\x07b' vs 'ab'",
        ),
    ],
)
def test_verbose_logging_says_what_is_not_found(
    pred_text, orig_text, line, caplog
):
    with caplog.at_level(logging.INFO, logger="absl"):
        final_text.get_final_text(pred_text, orig_text, True)
        assert not caplog.messages
        final_text.get_final_text(pred_text, orig_text, True, True)
    assert caplog.messages == [line]

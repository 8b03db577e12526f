"""Messages as a terminal can show them."""

import pickle

import pytest

from bert import errors
from bert.errors import UserError, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: 'é', 漢 – “ok” 😀", "as it is: 'é', 漢 – “ok” 😀"),
        ("two\nlines", "two lines"),
        ("  a\r\n\n  b  \n", "a b"),
        ("'two  spaces' stay", "'two  spaces' stay"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\tb\x7f\x85", r"a\tb\x7f\x85"),
        ("to the left \u202e, \u2028", r"to the left \u202e, \u2028"),
        ("half \ud83d", r"half \ud83d"),
        (ValueError("of\nan error"), "of an error"),
        ("", ""),
    ],
)
def test_a_message_is_one_line_of_what_can_be_printed(text, shown):
    assert one_line(text) == shown
    assert str(UserError(text)) == shown


@pytest.mark.parametrize("value", ["x" * 10**6, "/long" * 200, "漢" * 500])
def test_a_long_value_loses_its_middle_and_the_message_keeps_the_rest(value):
    message = str(UserError(f"a.txt, line 7: Received: {value}; remove it."))
    assert len("error: " + message) <= errors.MOST_CHARS
    assert message.startswith("a.txt, line 7: Received: " + value[:1])
    assert message.endswith("; remove it.")
    assert message.count("…") == 1


def test_of_several_long_words_the_longest_are_shortened():
    paths = ["/models/" + letter * 140 + "/b.json" for letter in "ab"]
    message = str(UserError(f"{paths[0]} and {paths[1]} differ: " + "w " * 20))
    assert len(message) <= errors.MOST_CHARS
    for path in paths:
        assert f"{path[:20]}" in message
        assert "/b.json" in message


def test_a_message_of_short_words_loses_its_middle():
    words = " ".join(map(str, range(1000)))
    message = str(UserError(f"Expected this. Received: {words}; do that."))
    assert message.startswith("Expected this. Received: 0 1 2 3")
    assert message.endswith("998 999; do that.")
    assert len(message) == errors.MOST_CHARS - len("error: ")


def test_a_message_that_was_made_is_not_changed_again():
    """As when it comes from another process, or within another message."""
    error = UserError("\x1b" + "long " * 100)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(UserError(error)) == str(error)

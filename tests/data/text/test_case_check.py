import pytest

from bert.data.text import case_check

LETTERS = [chr(ord("a") + i) for i in range(26)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (LETTERS, True),
        ([*LETTERS, "[CLS]", "<S>"], True),
        ([*LETTERS, "Berlin"], False),
        (LETTERS[:19], None),
        ([*LETTERS[:19], "1", "。", "[MASK]"], None),
        ([], None),
    ],
)
def test_a_vocabulary_tells_whether_its_text_was_lower_cased(tokens, expected):
    assert case_check.is_uncased(tokens) is expected

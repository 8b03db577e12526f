import pytest

from bert.data.preparation import languages
from bert.errors import UserError


@pytest.mark.parametrize(
    ("language", "code", "warns"),
    [
        ("de", "de", False),
        ("DE", "de", False),
        ("de_DE", "de", False),
        ("zh-hans", "zh", False),
        ("deu", "deu", True),
    ],
)
def test_codes(language, code, warns, caplog):
    languages.check(language)
    assert languages.code_of(language) == code
    assert ("cut as English" in caplog.text) is warns


@pytest.mark.parametrize("language", ["spanish", "xq", "", "d", "de de", "é"])
def test_what_is_no_code_is_refused(language):
    with pytest.raises(UserError, match="must be a code of ISO 639"):
        languages.check(language)

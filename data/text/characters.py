"""What single characters mean to the tokenizer, as `str.translate` tables.

The Unicode categories are those of the running Python.
"""

import unicodedata
from collections.abc import Callable

# All of Unicode would need 200 MB; this many take at most 5 MB a table.
_MAX_ENTRIES = 32_768


class _CharacterTable(dict[int, str]):
    """A table for `str.translate` that fills itself as characters are met."""

    def __init__(self, replace: Callable[[str], str]) -> None:
        super().__init__()
        self._replace = replace

    def __missing__(self, code_point: int) -> str:
        replacement = self._replace(chr(code_point))
        if len(self) < _MAX_ENTRIES:
            self[code_point] = replacement
        return replacement


def is_whitespace(char: str) -> bool:
    """Whether a character is a space: Zs, tab, line feed, return."""
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def is_control(char: str) -> bool:
    """Whether a character is dropped as a control or format character."""
    return char not in "\t\n\r" and unicodedata.category(char) in ("Cc", "Cf")


def is_punctuation(char: str) -> bool:
    """Whether a character is a token of its own: P*, and ASCII's symbols."""
    # All of ASCII but letters, digits and controls; "$" is no P* to Unicode.
    if "!" <= char <= "~":
        return not char.isalnum()
    return unicodedata.category(char).startswith("P")


def is_cjk(char: str) -> bool:
    """Whether a character is an ideograph; Kana and Hangul are not."""
    return (
        "\u4e00" <= char <= "\u9fff"
        or "\u3400" <= char <= "\u4dbf"
        or "\U00020000" <= char <= "\U0002a6df"
        or "\U0002a700" <= char <= "\U0002b73f"
        or "\U0002b740" <= char <= "\U0002b81f"
        or "\U0002b820" <= char <= "\U0002ceaf"
        or "\uf900" <= char <= "\ufaff"
        or "\U0002f800" <= char <= "\U0002fa1f"
    )


def _clean(char: str) -> str:
    if char in "\0\ufffd" or is_control(char):
        return ""
    if is_whitespace(char):
        return " "
    return f" {char} " if is_cjk(char) else char


def _split(char: str) -> str:
    return f" {char} " if is_punctuation(char) else char


def _strip_and_split(char: str) -> str:
    return "" if unicodedata.category(char) == "Mn" else _split(char)


def _left_cased(char: str) -> str:
    return _clean(char).strip()


def _left_lowered(char: str) -> str:
    decomposed = unicodedata.normalize("NFD", _clean(char).lower())
    return "".join(_strip_and_split(part).strip() for part in decomposed)


CLEAN = _CharacterTable(_clean)
SPLIT = _CharacterTable(_split)
STRIP_AND_SPLIT = _CharacterTable(_strip_and_split)
# What all steps together leave of a character, without spaces.
LEFT_CASED = _CharacterTable(_left_cased)
LEFT_LOWERED = _CharacterTable(_left_lowered)

"""What `FullTokenizer` does to every character, as tables for a graph.

Each table is filled by the very functions that the tokenizer runs, so that the
two cannot differ. Imports NumPy, not TensorFlow.
"""

import copy
import functools
import itertools
import unicodedata
from typing import NamedTuple

import numpy as np

from bert.data.text import characters

_NUM_CODE_POINTS = 0x110000
_NAMELESS = ("Cn", "Co", "Cs")  # unassigned, private, surrogate
PAGE_SIZE = 256

# What a character that is left in a text becomes.
LETTER = 0  # part of a word
ALONE = 1  # a word of its own: punctuation and CJK
SPACE = 2
MARK = 3  # an accent: counts in the order of accents, then is dropped
KIND_SHIFT = 21
CLASS_SHIFT = 23
CODE_MASK = (1 << KIND_SHIFT) - 1
KIND_MASK = 3

# How a character next to a capital sigma decides whether that ends a word.
UNCASED = 0
CASED = 1
TRANSPARENT = 2  # the next one decides


class PagedTable(NamedTuple):
    """An int32 for each code point; equal pages are kept once.

    Attributes:
        page_of: int32 [4352], the page of each 256 code points.
        pages: int32 [pages, 256].
    """

    page_of: np.ndarray
    pages: np.ndarray

    @classmethod
    def from_values(cls, values: np.ndarray) -> "PagedTable":
        """Makes the table of int32 [0x110000]."""
        pages, page_of = np.unique(
            values.reshape(-1, PAGE_SIZE), axis=0, return_inverse=True
        )
        return cls(page_of.reshape(-1).astype(np.int32), pages)


class CharacterTable(NamedTuple):
    """Code point to units: characters with what is to be done with them.

    A unit is `code | kind << KIND_SHIFT | combining class << CLASS_SHIFT`. A
    character becomes `entry ^ code point` where its entry is not negative,
    else row `-1 - entry` of `expansions`: any number of units.

    Attributes:
        entries: see above.
        expansions: int32, the rows one after the other, then a zero.
        expansion_splits: int32 [rows + 1], where they begin and end.
    """

    entries: PagedTable
    expansions: np.ndarray
    expansion_splits: np.ndarray


@functools.cache
def build(do_lower_case: bool) -> CharacterTable:
    """Returns the table of `BasicTokenizer(do_lower_case)`.

    The one thing that is not in it is a capital sigma at the end of a word:
    see `sigma_contexts`.
    """
    entries = np.zeros(_NUM_CODE_POINTS, np.int32)
    rows: dict[tuple[int, ...], int] = {}
    for code_point, cleaned in _cleaned().items():
        units = _units(cleaned, do_lower_case)
        if len(units) == 1:
            entries[code_point] = units[0] ^ code_point
        else:
            entries[code_point] = -1 - rows.setdefault(units, len(rows))
    splits = np.cumsum([0, *map(len, rows)])
    return CharacterTable(
        PagedTable.from_values(entries),
        np.array([*itertools.chain(*rows), 0], np.int32),
        splits.astype(np.int32),
    )


@functools.cache
def sigma_contexts() -> PagedTable:
    """Returns how each character decides about a capital sigma beside it."""
    values = np.zeros(_NUM_CODE_POINTS, np.int32)
    for code_point, cleaned in _cleaned().items():
        # str.lower writes ς after a cased character, else σ.
        if (cleaned + "Σ").lower().endswith("ς"):
            values[code_point] = CASED
        elif ("A" + cleaned + "Σ").lower().endswith("ς"):
            values[code_point] = TRANSPARENT
    return PagedTable.from_values(values)


@functools.cache
def _cleaned() -> dict[int, str]:
    """Returns what cleaning makes of every character that may change.

    Most have no name, thus neither case nor decomposition: they are left out
    where cleaning, too, leaves them as they are.
    """
    # A copy: the tokenizer's own table has no room for all of Unicode.
    clean = copy.copy(characters.CLEAN)
    cleaned = {}
    for char in map(chr, range(_NUM_CODE_POINTS)):
        text = char.translate(clean)
        if text != char or unicodedata.category(char) not in _NAMELESS:
            cleaned[ord(char)] = text
    return cleaned


def _units(cleaned: str, do_lower_case: bool) -> tuple[int, ...]:
    if cleaned == " ":
        return (_unit(" ", SPACE),)
    is_alone = cleaned.startswith(" ")  # CJK
    if do_lower_case:
        cleaned = unicodedata.normalize("NFD", cleaned.lower())
    return tuple(
        _unit(char, ALONE if is_alone else _kind(char, do_lower_case))
        for char in cleaned.replace(" ", "")
    )


def _kind(char: str, do_lower_case: bool) -> int:
    if char.isspace():
        return SPACE
    if do_lower_case and unicodedata.category(char) == "Mn":
        return MARK
    return ALONE if characters.is_punctuation(char) else LETTER


def _unit(char: str, kind: int) -> int:
    order = unicodedata.combining(char)
    return ord(char) | kind << KIND_SHIFT | order << CLASS_SHIFT

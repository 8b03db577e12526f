"""Where word pieces stand in the text that they are from.

A tokenizer drops, adds and replaces characters. What it leaves of each
character can be said for each alone, so a word is laid beside what is left:

    word    İ   c   é  S  T  U+00AD  .     (é as two characters: e, U+0301)
    left    i   c   e     s  t          .
    places  0   1   2     4  5          7

A piece has the range [start, end) of the characters that it is from, never
empty; ranges are in order. Two pieces of one character (Hangul is cut into
jamo) both have its range. What is dropped belongs to no piece, but marks belong
to the character that they stand on: stripped accents, vowel signs and U+FE0F;
U+200D; tag characters; U+200C after a virama.

Imports neither TensorFlow nor NumPy.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from bert.data.text import characters
from bert.errors import UserError

# The words of `str.split`, but not split at what cleaning drops: U+000B,
# U+000C, U+001C to U+001F, U+0085.
WORD = re.compile(
    "[^\t\n\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
)

_VIRAMA = 9  # a canonical combining class


class _Left(NamedTuple):
    """What the tokenizer leaves of a word, without spaces.

    Attributes:
        text: the characters.
        starts: by character, where it is from in the word.
        ends: by character, the end of what it is from.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def piece_offsets(
    word: str, tokens: Sequence[str], pieces: Sequence[str], lower: bool
) -> tuple[int, ...]:
    """Returns the ranges of a word's pieces: start, end, start, end, ...

    Args:
        word: any text.
        tokens: what `BasicTokenizer` makes of it.
        pieces: what `WordpieceTokenizer` makes of the tokens.
        lower: whether `BasicTokenizer` lower-cases.

    Raises:
        UserError: tokens or pieces are not those of these two (in a subclass
            with other steps), so their ranges are not known.
    """
    left = _left(word, "".join(tokens), lower)
    found: list[int] = []
    next_piece = iter(pieces)
    start = 0
    for token in tokens:
        rest, prefix = token, ""
        while rest:
            piece = next(next_piece, "")
            length = len(piece) - len(prefix)
            if length < 1 or piece != prefix + rest[:length]:
                if prefix or not piece:
                    raise _unknown_steps(word, piece)
                length = len(rest)  # [UNK], which stands for the whole token
            found += left.starts[start], left.ends[start + length - 1]
            start, rest, prefix = start + length, rest[length:], "##"
    if len(found) != 2 * len(pieces):
        raise _unknown_steps(word, pieces[-1])
    return tuple(found)


def shifted_pairs(places: Sequence[int], first: int) -> list[tuple[int, int]]:
    """Returns a word's ranges as those of the text that it is in.

    Args:
        places: start, end, start, end, ... in the word.
        first: where the word begins in the text.
    """
    shifted = [first + place for place in places]
    return list(zip(shifted[::2], shifted[1::2], strict=True))


def _unknown_steps(word: str, received: str) -> UserError:
    return UserError(
        "Expected the steps of BasicTokenizer and WordpieceTokenizer, to say "
        f"where in a text a piece stands. Received: {word!r} became "
        f"{received!r}; a tokenizer with steps of its own must override "
        "word_offsets, too."
    )


def _left(word: str, text: str, lower: bool) -> _Left:
    """Lays a word beside what the tokenizer leaves of it.

    Args:
        word: the word.
        text: what is left: the tokens, joined.
        lower: whether it is lower-cased.
    """
    table = characters.LEFT_LOWERED if lower else characters.LEFT_CASED
    parts = [table[ord(char)] for char in word]
    if len(text) == len(parts) and all(parts):
        starts: Sequence[int] = range(len(word))
        ends: Sequence[int] = range(1, len(word) + 1)
    else:
        starts = [place for place, part in enumerate(parts) for _ in part]
        ends = [_end(word, parts, place) for place in starts]
    expected = "".join(parts)
    if expected != text and _fold_sigma(expected) != _fold_sigma(text):
        found = _reordered(word) if lower else []
        expected = "".join(char for char, _, _ in found)
        if _fold_sigma(expected) != _fold_sigma(text):
            raise _unknown_steps(word, text)
        starts = [first for _, first, _ in found]
        ends = [_end(word, parts, last) for _, _, last in found]
    return _Left(text, starts, ends)


def _end(word: str, parts: Sequence[str], place: int) -> int:
    """Returns the end of a character and of the dropped marks on it."""
    end = place + 1
    while end < len(word) and not parts[end] and _is_mark(word, end):
        end += 1
    return end


def _is_mark(word: str, place: int) -> bool:
    """Whether a character stands on the one before it."""
    char = word[place]
    if char == "\u200c":  # elsewhere it ends a part of a word, as in Persian
        return unicodedata.combining(word[place - 1]) == _VIRAMA
    return (
        unicodedata.category(char) == "Mn"
        or char == "\u200d"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _fold_sigma(text: str) -> str:
    # The one letter whose lower case depends on its neighbours.
    return text.replace("ς", "σ")


def _reordered(word: str) -> list[tuple[str, int, int]]:
    """Lays a lower-cased word beside its NFD where that moves characters.

    Returns:
        What is left: each character with the first and the last place that it
        may be from, which are those of all the marks in a row that were put
        in order.
    """
    found: list[tuple[str, int, int]] = []
    marks: list[tuple[str, int]] = []  # in a row, that are left

    def put_in_order() -> None:
        ordered = sorted(marks, key=lambda mark: unicodedata.combining(mark[0]))
        places = [place for _, place in marks]
        for char, place in ordered:
            if ordered == marks:
                found.append((char, place, place))
            else:
                found.append((char, min(places), max(places)))
        marks.clear()

    for place, char in enumerate(word):
        cleaned = characters.CLEAN[ord(char)].lower()
        for part in unicodedata.normalize("NFD", cleaned):
            left = characters.STRIP_AND_SPLIT[ord(part)].strip()
            if not unicodedata.combining(part):
                put_in_order()
                found += [(left, place, place)] if left else []
            elif left:
                marks.append((left, place))
    put_in_order()
    return found

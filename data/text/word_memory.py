"""Remembers what the words of a text become, within a limit of memory."""

import itertools
import re
import sys
from collections.abc import Callable

# `str.split` splits at these, too, but cleaning drops them: they join words.
DROPPED_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1f\x85]+")

# Longer words hardly ever come twice (and where a script has no spaces, a
# "word" is a sentence).
_MAX_WORD_CHARS = 32
# Memory of a dict per entry, at most (just after it has grown: 6 slots of 15
# bytes, and the old 1.5 not yet freed), and the allocator's rounding.
_ENTRY_BYTES = 144
# More than one word can take: its string, what it becomes, two entries. A
# character is four bytes and becomes at most a handful of pieces.
_MAX_WORD_BYTES = 5000


class WordMemory(dict[str, tuple]):
    """Word to ids or pieces: computes what it lacks; when full, starts over.

    Starting over keeps the bound without any bookkeeping in a hit, and the
    frequent words of a new text are back within a few lines.

    Args:
        compute: word to ids or pieces. They must be the vocabulary's own
            objects: only the tuple that holds them is counted.
        limit_bytes: most memory that words, tuples and tables take.
    """

    def __init__(
        self, compute: Callable[[str], tuple], limit_bytes: int
    ) -> None:
        super().__init__()
        # Words of one piece share its tuple: less memory, fewer cache misses.
        self._single_values: dict[tuple, tuple] = {}
        self._compute = compute
        self._limit_bytes = limit_bytes
        self._used_bytes = 0

    def forget(self) -> None:
        """Starts over."""
        self.clear()
        self._single_values.clear()
        self._used_bytes = 0

    def values_of_text(self, text: str) -> list:
        """Returns what the words of the text become, in one list."""
        # Quick, and False for nearly all lines: all of them end a line to
        # Python, but for U+001F. (The last one of a text joins no words.)
        if "\x1f" in text or len(text.splitlines()) > 1:
            text = DROPPED_SEPARATORS.sub("", text)
        values = map(self.__getitem__, text.split())
        return list(itertools.chain.from_iterable(values))

    def __missing__(self, word: str) -> tuple:
        value = self._compute(word)
        if len(word) > _MAX_WORD_CHARS:
            return value
        if self._used_bytes > self._limit_bytes - _MAX_WORD_BYTES:
            self.forget()
        self._used_bytes += sys.getsizeof(word) + _ENTRY_BYTES
        if value not in self._single_values:
            self._used_bytes += sys.getsizeof(value)
            if len(value) == 1:
                self._single_values[value] = value
                self._used_bytes += _ENTRY_BYTES
        self[word] = value = self._single_values.get(value, value)
        return value

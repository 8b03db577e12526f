"""Word counts → the pieces of a vocabulary.

The most frequent pair of neighbouring pieces becomes a piece, again and again,
as in BPE (Sennrich et al. 2016) and in Hugging Face's WordPiece trainer. Of
equally frequent pairs the one with the lower left id comes first, then the one
with the lower right id. Characters have the lowest ids, by code point, those
that begin a word before those inside one (`##`); then come the pieces in the
order in which they were made. So equal counts give equal vocabularies.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

INSIDE = "##"
# In place of a piece: between words, and where a piece was joined to another.
_NONE = -1
# Of the key of a pair: left id, right id.
_SHIFT = 32


def alphabet(
    counts: Mapping[str, int], min_frequency: int, most: int | None = None
) -> list[str]:
    """Returns the characters that a vocabulary is to have, by code point.

    Args:
        counts: how often each word occurs.
        min_frequency: how often a character occurs at least.
        most: how many there may be, in place of min_frequency: the most
            frequent ones; of equally frequent ones the lower code points.
    """
    found: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            found[character] += count
    if most is not None:
        ranked = sorted(found, key=lambda c: (-found[c], c))
        return sorted(ranked[:most])
    return sorted(c for c, count in found.items() if count >= min_frequency)


def learn(
    counts: Mapping[str, int],
    characters: Iterable[str],
    size: int,
    min_frequency: int = 2,
    max_piece_chars: int = 16,
) -> list[str]:
    """Returns pieces, by their ids: characters, then what was made of them.

    Each character is there as what begins a word, and with `##` where it is
    inside one.

    Args:
        counts: how often each word occurs. A word with other characters would
            be unknown as a whole, and is left out.
        characters: of `alphabet`.
        size: how many pieces at most, unless there are more characters.
        min_frequency: how often a pair occurs at least to become a piece.
        max_piece_chars: how long a piece is at most, without `##`.
    """
    known = {*characters}
    words = [word for word in sorted(counts) if known.issuperset(word)]
    first = sorted(known)
    inner = sorted({*"".join(word[1:] for word in words)})
    pieces = [*first, *(INSIDE + character for character in inner)]
    ids = {piece: index for index, piece in enumerate(pieces)}
    pairs = _Pairs(_symbols(words, first, inner), [counts[w] for w in words])
    while len(pieces) < size and (pair := pairs.pop(min_frequency)):
        left, right = pair
        piece = pieces[left] + pieces[right].removeprefix(INSIDE)
        if len(piece.removeprefix(INSIDE)) > max_piece_chars:
            continue
        # Another pair may have given the same piece: ab + c, a + bc.
        index = ids.setdefault(piece, len(pieces))
        if index == len(pieces):
            pieces.append(piece)
        pairs.join(left, right, index)
    return pieces


def _symbols(
    words: Sequence[str], first: Sequence[str], inner: Sequence[str]
) -> np.ndarray:
    """Returns the ids of all words' characters, int32, a _NONE after each."""
    text = "".join(f"{word}\n" for word in words)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    is_end = codes == ord("\n")  # no word has one
    is_first = np.concatenate([[True], is_end[:-1]])
    of_first, of_inner = (
        np.searchsorted([ord(c) for c in some], codes)
        for some in (first, inner)
    )
    found = np.where(is_first, of_first, len(first) + of_inner)
    return np.where(is_end, _NONE, found).astype(np.int32)


class _Pairs:
    """Words as pieces, and how often each two of them are neighbours.

    Args:
        symbols: of `_symbols`; T places.
        counts: how often each word occurs.

    A pair is known by its key, and stands where its left piece does.
    """

    def __init__(self, symbols: np.ndarray, counts: Sequence[int]):
        # A place more at the end, so that what is before the first word is a
        # _NONE, too.
        self._pieces = np.append(symbols, np.int32(_NONE))
        places = np.arange(len(self._pieces), dtype=np.int32)
        self._next = places + np.int32(1)
        self._next[-1] = len(places) - 1
        self._before = places - np.int32(1)
        self._before[0] = len(places) - 1
        ends = np.cumsum(symbols == _NONE)
        self._word = np.append(ends - (symbols == _NONE), 0).astype(np.int32)
        self._word_counts = np.array(counts or [0], np.int64)
        self._counts: dict[int, int] = {}
        self._places: dict[int, list[np.ndarray]] = {}
        self._heap: list[tuple[int, int]] = []
        self._add(places)

    def pop(self, min_frequency: int) -> tuple[int, int] | None:
        """Returns the most frequent pair; it is not given again."""
        while self._heap:
            negative, key = heapq.heappop(self._heap)
            count = self._counts.get(key, 0)
            if count < min_frequency:
                continue
            if count == -negative:
                return key >> _SHIFT, key & (1 << _SHIFT) - 1
            # It was counted before others took some of its places.
            heapq.heappush(self._heap, (-count, key))
        return None

    def join(self, left: int, right: int, piece: int) -> None:
        """Puts a piece wherever the pair is."""
        pieces, after, before = self._pieces, self._next, self._before
        found = self._places.pop(left << _SHIFT | right)
        places = np.unique(np.concatenate(found))
        # It was there; by now another piece may be.
        is_there = (pieces[places] == left) & (pieces[after[places]] == right)
        places = places[is_there]
        if left == right:
            places = _without_overlaps(places, after)
        ends = after[places]
        self._take(np.concatenate([before[places], places, ends]))
        pieces[places] = piece
        pieces[ends] = _NONE
        after[places] = after[ends]
        before[after[ends]] = places
        self._add(np.concatenate([before[places], places]))

    def _add(self, places: np.ndarray) -> None:
        for key, count, where in self._by_key(places):
            self._counts[key] = count = self._counts.get(key, 0) + count
            self._places.setdefault(key, []).append(where)
            heapq.heappush(self._heap, (-count, key))

    def _take(self, places: np.ndarray) -> None:
        for key, count, _ in self._by_key(places):
            self._counts[key] -= count
            if not self._counts[key]:
                del self._counts[key]
                self._places.pop(key, None)

    def _by_key(
        self, places: np.ndarray
    ) -> Iterable[tuple[int, int, np.ndarray]]:
        """Yields the key, the count and the places of each pair there is."""
        places = np.unique(places)
        left = self._pieces[places]
        right = self._pieces[self._next[places]]
        is_pair = (left != _NONE) & (right != _NONE)
        places = places[is_pair]
        if not len(places):
            return
        keys = left[is_pair].astype(np.int64) << _SHIFT | right[is_pair]
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        counts = np.add.reduceat(self._word_counts[self._word[places]], starts)
        yield from zip(
            keys[starts].tolist(),
            counts.tolist(),
            np.split(places, starts[1:]),
            strict=True,
        )


def _without_overlaps(places: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Returns every other place of a row of equal pieces: aaaa → aa aa."""
    if not len(places):
        return places
    goes_on = np.append(False, after[places[:-1]] == places[1:])
    index = np.arange(len(places))
    start = np.maximum.accumulate(np.where(goes_on, 0, index))
    return places[(index - start) % 2 == 0]

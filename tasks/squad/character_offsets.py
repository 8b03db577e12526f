"""Answers in characters of their paragraph (--answer_offsets=characters).

The original counts answers in words, split at spaces, and searches for the
pieces of an answer in its words, both ways. Where a script writes no spaces or
glues particles to a word, that finds another place, or too much. Here a word
piece knows the characters that it is from, and nothing is searched for:

    context   청라시에서 태어났다          answer_start 0, "청라시"
    pieces    청라시 ##에서 태어 ##났다
    ranges    0-3   3-5    6-8  8-10    pieces 0 to 0; the text is context[0:3]
"""

import bisect
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bert.data.text.offsets import shifted_pairs
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.squad.final_text import get_final_text, join_pieces

if TYPE_CHECKING:
    from bert.tasks.squad.examples import SquadExample

# The values of --answer_offsets.
WORDS = "words"
CHARACTERS = "characters"


def answer_range(
    context: str, text: str, answer_start: int
) -> tuple[int, int] | None:
    """Returns the range [start, end) of an answer in its context.

    Args:
        context: the paragraph.
        text: the answer.
        answer_start: where it begins in the context.

    Returns:
        None where another text stands there; one space may stand for another.
    """
    end = answer_start + len(text)
    if context[answer_start:end].split() != text.split():
        return None
    return answer_start, end


class PieceOffsets:
    """Where a paragraph's word pieces stand in it.

    A word's ranges are computed when they are asked for.

    Args:
        context: the paragraph.
        words: its words.
        word_starts: by word, where it begins in the context.
        first_piece: by word, its first piece; one entry more at the end.
        word_offsets: `FullTokenizer.word_offsets`.

    Attributes:
        context: the paragraph.
    """

    def __init__(
        self,
        context: str,
        words: Sequence[str],
        word_starts: Sequence[int],
        first_piece: Sequence[int],
        word_offsets: Callable[[Iterable[str]], list[tuple[int, ...]]],
    ) -> None:
        self.context = context
        self._words = words
        self._word_starts = word_starts
        self._first_piece = first_piece
        self._word_offsets = word_offsets
        # The tokenizer remembers no long words; a script without spaces has
        # hardly any others.
        self._known: dict[int, list[tuple[int, int]]] = {}

    def range_of(self, first: int, last: int) -> tuple[int, int]:
        """Returns the range [start, end) in the context of some pieces.

        Args:
            first: the first piece.
            last: the last one, not before the first.
        """
        return self._range(first)[0], self._range(last)[1]

    def pieces_over(self, start: int, end: int) -> tuple[int, int] | None:
        """Returns the first and the last piece that overlap a range.

        Args:
            start: where the range begins in the context.
            end: the character after its last one.

        Returns:
            None where no piece does: all of the range is dropped by the
            tokenizer.
        """
        first_word = bisect.bisect_right(self._word_starts, start) - 1
        end_word = bisect.bisect_left(self._word_starts, end)
        found: list[int] = []
        for word in range(max(first_word, 0), end_word):
            word_start = self._word_starts[word]
            word_end = word_start + len(self._words[word])
            pieces = range(self._first_piece[word], self._first_piece[word + 1])
            if start <= word_start and word_end <= end:
                found += pieces
            else:
                found += [
                    piece
                    for piece, own in zip(
                        pieces, self._ranges(word), strict=True
                    )
                    if own[0] < end and start < own[1]
                ]
        return (found[0], found[-1]) if found else None

    def _range(self, piece: int) -> tuple[int, int]:
        # The last word of those with this entry: the others have no pieces.
        word = bisect.bisect_right(self._first_piece, piece) - 1
        return self._ranges(word)[piece - self._first_piece[word]]

    def _ranges(self, word: int) -> list[tuple[int, int]]:
        """Returns the ranges in the context of a word's pieces."""
        if word not in self._known:
            [places] = self._word_offsets([self._words[word]])
            self._known[word] = shifted_pairs(places, self._word_starts[word])
        return self._known[word]


def comes_back_in_words(
    example: "SquadExample", tokenizer: FullTokenizer, do_lower_case: bool
) -> bool:
    """Whether a perfect model could give an answer that is counted in words.

    That is: whether the text that is searched for from the very pieces of the
    answer is the answer; of several right answers one is enough.

    Args:
        example: a question; where it has no answer, or where an answer's
            place is not known: True.
        tokenizer: makes the pieces.
        do_lower_case: that of the tokenizer.
    """
    answers = (
        zip(example.answers, example.answer_ranges, strict=True)
        if example.answers
        else [(example.orig_answer_text, example.answer_range)]
    )
    return any(
        not text
        or place is None
        or _search(example, place, tokenizer, do_lower_case) == text
        for text, place in answers
    )


def _search(
    example: "SquadExample",
    place: tuple[int, int],
    tokenizer: FullTokenizer,
    do_lower_case: bool,
) -> str | None:
    """Returns what is found for the pieces at a place; None: it has none."""
    starts = example.word_starts
    first = max(bisect.bisect_right(starts, place[0]) - 1, 0)
    end = bisect.bisect_right(starts, place[1] - 1)
    words = example.doc_tokens[first:end]
    if (starts[first], starts[end - 1] + len(words[-1])) == place:
        return " ".join(words)  # Found or not, it is all of them.
    ids = tokenizer.encode_words(words)
    first_piece = list(itertools.accumulate(map(len, ids), initial=0))
    found = PieceOffsets(
        "", words, starts[first:end], first_piece, tokenizer.word_offsets
    ).pieces_over(*place)
    if found is None:
        return None
    span = slice(found[0], found[1] + 1)
    words_of_span = slice(
        bisect.bisect_right(first_piece, found[0]) - 1,
        bisect.bisect_right(first_piece, found[1]),
    )
    pieces = tokenizer.convert_ids_to_tokens(itertools.chain(*ids))[span]
    return get_final_text(
        join_pieces(pieces), " ".join(words[words_of_span]), do_lower_case
    )

"""Sentences → windows of word pieces with labels.

Each word is cut into pieces on its own, and its first piece stands for it:

    words                 J.         lives   in      Lübeck
    pieces     [CLS]  j    .   lives   in   lu   ##beck  [SEP]
    label_ids    0    3    0     0     0     5     0       0
    label_mask   0    1    0     1     1     1     0       0

A sentence that is too long becomes several windows, which overlap; each word
is labelled in one of them, the one that shows most on both of its sides.
"""

import bisect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bert.data.records import packing
from bert.data.records.fields import Field, sequence_fields
from bert.data.tables.conll import Sentence
from bert.data.text import special_tokens
from bert.data.text.tokenization import FullTokenizer


def fields(seq_length: int) -> tuple[Field, ...]:
    """Returns the fields of run_ner.py's records.

    Args:
        seq_length: the flag max_seq_length, S.

    label_mask is 1 where a label counts: at the first piece of a word, in the
    one window that is to predict it.
    """
    return (
        *sequence_fields(seq_length),
        Field("label_ids", seq_length, per_token=True),
        Field("label_mask", seq_length, per_token=True),
    )


class Window(NamedTuple):
    """Words of a sentence that one sequence holds.

    Attributes:
        start: the first word.
        end: one past the last word.
        first_kept: the first word that is labelled here.
        end_kept: one past the last word that is labelled here.
    """

    start: int
    end: int
    first_kept: int
    end_kept: int


def split_into_windows(lengths: Sequence[int], room: int) -> list[Window]:
    """Returns the windows that a sentence needs; one where all of it fits.

    Windows begin half a window apart, the last one as early as it can; all
    their words are whole. Each word is kept in the window that has most pieces
    on the side where it has fewer (the first of equal ones), and so the kept
    words of the windows in turn are the sentence.

    Args:
        lengths: pieces of each word, from 1 to room.
        room: pieces that a window holds at most.
    """
    offsets = list(itertools.accumulate(lengths, initial=0))
    num_words = len(lengths)
    if 0 < offsets[-1] <= room:
        return [Window(0, num_words, 0, num_words)]
    spans = []
    start = end = 0
    while end < num_words:
        if offsets[num_words] - offsets[start] <= room:
            start = bisect.bisect_left(offsets, offsets[num_words] - room)
        # One past the last word that ends within the room.
        end = bisect.bisect_right(offsets, offsets[start] + room) - 1
        spans.append((start, end))
        half = bisect.bisect_right(offsets, offsets[start] + room // 2) - 1
        start = max(half, start + 1)
    return _keep_each_once(spans, offsets)


def _keep_each_once(
    spans: Sequence[tuple[int, int]], offsets: Sequence[int]
) -> list[Window]:
    """Shares the words out between windows that overlap."""
    scores = [-1] * (len(offsets) - 1)
    chosen = [0] * len(scores)
    for index, (start, end) in enumerate(spans):
        for word in range(start, end):
            before = offsets[word] - offsets[start]
            after = offsets[end] - offsets[word + 1]
            if min(before, after) > scores[word]:
                scores[word] = min(before, after)
                chosen[word] = index
    # A later word is never better off in an earlier window, so the words of a
    # window stand in a row.
    return [
        Window(*spans[index], (words := list(group))[0], words[-1] + 1)
        for index, group in itertools.groupby(
            range(len(chosen)), key=chosen.__getitem__
        )
    ]


class PackedWindow(NamedTuple):
    """A window as the model sees it.

    Attributes:
        packed: the sequence.
        labelled: (word of the sentence, position of its first piece) of each
            word that is labelled here.
    """

    packed: packing.Packed
    labelled: list[tuple[int, int]]


class Featurizer:
    """Makes the features of sentences.

    Args:
        tokenizer: cuts words into pieces.
        labels: label to number.
        seq_length: the flag max_seq_length, S; at least 3.
    """

    def __init__(
        self,
        tokenizer: FullTokenizer,
        labels: Mapping[str, int],
        seq_length: int,
    ):
        self._tokenizer = tokenizer
        self._labels = labels
        self._seq_length = seq_length
        self._room = seq_length - 2
        self._special = packing.SpecialIds.from_vocab(tokenizer.vocab)
        # Of words that nothing is left of, such as a soft hyphen.
        unknown = special_tokens.of(tokenizer.vocab).unk
        self._unknown = (tokenizer.vocab[unknown],)

    def features(self, sentence: Sentence) -> Iterator[dict[str, list[int]]]:
        """Yields the windows of a sentence, in order.

        Each a dict of `input_ids`, `input_mask`, `segment_ids`, `label_ids`
        and `label_mask`, S ints each. label_mask is 1 at the first piece of
        the words that the window labels; label_ids is 0 elsewhere, and
        everywhere where the sentence has no labels. A word that is longer
        than a sequence is cut to what fits.
        """
        numbers = self._label_ids(sentence)
        for packed, labelled in self.pack(sentence.words):
            label_ids = [0] * self._seq_length
            label_mask = [0] * self._seq_length
            for word, position in labelled:
                label_mask[position] = 1
                if numbers is not None:
                    label_ids[position] = numbers[word]
            yield {
                **packing.pad(packed, self._seq_length),
                "label_ids": label_ids,
                "label_mask": label_mask,
            }

    def pack(self, words: Sequence[str]) -> Iterator[PackedWindow]:
        """Yields the windows of a sentence, in order, without padding."""
        pieces = self._pieces(words)
        for window in split_into_windows(list(map(len, pieces)), self._room):
            inside = pieces[window.start : window.end]
            # The first one comes after [CLS].
            positions = itertools.accumulate(map(len, inside), initial=1)
            yield PackedWindow(
                packing.pack_single(
                    list(itertools.chain.from_iterable(inside)), self._special
                ),
                [
                    (word, position)
                    for word, position in zip(
                        range(window.start, window.end), positions, strict=False
                    )
                    if window.first_kept <= word < window.end_kept
                ],
            )

    def inputs(self, sentence: Sentence) -> tuple:
        """Returns what `features` makes a sentence's windows from."""
        return sentence.words, self._label_ids(sentence)

    def num_windows(self, sentence: Sentence) -> int:
        """Returns how many windows `features` yields."""
        lengths = list(map(len, self._pieces(sentence.words)))
        return len(split_into_windows(lengths, self._room))

    def _pieces(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """Returns the ids of each word, at least one."""
        return [
            (ids or self._unknown)[: self._room]
            for ids in self._tokenizer.encode_words(words)
        ]

    def _label_ids(self, sentence: Sentence) -> list[int] | None:
        if sentence.labels is None:
            return None
        return [self._labels[label] for label in sentence.labels]

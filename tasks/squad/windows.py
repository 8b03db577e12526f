"""Questions → windows over long paragraphs → features.

    [CLS] question [SEP] pieces 0 to n [SEP]
    [CLS] question [SEP] pieces doc_stride to doc_stride + n [SEP]
    ...

A piece stands in several windows. The one where it has most context is the
one that may answer with it.

Source: Devlin et al. 2019, section 4.2; run_squad.py of google-research/bert.
"""

import array
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from absl import logging

from bert.data.records import long_texts, packing
from bert.data.records.fields import Field, sequence_fields
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.squad.character_offsets import PieceOffsets
from bert.tasks.squad.examples import SquadExample

_details = logging.get_absl_logger().getChild("details")

FIRST_UNIQUE_ID = 1_000_000_000
# Of no answer, and of one of which the tokenizer leaves nothing.
_NO_PIECES = (-1, -1)


class WindowSettings(NamedTuple):
    """How to cut; the flags of the same names.

    Attributes:
        max_seq_length: ids of a window, [CLS] and [SEP] counted; more than
            max_query_length + 3.
        doc_stride: pieces from the start of a window to that of the next.
        max_query_length: pieces of the question that are kept.
    """

    max_seq_length: int
    doc_stride: int
    max_query_length: int


def fields(seq_length: int, is_training: bool) -> tuple[Field, ...]:
    """Returns the fields of run_squad.py's records.

    Args:
        seq_length: the flag max_seq_length, S.
        is_training: whether the answers are in them.
    """
    answer = ("start_positions", "end_positions", "is_impossible")
    return (
        Field("unique_ids", 1),
        *sequence_fields(seq_length),
        *(Field(name, 1) for name in answer if is_training),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """A paragraph as word pieces; its questions' windows share it.

    Attributes:
        pieces: the word pieces.
        ids: their ids.
        word_of_piece: by piece, the word (of `doc_tokens`) that it is from.
        first_piece: by word, its first piece; one entry more at the end.
        offsets: where the pieces stand in the paragraph, where answers are
            counted in its characters; else None.
    """

    pieces: Sequence[str]
    ids: Sequence[int]
    word_of_piece: Sequence[int]
    first_piece: Sequence[int]
    offsets: PieceOffsets | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """A question and a part of its paragraph, as the model sees them.

    A position is one in the sequence [CLS] question [SEP] part [SEP].

    Attributes:
        unique_id: counts windows, from 1000000000.
        example_index: the question's number in its file, from 0.
        doc_span_index: the window's number among its question's, from 0.
        query: the question's pieces.
        document: the paragraph.
        start: the first piece of the part.
        length: how many pieces the part has.
        widest: by piece of the paragraph, the doc_span_index of the window
            where it has most context.
        start_position: of the answer to learn, 0 where it is not in this
            window; None in prediction.
        end_position: likewise.
        is_impossible: whether the question has no answer.
    """

    unique_id: int
    example_index: int
    doc_span_index: int
    query: Sequence[str]
    document: Document
    start: int
    length: int
    widest: Sequence[int]
    start_position: int | None
    end_position: int | None
    is_impossible: bool

    @property
    def positions(self) -> range:
        """The positions of the paragraph's pieces."""
        first = len(self.query) + 2
        return range(first, first + self.length)

    @property
    def tokens(self) -> list[str]:
        """The whole sequence, without padding."""
        part = self.document.pieces[self.start : self.start + self.length]
        return ["[CLS]", *self.query, "[SEP]", *part, "[SEP]"]

    def piece_at(self, position: int) -> int:
        """Returns the number, in the paragraph, of a piece at a position."""
        return self.start + position - len(self.query) - 2

    def word_at(self, position: int) -> int:
        """Returns the word of the paragraph that stands at a position."""
        return self.document.word_of_piece[self.piece_at(position)]

    def is_max_context(self, position: int) -> bool:
        """Whether no other window has more context for what stands there."""
        return self.widest[self.piece_at(position)] == self.doc_span_index


def windows(
    examples: Iterable[SquadExample],
    tokenizer: FullTokenizer,
    settings: WindowSettings,
) -> Iterator[Window]:
    """Cuts questions' paragraphs into windows.

    Args:
        examples: questions; those of a paragraph in a row.
        tokenizer: makes the pieces.
        settings: how to cut.

    Yields:
        The windows, in the order of the examples. A paragraph without words
        has none.
    """
    unique_id = FIRST_UNIQUE_ID
    doc_tokens, context, document = None, None, None
    for example_index, example in enumerate(examples):
        if (
            document is None
            or doc_tokens is not example.doc_tokens
            or context != example.context
        ):
            doc_tokens, context = example.doc_tokens, example.context
            document = make_document(example, tokenizer)
        for window in question_windows(
            example, document, tokenizer, settings, example_index, unique_id
        ):
            yield window
            unique_id += 1


def question_windows(
    example: SquadExample,
    document: Document,
    tokenizer: FullTokenizer,
    settings: WindowSettings,
    example_index: int = 0,
    first_id: int = FIRST_UNIQUE_ID,
) -> Iterator[Window]:
    """Yields the windows of one question.

    Args:
        example: the question.
        document: its paragraph.
        tokenizer: makes the pieces.
        settings: how to cut.
        example_index: see `Window`.
        first_id: the unique_id of the first window.
    """
    query = tokenizer.tokenize(example.question_text)
    query = query[: settings.max_query_length]
    spans = list(
        long_texts.windows(
            len(document.pieces),
            settings.max_seq_length - len(query) - 3,
            settings.doc_stride,
        )
    )
    widest = _widest_spans(spans, len(document.pieces))
    answer = _answer_pieces(example, document, tokenizer)
    for doc_span_index, (start, length) in enumerate(spans):
        first, last = _answer_positions(answer, start, length, len(query) + 2)
        yield Window(
            first_id + doc_span_index,
            example_index,
            doc_span_index,
            query,
            document,
            start,
            length,
            widest,
            first,
            last,
            example.is_impossible,
        )


def inputs(example: SquadExample) -> tuple:
    """Returns what the features of a question's windows are made from."""
    return (
        example.question_text,
        example.doc_tokens,
        example.orig_answer_text,
        example.start_position,
        example.end_position,
        example.is_impossible,
        *((example.answer_range or ()) if example.context is not None else ()),
    )


def pack(window: Window, tokenizer: FullTokenizer) -> packing.Packed:
    """Returns a window's sequence, without padding."""
    return packing.pack_pair(
        tokenizer.convert_tokens_to_ids(window.query),
        window.document.ids[window.start : window.start + window.length],
        packing.SpecialIds.from_vocab(tokenizer.vocab),
    )


def features(
    window: Window, tokenizer: FullTokenizer, max_seq_length: int
) -> dict[str, list[int]]:
    """Returns the features that `fields` names.

    Those of training are there where the window has an answer to learn.
    """
    values = {
        "unique_ids": [window.unique_id],
        **packing.pad(pack(window, tokenizer), max_seq_length),
    }
    first, last = window.start_position, window.end_position
    if first is not None and last is not None:
        values["start_positions"] = [first]
        values["end_positions"] = [last]
        values["is_impossible"] = [int(window.is_impossible)]
    return values


def log_window(window: Window, values: Mapping[str, Sequence[int]]) -> None:
    """Logs a window and its features as the original does."""
    _details.info("*** Example ***")
    _details.info("unique_id: %s", window.unique_id)
    _details.info("example_index: %s", window.example_index)
    _details.info("doc_span_index: %s", window.doc_span_index)
    _details.info("tokens: %s", " ".join(window.tokens))
    for name, value_at in (
        ("token_to_orig_map", window.word_at),
        ("token_is_max_context", window.is_max_context),
    ):
        pairs = (f"{place}:{value_at(place)}" for place in window.positions)
        _details.info("%s: %s", name, " ".join(pairs))
    for name in ("input_ids", "input_mask", "segment_ids"):
        _details.info("%s: %s", name, " ".join(map(str, values[name])))
    first, last = window.start_position, window.end_position
    if first is None or last is None:
        return
    if window.is_impossible:
        _details.info("impossible example")
        return
    _details.info("start_position: %d", first)
    _details.info("end_position: %d", last)
    _details.info("answer: %s", " ".join(window.tokens[first : last + 1]))


def make_document(example: SquadExample, tokenizer: FullTokenizer) -> Document:
    """Cuts the paragraph of a question into pieces."""
    words = tokenizer.encode_words(example.doc_tokens)
    lengths = list(map(len, words))
    ids = list(itertools.chain.from_iterable(words))
    first_piece = list(itertools.accumulate(lengths, initial=0))
    offsets = None
    if example.context is not None:
        offsets = PieceOffsets(
            example.context,
            example.doc_tokens,
            example.word_starts,
            first_piece,
            tokenizer.word_offsets,
        )
    return Document(
        pieces=tokenizer.convert_ids_to_tokens(ids),
        ids=ids,
        word_of_piece=list(
            itertools.chain.from_iterable(
                map(itertools.repeat, range(len(lengths)), lengths)
            )
        ),
        first_piece=first_piece,
        offsets=offsets,
    )


def _widest_spans(
    spans: Sequence[tuple[int, int]], num_pieces: int
) -> "array.array[int]":
    """Returns by piece which span gives it most context, the first of equals.

    See `context_score`.
    """
    # Four bytes each: an evaluation keeps the windows of all questions.
    widest = array.array("I", bytes(4 * num_pieces))
    if len(spans) < 2:
        return widest
    scores = [-1.0] * num_pieces
    for index, (start, length) in enumerate(spans):
        for left in range(length):
            score = context_score(left, length)
            if score > scores[start + left]:
                scores[start + left] = score
                widest[start + left] = index
    return widest


def context_score(left: int, length: int) -> float:
    """Returns how much context a piece has in a span.

    The lesser of the pieces to its left and right; a longer span counts a
    little more.

    Args:
        left: the pieces to its left.
        length: those of the span.
    """
    return min(left, length - 1 - left) + 0.01 * length


def _answer_pieces(
    example: SquadExample, document: Document, tokenizer: FullTokenizer
) -> tuple[int, int] | None:
    """Returns the answer's first and last piece; (-1, -1): it has none.

    None in prediction.
    """
    start, end = example.start_position, example.end_position
    if start is None or end is None:
        return None
    if example.is_impossible:
        return _NO_PIECES
    if document.offsets and example.answer_range:
        found = document.offsets.pieces_over(*example.answer_range)
        return found or _NO_PIECES
    first = document.first_piece[start]
    last = document.first_piece[end + 1] - 1
    # The words hold the answer, but often more: "(1895-1943)." for "1895".
    if first > last:
        return _NO_PIECES
    answer = tokenizer.tokenize(example.orig_answer_text or "")
    return improve_answer_span(document.pieces, first, last, answer)


def improve_answer_span(
    pieces: Sequence[str], first: int, last: int, answer: Sequence[str]
) -> tuple[int, int]:
    """Returns where an answer stands in a span; the span, if it does not.

    Args:
        pieces: the paragraph's.
        first: the span's first piece.
        last: its last piece.
        answer: the answer's pieces.
    """
    for start in range(first, last + 2 - len(answer)):
        if answer and pieces[start : start + len(answer)] == answer:
            return start, start + len(answer) - 1
    return first, last


def _answer_positions(
    answer: tuple[int, int] | None, start: int, length: int, first: int
) -> tuple[int | None, int | None]:
    """Returns the answer's positions in a window, (0, 0) where it is not in.

    Args:
        answer: see `_answer_pieces`.
        start: the window's first piece.
        length: how many it has.
        first: the position of its first piece.
    """
    if answer is None:
        return None, None
    if answer[0] < start or answer[1] >= start + length:
        return 0, 0
    shift = first - start
    return answer[0] + shift, answer[1] + shift

"""Logits of windows → the best answers to a question → their text.

Source: write_predictions in run_squad.py of google-research/bert.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.final_text import OriginalText, join_pieces
from bert.tasks.squad.windows import Window

# NumPy is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    import numpy as np

# The logit of padding: below every real one.
NO_LOGIT = -10000.0

# The null score of a question without windows, so that it has no answer.
_NO_WINDOW_SCORE = 1_000_000.0


class AnswerSettings(NamedTuple):
    """How to choose answers; the flags of the same names.

    Attributes:
        n_best_size: how many answers to keep, and how many starts and ends of
            a window to look at; at least 1.
        max_answer_length: pieces of an answer at most.
        do_lower_case: whether the word pieces are lower-cased.
        version_2_with_negative: whether a question may have no answer.
        verbose_logging: whether to log what cannot be found in the text.
    """

    n_best_size: int
    max_answer_length: int
    do_lower_case: bool
    version_2_with_negative: bool
    verbose_logging: bool = False


class RawResult(NamedTuple):
    """What the model makes of a window.

    Attributes:
        unique_id: the window's.
        start_logits: float [S], at least one for each token of the window.
        end_logits: likewise.
    """

    unique_id: int
    start_logits: "np.ndarray"
    end_logits: "np.ndarray"


class NbestEntry(NamedTuple):
    """One answer; the keys of an entry in nbest_predictions.json.

    Attributes:
        text: the answer, as it stands in the paragraph; "" is no answer.
        probability: softmax over the question's entries.
        start_logit: of its first piece.
        end_logit: of its last piece.
    """

    text: str
    probability: float
    start_logit: float
    end_logit: float


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The best answers to a question.

    Attributes:
        nbest: at least one, best first.
        text: the best one that is not ""; "" where there is none.
        null_odds: the score of no answer less that of `text` (0.0 where that
            is ""); None where a question must have an answer.
        ranges: by entry of nbest, where it stands in the paragraph: [start,
            end) in characters; of all its words, where answers are counted in
            words. None of "", and where the words' places are not known.
    """

    nbest: Sequence[NbestEntry]
    text: str
    null_odds: float | None
    ranges: Sequence[tuple[int, int] | None] = ()

    def prediction(self, null_score_diff_threshold: float) -> str:
        """Returns the answer to give.

        Args:
            null_score_diff_threshold: "" is given where null_odds are above;
                has no meaning where a question must have an answer.
        """
        if self.null_odds is None:
            return self.nbest[0].text
        return "" if self.null_odds > null_score_diff_threshold else self.text

    def nbest_with_ranges(self) -> list[dict[str, Any]]:
        """Returns the entries with `start` and `end`, None for ""."""
        return [
            {**entry._asdict(), "start": start, "end": end}
            for entry, (start, end) in zip(
                self.nbest,
                (own or (None, None) for own in self.ranges),
                strict=True,
            )
        ]


class _Span(NamedTuple):
    """Where an answer may stand; positions 0, 0 are no answer."""

    window: Window | None
    start: int
    end: int
    start_logit: float
    end_logit: float

    @property
    def score(self) -> float:
        return self.start_logit + self.end_logit


def answers(
    examples: Iterable[SquadExample],
    windows: Iterable[Window],
    results: Iterable[RawResult],
    settings: AnswerSettings,
) -> Iterator[tuple[SquadExample, Answer]]:
    """Answers questions one after the other, as their windows' results come.

    Args:
        examples: the questions.
        windows: their windows, in order.
        results: of each window, in the same order.
        settings: how to choose.

    Yields:
        Each question with its answer, in order.

    Raises:
        ValueError: there is not one result for each window, in order.
    """
    pairs = zip(windows, results, strict=True)
    pair = next(pairs, None)
    for number, example in enumerate(examples):
        own = []
        while pair and pair[0].example_index == number:
            window, result = pair
            if window.unique_id != result.unique_id:
                raise ValueError(
                    f"Expected the result of window {window.unique_id}. "
                    f"Received: {result.unique_id}."
                )
            own.append(pair)
            pair = next(pairs, None)
        yield example, answer(example, own, settings)


def answer(
    example: SquadExample,
    results: Sequence[tuple[Window, RawResult]],
    settings: AnswerSettings,
) -> Answer:
    """Chooses the best answers to a question.

    Args:
        example: the question.
        results: its windows with what the model made of them.
        settings: how to choose.
    """
    spans = [
        span
        for window, result in results
        for span in _spans_in_window(window, result, settings)
    ]
    null = None
    if settings.version_2_with_negative:
        null = _null_span(results)
        spans.append(null)
    # Stable, so of equals the earlier window's, the higher start.
    spans.sort(key=lambda span: span.score, reverse=True)
    texts = _Texts(example, settings)
    chosen = _distinct_texts(texts, spans, settings.n_best_size)
    if null and "" not in (text for text, _ in chosen):
        chosen.append(("", null))
    if not chosen:
        chosen.append(("empty", _Span(None, 0, 0, 0.0, 0.0)))
    probabilities = softmax([span.score for _, span in chosen])
    nbest = [
        NbestEntry(text, probability, span.start_logit, span.end_logit)
        for (text, span), probability in zip(chosen, probabilities, strict=True)
    ]
    best = next((entry for entry in nbest if entry.text), None)
    null_odds = None
    if null:
        score = null.score if results else _NO_WINDOW_SCORE
        # One after the other, as the original: rounding tells.
        null_odds = score - (best.start_logit if best else 0.0)
        null_odds -= best.end_logit if best else 0.0
    return Answer(
        nbest,
        best.text if best else "",
        null_odds,
        [texts.range_of(span) for _, span in chosen],
    )


def _spans_in_window(
    window: Window, result: RawResult, settings: AnswerSettings
) -> Iterator[_Span]:
    """Yields the spans between the best starts and ends that can answer."""
    size = settings.n_best_size
    ends = [
        (end, logit)
        for end, logit in best_logits(result.end_logits, size)
        if end in window.positions
    ]
    for start, start_logit in best_logits(result.start_logits, size):
        if start not in window.positions or not window.is_max_context(start):
            continue
        for end, end_logit in ends:
            if start <= end < start + settings.max_answer_length:
                yield _Span(window, start, end, start_logit, end_logit)


def best_logits(logits: "np.ndarray", size: int) -> list[tuple[int, float]]:
    """Returns (position, logit) of the highest; of equals the first."""
    import numpy as np

    positions = np.argsort(-logits, kind="stable")[: max(size, 0)]
    return list(
        zip(positions.tolist(), logits[positions].tolist(), strict=True)
    )


def _null_span(results: Sequence[tuple[Window, RawResult]]) -> _Span:
    """Returns "no answer", with the logits of [CLS].

    Of the window where it scores lowest: one that knows the answer rules out
    that there is none.
    """
    nulls = (
        _Span(window, 0, 0, float(starts[0]), float(ends[0]))
        for window, (_, starts, ends) in results
    )
    return min(
        nulls, key=lambda span: span.score, default=_Span(None, 0, 0, 0.0, 0.0)
    )


def _distinct_texts(
    texts: "_Texts", spans: Iterable[_Span], n_best_size: int
) -> list[tuple[str, _Span]]:
    """Returns the best spans with their texts; each text comes once."""
    chosen: dict[str, _Span] = {}
    for span in spans:
        if len(chosen) >= n_best_size:
            break
        chosen.setdefault(texts.text_of(span), span)
    return list(chosen.items())


class _Texts:
    """Finds the texts of a question's spans in its paragraph."""

    def __init__(self, example: SquadExample, settings: AnswerSettings) -> None:
        self._example = example
        self._settings = settings
        # By first and last word: in a script without spaces a few words are
        # all of the paragraph, and most spans are in the same ones.
        self._parts: dict[tuple[int, int], OriginalText] = {}

    def text_of(self, span: _Span) -> str:
        """Returns a span's text; "" is no answer."""
        if span.window is None or not span.start:
            return ""
        document = span.window.document
        first = span.window.piece_at(span.start)
        last = span.window.piece_at(span.end)
        if document.offsets:
            start, end = document.offsets.range_of(first, last)
            return document.offsets.context[start:end]
        words = document.word_of_piece[first], document.word_of_piece[last]
        if words not in self._parts:
            self._parts[words] = OriginalText(
                " ".join(self._example.doc_tokens[words[0] : words[1] + 1]),
                self._settings.do_lower_case,
            )
        return self._parts[words].part(
            join_pieces(document.pieces[first : last + 1]),
            self._settings.verbose_logging,
        )

    def range_of(self, span: _Span) -> tuple[int, int] | None:
        """Returns where a span stands in its paragraph: `Answer.ranges`."""
        if span.window is None or not span.start:
            return None
        document = span.window.document
        first = span.window.piece_at(span.start)
        last = span.window.piece_at(span.end)
        if document.offsets:
            return document.offsets.range_of(first, last)
        starts = self._example.word_starts
        if not starts:
            return None
        last_word = document.word_of_piece[last]
        return (
            starts[document.word_of_piece[first]],
            starts[last_word] + len(self._example.doc_tokens[last_word]),
        )


def softmax(scores: Sequence[float]) -> list[float]:
    """Returns the probabilities of scores."""
    highest = max(scores, default=0.0)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]

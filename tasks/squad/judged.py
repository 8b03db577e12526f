"""Questions with what their answers are worth, and their places in the text."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bert.pages.marks import Marked, Span, excerpt
from bert.tasks.squad import metrics
from bert.tasks.squad.answers import Answer
from bert.tasks.squad.examples import SquadExample

# Characters shown on both sides of an answer.
_ROOM = 200


class Settings(NamedTuple):
    """How answers are judged; the flags of the same names.

    Attributes:
        threshold: null_score_diff_threshold, given or found.
        f1_by: what F1 counts.
        version_2: whether a question may have no answer.
    """

    threshold: float
    f1_by: str
    version_2: bool


class Judged(NamedTuple):
    """A question, and what its answer is worth.

    Attributes:
        example: the question.
        answer: the model's best answers.
        prediction: the one given; "" says that there is none.
        exact: its exact match, 0 or 1.
        f1: its F1, 0 to 1.
        pieces: word pieces of the paragraph.
    """

    example: SquadExample
    answer: Answer
    prediction: str
    exact: float
    f1: float
    pieces: int

    @property
    def entry(self) -> int:
        """Which entry of nbest the prediction is."""
        texts = [each.text for each in self.answer.nbest]
        return texts.index(self.prediction)

    @property
    def probability(self) -> float:
        """The prediction's."""
        return self.answer.nbest[self.entry].probability


def judge(
    found: Sequence[tuple[SquadExample, Answer]],
    pieces: Mapping[int, int],
    settings: Settings,
) -> list[Judged]:
    """Judges the answers to questions.

    Args:
        found: each question with its answers.
        pieces: word pieces of the paragraph, by number of the question;
            one that has no words is left out.
        settings: how to judge.
    """
    scores = metrics.scores(
        for_metrics(found, settings), settings.f1_by, settings.version_2
    )
    return [
        Judged(
            *(example, answer, answer.prediction(settings.threshold)),
            *(scores["exact_match"][number], scores["f1"][number]),
            pieces.get(number, 0),
        )
        for number, (example, answer) in enumerate(found)
    ]


def for_metrics(
    found: Sequence[tuple[SquadExample, Answer]], settings: Settings
) -> list[metrics.Judged]:
    """Returns what `metrics` takes of questions with their answers."""
    return [
        metrics.Judged(
            example.answers,
            answer.prediction(settings.threshold),
            answer.text,
            answer.null_odds or 0.0,
        )
        for example, answer in found
    ]


def in_context(row: Judged) -> Marked:
    """Returns the paragraph, cut to what is round the answers."""
    text = _context(row.example)
    gold, predicted = _gold_spans(row, text), _predicted_spans(row, text)
    return excerpt(Marked(text, gold, predicted), [*gold, *predicted], _ROOM)


def _context(example: SquadExample) -> str:
    """Returns a paragraph; with spaces between its words if need be."""
    if example.context is not None:
        return example.context
    parts, end = [], 0
    for start, word in zip(
        example.word_starts, example.doc_tokens, strict=True
    ):
        parts += [" " * (start - end), word]
        end = start + len(word)
    return "".join(parts)


def _gold_spans(row: Judged, text: str) -> list[Span]:
    """Returns where the right answers stand, those that overlap as one."""
    places = [
        known or _find(text, answer)
        for answer, known in zip(
            row.example.answers, row.example.answer_ranges, strict=True
        )
    ]
    spans: list[Span] = []
    for start, end in sorted(place for place in places if place):
        if spans and start < spans[-1].end:
            start, end = spans[-1].start, max(end, spans.pop().end)
        spans.append(Span(start, end))
    return spans


def _predicted_spans(row: Judged, text: str) -> list[Span]:
    known = row.answer.ranges[row.entry] if row.answer.ranges else None
    place = known or _find(text, row.prediction)
    return [Span(*place)] if place else []


def _find(text: str, answer: str) -> tuple[int, int] | None:
    start = text.find(answer) if answer else -1
    return None if start < 0 else (start, start + len(answer))

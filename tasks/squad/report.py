"""What there is to say of the answers to a file, for eval_report.json."""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bert.evaluation.bands import in_bands
from bert.tasks.reports import Report, shortened
from bert.tasks.squad import metrics, report_page
from bert.tasks.squad.judged import Judged, Settings, for_metrics, in_context

OTHER = "other"
_QUESTION_WORD = re.compile(
    r"\b(what|who|whom|whose|when|where|which|how|why)\b", re.IGNORECASE
)
_WHO = ("whom", "whose")
_ANSWER_LENGTHS = (1, 2, 3, 5, 9, 17)
_CONTEXT_LENGTHS = (0, 101, 201, 301, 401, 601, 1001)
_WRONG = 30
_CURVE_POINTS = 300
# No answer is given where a paragraph has no word: its null odds are no logits.
_NO_LOGITS = 1e5


def make(rows: Sequence[Judged], settings: Settings) -> Report:
    """Returns the report on a file's answers.

    Args:
        rows: its questions.
        settings: how they were judged.
    """
    return Report(
        facts(rows, settings), predictions(rows), report_page.sections
    )


def facts(rows: Sequence[Judged], settings: Settings) -> dict[str, Any]:
    """Returns what eval_report.json says of a file's answers.

    Args:
        rows: its questions.
        settings: how they were judged.

    Returns:
        `all`; `by_question_word`, `by_answer_length` (words of the first right
        one, or characters where a script has no spaces), `by_context_length`
        (word pieces): exact match and F1, in percent, of such questions;
        `wrong`: wrong answers in their context, those first that the model is
        surest of. In v2.0 also `by_has_answer` and `threshold`: the figures by
        null_score_diff_threshold, of the `chosen` and the `best` points, and
        the `curve`.
    """
    found: dict[str, Any] = {
        "all": _figures(rows),
        "by_question_word": list(_by_word(rows)),
        "by_answer_length": list(_by_answer_length(rows)),
        "by_context_length": list(
            _by_band(rows, "pieces", _CONTEXT_LENGTHS, lambda row: row.pieces)
        ),
        "wrong": list(_wrong(rows)),
    }
    if settings.version_2:
        found["by_has_answer"] = list(_by_has_answer(rows))
        found["threshold"] = _threshold(rows, settings)
    return found


def predictions(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """Yields a line of dev_predictions.jsonl for each question."""
    for row in rows:
        line = {
            "id": row.example.qas_id,
            "question": row.example.question_text,
            "gold": row.example.answers,
            "prediction": row.prediction,
            "probability": row.probability,
            "exact_match": row.exact,
            "f1": row.f1,
        }
        if row.answer.null_odds is not None:
            line["null_odds"] = row.answer.null_odds
        yield line


def question_word(question: str) -> str:
    """Returns the first question word of English in a question, or `OTHER`."""
    found = _QUESTION_WORD.search(question)
    word = found[0].lower() if found else OTHER
    return "who" if word in _WHO else word


def _figures(rows: Sequence[Judged]) -> dict[str, float]:
    return {
        "questions": len(rows),
        "exact_match": 100.0 * sum(row.exact for row in rows) / len(rows),
        "f1": 100.0 * sum(row.f1 for row in rows) / len(rows),
    }


def _by_word(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    groups: dict[str, list[Judged]] = {}
    for row in rows:
        word = question_word(row.example.question_text)
        groups.setdefault(word, []).append(row)
    # The commonest first, and others at the end.
    for word in sorted(groups, key=lambda w: (w == OTHER, -len(groups[w]), w)):
        yield {"question_word": word, **_figures(groups[word])}


def _by_answer_length(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    def length(row: Judged) -> int:
        return max(1, len(metrics.f1_tokens(row.example.answers[0], "auto")))

    answered = [row for row in rows if row.example.answers]
    yield from _by_band(answered, "words", _ANSWER_LENGTHS, length)
    if len(answered) < len(rows):
        none = [row for row in rows if not row.example.answers]
        yield {"words": "no answer", **_figures(none)}


def _by_band(
    rows: Sequence[Judged],
    name: str,
    starts: Sequence[int],
    length: Callable[[Judged], int],
) -> Iterator[dict[str, Any]]:
    for band, numbers in in_bands(list(map(length, rows)), starts):
        yield {name: band, **_figures([rows[number] for number in numbers])}


def _by_has_answer(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    for has_answer in (True, False):
        own = [row for row in rows if bool(row.example.answers) == has_answer]
        if own:
            yield {
                "has_answer": has_answer,
                "answered": sum(bool(row.prediction) for row in own),
                **_figures(own),
            }


def _threshold(rows: Sequence[Judged], settings: Settings) -> dict[str, Any]:
    """Returns the curve, and which of its points are what."""
    found = [(row.example, row.answer) for row in rows]
    points = metrics.threshold_curve(
        for_metrics(found, settings), settings.f1_by
    )
    below = [p for p in points if p["threshold"] <= settings.threshold]
    best = {
        name: max(points, key=operator.itemgetter(name))
        for name in metrics.METRICS
    }
    drawn = [point for point in points if point["threshold"] < _NO_LOGITS]
    every = -(-len(drawn) // _CURVE_POINTS)
    return {
        "chosen": {
            **(below or points[:1])[-1],
            "threshold": settings.threshold,
        },
        "best": best,
        "curve": [
            point
            for number, point in enumerate(drawn)
            if number % every == 0 or point in (*best.values(), drawn[-1])
        ],
    }


def _wrong(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    wrong = [row for row in rows if not row.exact]
    wrong.sort(key=lambda row: (row.f1, -row.probability))
    for row in wrong[:_WRONG]:
        shown = in_context(row)
        yield {
            **shortened(
                {
                    "id": row.example.qas_id,
                    "question": row.example.question_text,
                    "prediction": row.prediction,
                }
            ),
            "gold": row.example.answers,
            "probability": row.probability,
            "f1": 100.0 * row.f1,
            "context": {
                "text": shown.text,
                "gold": [span[:2] for span in shown.gold],
                "predicted": [span[:2] for span in shown.predicted],
            },
        }

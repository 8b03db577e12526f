"""Exact match and F1 of SQuAD, in percent, as its official scripts count.

Source: evaluate-v1.1.py (Rajpurkar et al. 2016) and evaluate-v2.0.py
(Rajpurkar et al. 2018).
"""

import collections
import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)

METRICS = ("exact_match", "f1")
METRICS_V2 = (
    *METRICS,
    *("HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1"),
    *("best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh"),
)


class Judged(NamedTuple):
    """A prediction, and what it is judged by.

    Attributes:
        answers: the right answers; none where the question has no answer.
        prediction: the answer given; "" says that there is none.
        text: the answer that would be given if there must be one.
        null_odds: how much no answer scores higher than `text`; has no
            meaning in v1.1.
    """

    answers: Sequence[str]
    prediction: str
    text: str = ""
    null_odds: float = 0.0


def normalize_answer(text: str) -> str:
    """Returns an answer in lower case without punctuation and articles."""
    text = text.lower().translate(_WITHOUT_PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", text).split())


def exact_match(prediction: str, answer: str) -> float:
    """Returns 1.0 where both are the same once normalized, else 0.0."""
    return float(normalize_answer(prediction) == normalize_answer(answer))


def f1(prediction: str, answer: str) -> float:
    """Returns the F1 of the words that both have, normalized; 0 to 1."""
    predicted = normalize_answer(prediction).split()
    right = normalize_answer(answer).split()
    common = collections.Counter(predicted) & collections.Counter(right)
    num_common = common.total()
    if not num_common:
        return 0.0
    precision = num_common / len(predicted)
    recall = num_common / len(right)
    return 2 * precision * recall / (precision + recall)


def metrics(judged: Sequence[Judged]) -> dict[str, float]:
    """Returns the figures of v1.1: `exact_match` and `f1`.

    Args:
        judged: at least one; each with an answer.
    """
    return {
        "exact_match": _percent([_best(exact_match, *j[:2]) for j in judged]),
        "f1": _percent([_best(f1, *j[:2]) for j in judged]),
    }


def metrics_v2(judged: Sequence[Judged]) -> dict[str, float]:
    """Returns the figures of v2.0: `METRICS_V2`.

    HasAns and NoAns are of the questions with and without an answer; those of
    which there are none are left out. `best_exact` and `best_f1` are what the
    best threshold on null_odds would give, `best_..._thresh` that threshold:
    0.0, as in the official script, where it is best never to answer.

    Args:
        judged: at least one; each with null_odds.
    """
    figures = {}
    for name, short, score in (
        ("exact_match", "exact", _exact_v2),
        ("f1", "f1", _f1_v2),
    ):
        scores = [score(j.prediction, j.answers) for j in judged]
        figures[name] = _percent(scores)
        for group, has_answer in (("HasAns", True), ("NoAns", False)):
            own = [
                value
                for value, j in zip(scores, judged, strict=True)
                if bool(j.answers) == has_answer
            ]
            if own:
                figures[f"{group}_{short}"] = _percent(own)
        best, threshold = _best_threshold(judged, score)
        figures[f"best_{short}"] = best
        figures[f"best_{short}_thresh"] = threshold or 0.0
    return figures


def metric_names_v2(has_answer: Iterable[bool]) -> list[str]:
    """Returns the names that `metrics_v2` has for such questions.

    Less the thresholds, of which more is not better.

    Args:
        has_answer: of each question.
    """
    found = set(has_answer)
    groups = {"HasAns": True in found, "NoAns": False in found}
    return [
        name
        for name in METRICS_V2
        if groups.get(name.split("_")[0], not name.endswith("_thresh"))
    ]


def best_f1_threshold(judged: Sequence[Judged]) -> float:
    """Returns the null_score_diff_threshold that gives the best F1.

    Where it is best never to answer: a number below all null_odds.
    """
    _, threshold = _best_threshold(judged, _f1_v2)
    if threshold is None:
        return min(j.null_odds for j in judged) - 1.0
    return threshold


_Score = Callable[[str, Sequence[str]], float]


def _best_threshold(
    judged: Sequence[Judged], score: _Score
) -> tuple[float, float | None]:
    """Returns the best figure that a threshold can give, and the threshold.

    Questions are answered one after the other, the surest first. None: the
    figure is best where none is answered.
    """
    total = best = float(sum(not j.answers for j in judged))
    threshold = None
    for j in sorted(judged, key=lambda j: j.null_odds):
        if j.answers:
            total += score(j.text, j.answers)
        elif j.text:
            total -= 1.0
        if total > best:
            best, threshold = total, j.null_odds
    return 100.0 * best / len(judged), threshold


def _exact_v2(prediction: str, answers: Sequence[str]) -> float:
    return _best(exact_match, _gold(answers), prediction)


def _f1_v2(prediction: str, answers: Sequence[str]) -> float:
    gold = _gold(answers)
    # Two empty answers have no word in common, but are the same.
    return _best(exact_match if gold == [""] else f1, gold, prediction)


def _gold(answers: Sequence[str]) -> list[str]:
    """Returns the answers that are left once normalized, or "no answer"."""
    return [answer for answer in answers if normalize_answer(answer)] or [""]


def _best(
    score: Callable[[str, str], float], answers: Sequence[str], prediction: str
) -> float:
    return max(score(prediction, answer) for answer in answers)


def _percent(scores: Sequence[float]) -> float:
    return 100.0 * sum(scores) / len(scores)

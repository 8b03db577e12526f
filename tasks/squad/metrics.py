"""Exact match and F1 of SQuAD, in percent, as its official scripts count.

F1 counts the words that two answers have in common; where a script writes no
spaces, it may count characters (--f1_by).

Source: evaluate-v1.1.py (Rajpurkar et al. 2016) and evaluate-v2.0.py
(Rajpurkar et al. 2018).
"""

import collections
import functools
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Chinese and full-width punctuation: full-width ASCII's, and by blocks.
_WIDE_PUNCTUATION = "".join(
    [
        *(chr(ord(char) + 0xFEE0) for char in string.punctuation),
        *map(chr, (*range(0x3001, 0x3004), *range(0x3008, 0x3012))),
        *map(chr, (*range(0x3014, 0x3020), 0x3030, 0x303D, 0x30FB)),
        *map(chr, (*range(0xFE10, 0xFE1A), *range(0xFE30, 0xFE70))),
        *map(chr, range(0xFF5F, 0xFF66)),
        "·‐‑‒–—―‘’‚‛“”„‟‥…‧",
    ]
)
_WITHOUT_WIDE_PUNCTUATION = str.maketrans(
    "", "", string.punctuation + _WIDE_PUNCTUATION
)
_SCRIPTS_WITHOUT_SPACES = (
    # Han
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    # Kana
    "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"
    # Thai and Lao, Myanmar, Khmer
    "\u0e01-\u0e3a\u0e40-\u0eff\u1000-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f"
    "\u1780-\u17ff\u19e0-\u19ff"
)
_AUTO_TOKEN = re.compile(
    f"[{_SCRIPTS_WITHOUT_SPACES}]|[^\\s{_SCRIPTS_WITHOUT_SPACES}]+"
)

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
    return _normalize(text, _WITHOUT_PUNCTUATION)


def f1_tokens(text: str, f1_by: str = "words") -> list[str]:
    """Returns what F1 counts in an answer.

    Args:
        text: the answer.
        f1_by: the flag. "words": those of the normalized answer; else
            Chinese and full-width punctuation is left out, too, and
            "characters" are all that are no spaces, "auto": those of Han,
            kana, Thai, Lao, Khmer and Myanmar, and the words of the rest.
    """
    if f1_by == "words":
        return normalize_answer(text).split()
    text = _normalize(text, _WITHOUT_WIDE_PUNCTUATION)
    if f1_by == "characters":
        return list(text.replace(" ", ""))
    return _AUTO_TOKEN.findall(text)


def _normalize(text: str, punctuation: Mapping[int, int | None]) -> str:
    text = text.lower().translate(punctuation)
    return " ".join(_ARTICLE.sub(" ", text).split())


def exact_match(prediction: str, answer: str) -> float:
    """Returns 1.0 where both are the same once normalized, else 0.0."""
    return float(normalize_answer(prediction) == normalize_answer(answer))


def f1(prediction: str, answer: str, f1_by: str = "words") -> float:
    """Returns the F1 of the words that both have, normalized; 0 to 1.

    Args:
        prediction: the answer given.
        answer: the right one.
        f1_by: what to count instead of words, see `f1_tokens`.
    """
    predicted = f1_tokens(prediction, f1_by)
    right = f1_tokens(answer, f1_by)
    common = collections.Counter(predicted) & collections.Counter(right)
    num_common = common.total()
    if not num_common:
        return 0.0
    precision = num_common / len(predicted)
    recall = num_common / len(right)
    return 2 * precision * recall / (precision + recall)


def metrics(judged: Sequence[Judged], f1_by: str = "words") -> dict[str, float]:
    """Returns the figures of v1.1: `exact_match` and `f1`.

    Args:
        judged: at least one; each with an answer.
        f1_by: what F1 counts, see `f1_tokens`.
    """
    return {
        name: _percent(values) for name, values in scores(judged, f1_by).items()
    }


def scores(
    judged: Sequence[Judged], f1_by: str = "words", version_2: bool = False
) -> dict[str, list[float]]:
    """Returns `exact_match` and `f1` of each question, 0 to 1.

    Args:
        judged: see `metrics` and `metrics_v2`.
        f1_by: what F1 counts, see `f1_tokens`.
        version_2: whether a question may have no answer.
    """
    return {
        name: [score(j.prediction, j.answers) for j in judged]
        for name, score in _scorers(f1_by, version_2).items()
    }


def metrics_v2(
    judged: Sequence[Judged], f1_by: str = "words"
) -> dict[str, float]:
    """Returns the figures of v2.0: `METRICS_V2`.

    HasAns and NoAns are of the questions with and without an answer; those of
    which there are none are left out. `best_exact` and `best_f1` are what the
    best threshold on null_odds would give, `best_..._thresh` that threshold:
    0.0, as in the official script, where it is best never to answer.

    Args:
        judged: at least one; each with null_odds.
        f1_by: what F1 counts, see `f1_tokens`.
    """
    figures = {}
    of_questions = scores(judged, f1_by, version_2=True)
    for name, score in _scorers(f1_by, version_2=True).items():
        short = name.removesuffix("_match")
        figures[name] = _percent(of_questions[name])
        for group, has_answer in (("HasAns", True), ("NoAns", False)):
            own = [
                value
                for value, j in zip(of_questions[name], judged, strict=True)
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


def best_f1_threshold(judged: Sequence[Judged], f1_by: str = "words") -> float:
    """Returns the null_score_diff_threshold that gives the best F1.

    Where it is best never to answer: a number below all null_odds.

    Args:
        judged: see `metrics_v2`.
        f1_by: what F1 counts, see `f1_tokens`.
    """
    score = _scorers(f1_by, version_2=True)["f1"]
    _, threshold = _best_threshold(judged, score)
    if threshold is None:
        return min(j.null_odds for j in judged) - 1.0
    return threshold


def threshold_curve(
    judged: Sequence[Judged], f1_by: str = "words"
) -> list[dict[str, float]]:
    """Returns `exact_match` and `f1` by null_score_diff_threshold, in percent.

    Args:
        judged: see `metrics_v2`.
        f1_by: what F1 counts, see `f1_tokens`.

    Returns:
        A point for each `threshold` that makes a difference, rising; the first
        one is below all null_odds, so that no question is answered.
    """
    # Of equal thresholds the last, which answers all of their questions.
    totals = {
        name: dict(_totals(judged, score))
        for name, score in _scorers(f1_by, version_2=True).items()
    }
    never = min(j.null_odds for j in judged) - 1.0
    return [
        {
            "threshold": never if at is None else at,
            **{
                name: 100.0 * own[at] / len(judged)
                for name, own in totals.items()
            },
        }
        for at in totals["f1"]
    ]


_Score = Callable[[str, Sequence[str]], float]


def _scorers(f1_by: str, version_2: bool) -> dict[str, _Score]:
    """Returns what judges a prediction by the right answers, by its name."""
    if version_2:
        return {
            "exact_match": _exact_v2,
            "f1": functools.partial(_f1_v2, f1_by=f1_by),
        }
    return {
        "exact_match": functools.partial(_best, exact_match),
        "f1": functools.partial(_best, functools.partial(f1, f1_by=f1_by)),
    }


def _best_threshold(
    judged: Sequence[Judged], score: _Score
) -> tuple[float, float | None]:
    """Returns the best figure that a threshold can give, and the threshold.

    None: the figure is best where none is answered.
    """
    # Of equals the first.
    threshold, best = max(_totals(judged, score), key=lambda found: found[1])
    return 100.0 * best / len(judged), threshold


def _totals(
    judged: Sequence[Judged], score: _Score
) -> Iterator[tuple[float | None, float]]:
    """Yields thresholds, and the sum of all scores by each of them.

    Questions are answered one after the other, the surest first. None: none
    is answered.
    """
    total = float(sum(not j.answers for j in judged))
    yield None, total
    for j in sorted(judged, key=lambda j: j.null_odds):
        if j.answers:
            total += score(j.text, j.answers)
        elif j.text:
            total -= 1.0
        yield j.null_odds, total


def _exact_v2(prediction: str, answers: Sequence[str]) -> float:
    gold = [answer for answer in answers if normalize_answer(answer)]
    return _best(exact_match, prediction, gold or [""])


def _f1_v2(prediction: str, answers: Sequence[str], f1_by: str) -> float:
    gold = [answer for answer in answers if f1_tokens(answer, f1_by)]
    if not gold:
        # Two empty answers have no word in common, but are the same.
        return float(not f1_tokens(prediction, f1_by))
    score = functools.partial(f1, f1_by=f1_by)
    return _best(score, prediction, gold)


def _best(
    score: Callable[[str, str], float], prediction: str, answers: Sequence[str]
) -> float:
    return max(score(prediction, answer) for answer in answers)


def _percent(scores: Sequence[float]) -> float:
    return 100.0 * sum(scores) / len(scores)

"""What there is to say of a dev set's predicted labels, for eval_report.json.

See `judged` for what is counted.
"""

import collections
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bert.errors import UserError
from bert.evaluation.bands import in_bands
from bert.tasks.reports import Report
from bert.tasks.tagging import entities, report_page, schemes
from bert.tasks.tagging.entities import Pair
from bert.tasks.tagging.judged import Judged, example, named

# What the row or column of a confusion is called that has no entity.
NONE = "(none)"
_LENGTHS = (1, 6, 11, 21, 41, 81)
# How many are shown: sentences, and examples of each kind of error; labels
# that are no entities have many kinds, of which the commonest are shown.
_WORST, _EXAMPLES, _KINDS = 50, 8, 12
# Of a long sentence, the text round so many wrong words is shown.
_WRONG_WORDS = 20


def make(rows: Sequence[Judged], labels: Sequence[str]) -> Report:
    """Returns the report on a dev set.

    Args:
        rows: its sentences.
        labels: all labels there are; they decide what is counted.

    Raises:
        UserError: the model's outputs are not numbers.
    """
    if not all(np.isfinite(row.probabilities).all() for row in rows):
        raise UserError(
            "the model's outputs are not numbers; was it trained to a finite "
            "loss?"
        )
    return Report(facts(rows, labels), predictions(rows), report_page.sections)


def facts(rows: Sequence[Judged], labels: Sequence[str]) -> dict[str, Any]:
    """Returns what eval_report.json says of a dev set.

    Args:
        rows: its sentences.
        labels: all labels there are; they decide what is counted.

    Returns:
        `counted`: entities or labels; `all` and `types`: how many there are
        (`support`), are predicted and are `right`, precision, recall and F1,
        of all and of each type, as seqeval or scikit-learn count them (None
        where there is nothing to divide by); `confusion`: `names` and
        `counts`, a row for each right one and a column for each predicted
        one; `errors`: of each kind its `count` and `examples`, those first
        that the model is surest of; `by_length`: figures by the words of a
        sentence; `worst`: the sentences with most loss that have an error.
    """
    is_marked = schemes.read(labels) is not None
    return {
        "counted": "entities" if is_marked else "labels",
        "sentences": len(rows),
        "words": sum(len(row.predicted) for row in rows),
        "all": _of_all(rows),
        "types": _types(rows),
        "confusion": _confusion(rows),
        "errors": list(_errors(rows, is_marked)),
        "by_length": list(_by_length(rows)),
        "worst": [
            {
                **example(row, row.wrong[:_WRONG_WORDS], not is_marked),
                "loss": row.losses.sum(dtype=np.float64),
                "wrong_words": len(row.wrong),
                "words": len(row.predicted),
            }
            for row in _worst(rows)
        ],
    }


def predictions(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """Yields a line of dev_predictions.jsonl for each sentence."""
    for row in rows:
        yield {
            "id": row.id,
            "tokens": row.sentence.words,
            "gold": row.sentence.labels,
            "predicted": row.predicted,
            "probabilities": row.probabilities,
        }


def _of_all(rows: Sequence[Judged]) -> dict[str, Any]:
    pairs = [pair for row in rows for pair in row.pairs]
    return _figures(
        sum(pair.gold is not None for pair in pairs),
        sum(pair.predicted is not None for pair in pairs),
        sum(not pair.error for pair in pairs),
    )


def _types(rows: Sequence[Judged]) -> list[dict[str, Any]]:
    pairs = [pair for row in rows for pair in row.pairs]
    gold = collections.Counter(one.type for one, _ in pairs if one)
    predicted = collections.Counter(other.type for _, other in pairs if other)
    right = collections.Counter(
        pair.gold.type for pair in pairs if pair.gold and not pair.error
    )
    return [
        {"type": name, **_figures(gold[name], predicted[name], right[name])}
        for name in sorted({*gold, *predicted})
    ]


def _figures(support: int, predicted: int, right: int) -> dict[str, Any]:
    both = support + predicted
    return {
        "support": support,
        "predicted": predicted,
        "right": right,
        "precision": right / predicted if predicted else None,
        "recall": right / support if support else None,
        "f1": 2 * right / both if both else None,
    }


def _confusion(rows: Sequence[Judged]) -> dict[str, Any]:
    counts = collections.Counter(
        tuple(each.type if each else NONE for each in pair)
        for row in rows
        for pair in row.pairs
    )
    names = sorted({name for pair in counts for name in pair} - {NONE})
    if any(NONE in pair for pair in counts):
        names.append(NONE)
    return {
        "names": names,
        "counts": [[counts[one, other] for other in names] for one in names],
    }


def _errors(
    rows: Sequence[Judged], is_marked: bool
) -> Iterator[dict[str, Any]]:
    """Yields each kind of error; of labels, which ones were confused."""
    found: dict[str, list[tuple[float, Judged, Pair]]] = {}
    if is_marked:
        found = {kind: [] for kind in entities.KINDS}
    for row in rows:
        for pair in row.pairs:
            if kind := pair.error:
                if not is_marked and pair.gold and pair.predicted:
                    kind = f"{pair.gold.type} → {pair.predicted.type}"
                words = slice(pair.words.start, pair.words.stop)
                sure = float(row.probabilities[words].mean())
                found.setdefault(kind, []).append((sure, row, pair))
    kinds = list(found.items())
    if not is_marked:
        kinds.sort(key=lambda own: len(own[1]), reverse=True)
    for kind, own in kinds[:_KINDS]:
        own.sort(key=lambda each: -each[0])
        yield {
            "kind": kind,
            "count": len(own),
            "examples": [
                {
                    **example(row, [pair.words], not is_marked),
                    "is": named(pair.gold, row),
                    "found": named(pair.predicted, row),
                    "probability": sure,
                }
                for sure, row, pair in own[:_EXAMPLES]
            ],
        }


def _by_length(rows: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    lengths = [len(row.predicted) for row in rows]
    for name, numbers in in_bands(lengths, _LENGTHS):
        own = [rows[number] for number in numbers]
        wrong = sum(len(row.wrong) for row in own)
        words = sum(len(row.predicted) for row in own)
        yield {
            "words": name,
            "sentences": len(own),
            "accuracy": 1 - wrong / words,
            **_of_all(own),
        }


def _worst(rows: Sequence[Judged]) -> list[Judged]:
    wrong = [row for row in rows if row.wrong]
    wrong.sort(key=lambda row: -row.losses.sum(dtype=np.float64))
    return wrong[:_WORST]

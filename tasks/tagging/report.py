"""What there is to say of a dev set's predicted labels, for eval_report.json.

Where labels mark entities, they are what is counted; else each word with its
label is one, so that all there is to confuse are labels.
"""

import collections
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bert.data.tables.conll import Sentence
from bert.data.text.characters import is_cjk
from bert.errors import UserError
from bert.evaluation.bands import in_bands
from bert.pages.marks import Marked, Span, excerpt
from bert.tasks.reports import Report
from bert.tasks.tagging import entities, metrics, report_page, schemes
from bert.tasks.tagging.entities import Entity, Pair

# What the row or column of a confusion is called that has no entity.
NONE = "(none)"
_LENGTHS = (1, 6, 11, 21, 41, 81)
# How many are shown: sentences, and examples of each kind of error; labels
# that are no entities have many kinds, of which the commonest are shown.
_WORST, _EXAMPLES, _KINDS = 50, 8, 12
# Characters shown on both sides of an error.
_ROOM = 160


class Judged(NamedTuple):
    """A sentence, and what a model says of it.

    Attributes:
        number: of the sentence in its file, from 0.
        sentence: with its labels.
        predicted: the labels of its words.
        probabilities: theirs, float [words].
        losses: of the right labels, float [words].
        pairs: right and predicted entities.
    """

    number: int
    sentence: Sentence
    predicted: Sequence[str]
    probabilities: np.ndarray
    losses: np.ndarray
    pairs: Sequence[Pair]

    @property
    def wrong(self) -> list[int]:
        """The words whose label is not the right one."""
        both = zip(self.sentence.labels or (), self.predicted, strict=True)
        return [i for i, (gold, found) in enumerate(both) if gold != found]


def judged(
    sentences: Sequence[Sentence],
    predicted: Sequence[Sequence[str]],
    answers: metrics.Answers,
    labels: Sequence[str],
) -> list[Judged]:
    """Brings sentences and answers together.

    Args:
        sentences: of the dev set.
        predicted: labels of the words of each.
        answers: about all words, in order.
        labels: all labels there are.
    """
    tags = schemes.read(labels)
    ends = np.cumsum([len(each.words) for each in sentences])[:-1]
    return [
        Judged(number, *own, _pairs(own[0].labels or [], own[1], tags))
        for number, own in enumerate(
            zip(
                sentences,
                predicted,
                np.split(answers.probabilities, ends),
                np.split(answers.losses, ends),
                strict=True,
            )
        )
    ]


def _pairs(
    gold: Sequence[str],
    predicted: Sequence[str],
    tags: Mapping[str, str] | None,
) -> list[Pair]:
    if tags is None:
        return [
            Pair(Entity(one, i, i + 1), Entity(other, i, i + 1))
            for i, (one, other) in enumerate(zip(gold, predicted, strict=True))
        ]
    return entities.pairs(
        *(
            entities.entities([tags[label] for label in own])
            for own in (gold, predicted)
        )
    )


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
    types = _types(rows)
    return {
        "counted": "entities" if is_marked else "labels",
        "sentences": len(rows),
        "words": sum(len(row.predicted) for row in rows),
        "all": _figures(
            *(
                sum(own[key] for own in types)
                for key in ("support", "predicted", "right")
            )
        ),
        "types": types,
        "confusion": _confusion(rows),
        "errors": list(_errors(rows, is_marked)),
        "by_length": list(_by_length(rows, labels)),
        "worst": [
            {
                **_example(row, row.wrong, not is_marked),
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
            "id": _id(row),
            "tokens": row.sentence.words,
            "gold": row.sentence.labels,
            "predicted": row.predicted,
            "probabilities": [each for each in row.probabilities],
        }


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
                    **_example(row, pair.words, not is_marked),
                    "is": _named(pair.gold, row),
                    "found": _named(pair.predicted, row),
                    "probability": sure,
                }
                for sure, row, pair in own[:_EXAMPLES]
            ],
        }


def _by_length(
    rows: Sequence[Judged], labels: Sequence[str]
) -> Iterator[dict[str, Any]]:
    lengths = [len(row.predicted) for row in rows]
    for name, numbers in in_bands(lengths, _LENGTHS):
        own = [rows[number] for number in numbers]
        figures = metrics.metrics(
            [row.sentence.labels or [] for row in own],
            [row.predicted for row in own],
            labels,
        )
        yield {
            "words": name,
            "sentences": len(own),
            **{key: value for key, value in figures.items()},
        }


def _worst(rows: Sequence[Judged]) -> list[Judged]:
    wrong = [row for row in rows if row.wrong]
    wrong.sort(key=lambda row: -row.losses.sum(dtype=np.float64))
    return wrong[:_WORST]


def _example(
    row: Judged, words: Sequence[int], only_wrong: bool
) -> dict[str, Any]:
    """Returns a sentence with its entities, cut to what is round some words.

    Args:
        row: the sentence.
        words: what to show.
        only_wrong: whether to leave out the entities that are right.
    """
    text, places = _joined(row.sentence.words)

    def spans(number: int) -> list[Span]:
        return [
            Span(places[each.start][0], places[each.end - 1][1], each.type)
            for pair in row.pairs
            if (each := pair[number]) and not (only_wrong and not pair.error)
        ]

    shown = excerpt(
        Marked(text, spans(0), spans(1)),
        [Span(*places[word]) for word in words],
        _ROOM,
    )
    return {
        "id": _id(row),
        "line": row.sentence.line,
        "text": shown.text,
        "gold": [span._asdict() for span in shown.gold],
        "predicted": [span._asdict() for span in shown.predicted],
    }


def _named(entity: Entity | None, row: Judged) -> dict[str, str] | None:
    if entity is None:
        return None
    text, _ = _joined(row.sentence.words[entity.start : entity.end])
    return {"text": text, "type": entity.type}


def _joined(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Returns words as a text, and where in it each of them stands."""
    text, places = "", []
    for word in words:
        if text and not (is_cjk(text[-1]) and is_cjk(word[:1] or " ")):
            text += " "
        places.append((len(text), len(text) + len(word)))
        text += word
    return text, places


def _id(row: Judged) -> str:
    return f"dev-{row.number}"

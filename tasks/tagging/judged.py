"""Sentences with what a model says of them, and how they are shown.

Where labels mark entities, they are what is counted; else each word with its
label is one, so that all there is to confuse are labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bert.data.tables.conll import Sentence
from bert.data.text.characters import is_cjk
from bert.pages.marks import Marked, Span, excerpt
from bert.tasks.reports import shortened
from bert.tasks.tagging import entities, metrics, schemes
from bert.tasks.tagging.entities import Entity, Pair

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
    def id(self) -> str:
        """What the sentence is called."""
        return f"dev-{self.number}"

    @property
    def wrong(self) -> list[range]:
        """The words whose label is not the right one, each on its own."""
        both = zip(self.sentence.labels or (), self.predicted, strict=True)
        return [
            range(word, word + 1)
            for word, (gold, found) in enumerate(both)
            if gold != found
        ]


def judge(
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


def example(
    row: Judged, shown: Iterable[range], only_wrong: bool
) -> dict[str, Any]:
    """Returns a sentence with its entities, cut to what is round some words.

    Args:
        row: the sentence.
        shown: words to show.
        only_wrong: whether to leave out the entities that are right.
    """
    text, places = _joined(row.sentence.words)

    def spans(number: int) -> list[Span]:
        return [
            Span(places[each.start][0], places[each.end - 1][1], each.type)
            for pair in row.pairs
            if (each := pair[number]) and not (only_wrong and not pair.error)
        ]

    cut = excerpt(
        Marked(text, spans(0), spans(1)),
        [Span(places[own[0]][0], places[own[-1]][1]) for own in shown],
        _ROOM,
    )
    return {
        "id": row.id,
        "line": row.sentence.line,
        "text": cut.text,
        "gold": [span._asdict() for span in cut.gold],
        "predicted": [span._asdict() for span in cut.predicted],
    }


def named(entity: Entity | None, row: Judged) -> dict[str, str] | None:
    """Returns the text and type of an entity of a sentence."""
    if entity is None:
        return None
    text, _ = _joined(row.sentence.words[entity.start : entity.end])
    return shortened({"text": text, "type": entity.type})


def _joined(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Returns words as a text, and where in it each of them stands."""
    text, places = "", []
    for word in words:
        if text and not (is_cjk(text[-1]) and is_cjk(word[:1] or " ")):
            text += " "
        places.append((len(text), len(text) + len(word)))
        text += word
    return text, places

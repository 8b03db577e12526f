"""Entities in a sentence's labels, and what is wrong with predicted ones."""

from collections.abc import Sequence
from typing import NamedTuple

KINDS = ("boundary", "type", "missed", "invented")


class Entity(NamedTuple):
    """Words that are an entity.

    Attributes:
        type: of the entity, such as PER.
        start: its first word.
        end: one past its last word.
    """

    type: str
    start: int
    end: int


class Pair(NamedTuple):
    """A right entity and the predicted one that stands for it.

    Attributes:
        gold: None where a predicted one stands for none.
        predicted: None where none stands for it.
    """

    gold: Entity | None
    predicted: Entity | None

    @property
    def error(self) -> str:
        """Which of `KINDS` it is; "": none."""
        gold, predicted = self
        if gold is None:
            return "invented"
        if predicted is None:
            return "missed"
        if gold.type != predicted.type:
            return "type"
        return "" if gold == predicted else "boundary"

    @property
    def words(self) -> range:
        """The words of both."""
        both = [each for each in self if each]
        return range(min(e.start for e in both), max(e.end for e in both))


def entities(tags: Sequence[str]) -> list[Entity]:
    """Returns a sentence's entities, in order, as seqeval finds them.

    Args:
        tags: of its words, as `schemes.read` makes them.
    """
    from seqeval.metrics.sequence_labeling import get_entities

    return [
        Entity(name, start, end + 1)
        for name, start, end in get_entities(list(tags))
    ]


def pairs(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[Pair]:
    """Returns which predicted entity stands for which right one.

    Each stands in one pair. Equal ones belong together; then those of the
    same words; then those that have most words in common.

    Args:
        gold: the right entities of a sentence.
        predicted: those that a model finds.
    """
    touching = [
        Pair(one, other)
        for one in gold
        for other in predicted
        if _common(one, other) > 0
    ]
    touching.sort(key=_likeness, reverse=True)  # of equals the first
    left, over = set(gold), set(predicted)
    found = []
    for pair in touching:
        if pair.gold in left and pair.predicted in over:
            found.append(pair)
            left.remove(pair.gold)
            over.remove(pair.predicted)
    found += [Pair(one, None) for one in left]
    found += [Pair(None, other) for other in over]
    return sorted(found, key=lambda p: (p.words.start, p.words.stop, p.error))


def _common(one: Entity, other: Entity) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _likeness(pair: Pair) -> tuple[bool, bool, int]:
    one, other = pair
    assert one
    assert other
    return one == other, one[1:] == other[1:], _common(one, other)

import pytest

from bert.tasks.tagging import entities
from bert.tasks.tagging.entities import Entity, Pair


def test_entities_are_those_of_seqeval():
    tags = ["B-PER", "I-PER", "O", "I-LOC", "B-LOC", "S-ORG"]
    assert entities.entities(tags) == [
        Entity("PER", 0, 2),
        Entity("LOC", 3, 4),
        Entity("LOC", 4, 5),
        Entity("ORG", 5, 6),
    ]


@pytest.mark.parametrize(
    ("gold", "predicted", "error"),
    [
        (Entity("PER", 0, 2), Entity("PER", 0, 2), ""),
        (Entity("PER", 0, 2), Entity("PER", 1, 2), "boundary"),
        (Entity("PER", 0, 2), Entity("LOC", 0, 2), "type"),
        (Entity("PER", 0, 2), Entity("LOC", 1, 3), "type"),
        (Entity("PER", 0, 2), None, "missed"),
        (None, Entity("PER", 0, 2), "invented"),
    ],
)
def test_kinds_of_errors(gold, predicted, error):
    own = [each for each in [gold] if each], [x for x in [predicted] if x]
    (pair,) = entities.pairs(*own)
    assert pair == Pair(gold, predicted)
    assert pair.error == error


def test_the_likest_belong_together_and_none_stands_twice():
    gold = [Entity("A", 0, 2), Entity("A", 2, 6)]
    predicted = [Entity("A", 1, 3), Entity("A", 3, 6), Entity("B", 8, 9)]
    assert entities.pairs(gold, predicted) == [
        Pair(gold[0], predicted[0]),
        Pair(gold[1], predicted[1]),
        Pair(None, predicted[2]),
    ]
    # An equal one wins over one that shares more words.
    gold, predicted = [Entity("A", 0, 1)], [Entity("A", 0, 1)]
    assert [pair.error for pair in entities.pairs(gold, predicted)] == [""]


def test_words_of_a_pair():
    pair = Pair(Entity("A", 1, 3), Entity("A", 2, 5))
    assert pair.words == range(1, 5)

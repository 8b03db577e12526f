import numpy as np

from bert.data.tables.conll import Sentence
from bert.tasks.tagging import judged, metrics
from bert.tasks.tagging.entities import Entity, Pair

LABELS = ["O", "B-PER", "I-PER"]


def _judge(words, gold, predicted, labels=LABELS):
    number = sum(map(len, words))
    answers = metrics.Answers(
        np.zeros(number, int),
        np.arange(number, dtype=np.float32),
        -np.arange(number, dtype=np.float32),
        np.array(list(map(len, words))),
    )
    sentences = [
        Sentence(own, labels, 1)
        for own, labels in zip(words, gold, strict=True)
    ]
    return judged.judge(sentences, predicted, answers, labels)


def test_each_sentence_gets_the_answers_about_its_words():
    gold = [["B-PER", "I-PER"], ["O"], ["B-PER", "O", "O"]]
    predicted = [["B-PER", "O"], ["O"], ["O", "O", "B-PER"]]
    rows = _judge([["a", "b"], ["c"], ["d", "e", "f"]], gold, predicted)
    assert [row.id for row in rows] == ["dev-0", "dev-1", "dev-2"]
    assert [list(row.probabilities) for row in rows] == [[0, 1], [2], [3, 4, 5]]
    assert list(rows[2].losses) == [-3, -4, -5]
    assert [row.wrong for row in rows] == [
        [range(1, 2)],
        [],
        [range(1), range(2, 3)],
    ]
    assert rows[0].pairs == [Pair(Entity("PER", 0, 2), Entity("PER", 0, 1))]


def test_each_word_is_one_where_labels_mark_no_entities():
    (row,) = _judge([["a", "b"]], [["N", "V"]], [["N", "N"]], ["N", "V"])
    assert row.pairs == [
        Pair(Entity("N", 0, 1), Entity("N", 0, 1)),
        Pair(Entity("V", 1, 2), Entity("N", 1, 2)),
    ]
    # The right ones would be marks all over.
    shown = judged.example(row, row.wrong, only_wrong=True)
    assert shown["gold"] == [{"start": 2, "end": 3, "label": "V"}]


def test_long_sentences_are_cut_to_what_is_shown():
    words = [f"w{number}" for number in range(1001)]
    gold = ["O"] * 500 + ["B-PER"] + ["O"] * 500
    (row,) = _judge([words], [gold], [["O"] * 1001])
    shown = judged.example(row, row.wrong, only_wrong=False)
    assert len(shown["text"]) < 400
    (span,) = shown["gold"]
    assert shown["text"][span["start"] : span["end"]] == "w500"


def test_ideographs_are_joined_without_spaces():
    words = ["我", "爱", "Rome"]
    (row,) = _judge([words], [["O", "O", "B-PER"]], [["O"] * 3])
    shown = judged.example(row, row.wrong, only_wrong=False)
    assert shown["text"] == "我爱 Rome"
    assert shown["gold"] == [{"start": 3, "end": 7, "label": "PER"}]


def test_an_entity_is_named_by_its_words():
    (row,) = _judge([["New", "York"]], [["O"] * 2], [["O"] * 2])
    assert judged.named(Entity("LOC", 0, 2), row) == {
        "text": "New York",
        "type": "LOC",
    }
    assert judged.named(None, row) is None

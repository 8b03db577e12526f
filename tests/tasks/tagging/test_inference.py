import numpy as np
import pytest

from bert.tasks.requests import UnfitError

NAME = "ner"
MASK = np.array([[1, 1, 1], [1, 1, 0]])


def test_the_measure_is_that_of_tags(task):
    assert task.measure == "tag_accuracy"


def test_a_line_is_one_text(task):
    assert task.request_of_line("the boat, ||| Ü").tokens == [
        *("the", "boat", ",", "|", "|", "|", "Ü"),
    ]


def test_a_request_is_words_or_a_text(task):
    assert task.request({"text": "a b."}) == (
        ["a", "b", "."],
        [(0, 1), (2, 3), (3, 4)],
    )
    assert task.request({"tokens": ["a b.", "c"]}) == (["a b.", "c"], None)
    assert task.request([]) == ([], None)
    for value in ({"tokens": None}, {}, ["a", 1], 3):
        with pytest.raises(UnfitError, match="a list of words"):
            task.request(value)


def test_each_word_is_labelled_where_its_first_piece_stands(task):
    words = ["the", "boat"] * 25
    (asked, positions), rows = task.ask(task.request(words))
    assert asked.tokens == words
    assert len(rows) == len(positions) > 1
    assert all(len(row.ids) <= 32 for row in rows)
    assert sum(map(len, positions)) == len(words)
    outputs = []
    for row, own in zip(rows, positions, strict=True):
        values = np.zeros([len(row.ids) + 3, 3], np.float32)
        values[own, 1] = 0.75
        outputs.append({"probabilities": values})
    assert task.answer((asked, positions), outputs) == {
        "tokens": words,
        "offsets": None,
        "labels": ["B-PER"] * 50,
        "probabilities": [0.75] * 50,
    }


def test_no_words_have_no_labels(task):
    asked, rows = task.ask(task.request(""))
    assert rows == []
    empty = {"tokens": [], "offsets": [], "labels": [], "probabilities": []}
    assert task.answer(asked, []) == empty


def test_words_count_and_other_pieces_do_not(task):
    logits = np.zeros([2, 3, 2])
    logits[..., 1] = [[-1, 1, 9], [1, -1, 9]]
    batch = {
        "input_mask": MASK,
        "label_mask": np.array([[1, 1, 0], [1, 1, 0]]),
        "label_ids": np.array([[0, 1, 0], [0, 0, 1]]),
    }
    found = task.predictions({"logits": logits}, batch)
    assert found.shape == (4, 2)
    assert task.quality(found, task.labels_of(batch)) == 0.75

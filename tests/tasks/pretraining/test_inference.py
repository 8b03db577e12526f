import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks.requests import UnfitError
from tests.tasks import models

NAME = "pretraining"
MASK = np.array([[1, 1, 1], [1, 1, 0]])


def test_the_measure_is_of_words(task):
    assert task.measure == "same_word"


def test_the_masks_of_a_text_are_asked_for(task):
    vocab = task.tokenizer.vocab
    request = task.request_of_line("[MASK] the boat[MASK]")
    assert request.positions == [1, 4]
    tokens = ["[CLS]", "[MASK]", "the", "boat", "[MASK]", "[SEP]"]
    assert request.packed.ids == [vocab[token] for token in tokens]
    assert task.ask(request) == (request, [request.packed])
    outputs = {
        "ids": np.array([[vocab["the"], 390], [9999, 1]]),
        "probabilities": np.array([[0.5, 0.25], [0.1, 0.0]], np.float32),
    }
    answer = task.answer(request, [outputs])
    assert [[w["token"] for w in mask] for mask in answer["masks"]] == [
        ["the", task.tokenizer.inv_vocab[390]],
        ["[id 9999]", task.tokenizer.inv_vocab[1]],
    ]
    assert answer["masks"][1][0]["probability"] == 0.1
    outputs["probabilities"][0, 0] = np.nan
    with pytest.raises(UserError, match="not a number"):
        task.answer(request, [outputs])


def test_all_words_of_a_text_are_asked_for(task):
    assert task.whole_text("the boat").positions == [1, 2]
    assert task.whole_text("").positions == []


def test_texts_that_cannot_be_asked_are_refused(task):
    with pytest.raises(UnfitError, match=r"^\[MASK\] in the text$"):
        task.request("the boat")
    with pytest.raises(UnfitError, match=r"^a text with \[MASK\]"):
        task.request(("the", "[MASK]"))
    with pytest.raises(UnfitError, match=r"^a text without \[MASK\]$"):
        task.whole_text("the [MASK]")
    with pytest.raises(UnfitError, match="at most 46 word pieces"):
        task.whole_text("the " * 47)


def test_a_model_has_not_more_words_than_its_vocabulary():
    models.make("pretraining", top_k=391)
    with pytest.raises(UserError, match="--top_k must be at most 391"):
        models.make("pretraining", top_k=392)


def test_a_predictor_is_sent_to_fill_mask(task):
    with pytest.raises(UserError) as caught:
        task.check_requests("/model")
    assert str(caught.value) == (
        "Expected a model that is for one of classification, features, "
        "multiple_choice, ner, squad. Received: /model, which is pre-trained; "
        "fill_mask.py asks it for masked words, and --task=features for "
        "vectors."
    )


def test_of_the_likeliest_words_the_first_counts(task):
    ids = np.array([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 1], [0, 0]]])
    expected = task.predictions({"top_k_ids": ids}, {"input_mask": MASK})
    assert expected.tolist() == [1, 3, 5, 7, 9]
    found = np.array([1, 3, 5, 7, 1])
    assert task.quality(found, expected) == 0.8

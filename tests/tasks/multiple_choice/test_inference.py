import numpy as np
import pytest

from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.tasks.requests import UnfitError
from tests.tasks import models


@pytest.fixture
def inference(golden):
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    return models.make("multiple_choice", tokenizer)


def test_a_request_is_a_pair_for_each_choice(inference):
    request = inference.request({"text": "the", "choices": ["lake", "river"]})
    asked = inference.ask(request)
    tokens = [
        inference.tokenizer.convert_ids_to_tokens(row.ids) for row in asked.rows
    ]
    assert tokens == [
        ["[CLS]", "the", "[SEP]", word, "[SEP]"] for word in ("lake", "river")
    ]
    outputs = [{"logits": np.float32([x])} for x in (0.0, np.log(3.0))]
    answer = inference.answer(asked.request, outputs)
    assert answer["choice"] == 1
    np.testing.assert_allclose(answer["probabilities"], [0.25, 0.75], 1e-6)


@pytest.mark.parametrize(
    "value",
    [
        "text",
        ("a", "b"),
        {"text": "a"},
        {"text": "a", "choices": ["b"]},
        {"text": "a", "choices": ["b", "", " ", None]},
        {"text": "a", "choices": "bc"},
        {"text": "a", "choices": ["b", 1]},
        {"text": 1, "choices": ["b", "c"]},
    ],
)
def test_other_requests_do_not_fit(inference, value):
    with pytest.raises(UnfitError, match="a text and at least two choices"):
        inference.request(value)


def test_a_blank_choice_is_not_there(inference):
    choices = ["the", " ", "lake", None]
    request = inference.request({"text": "a", "choices": choices})
    asked = inference.ask(request)
    assert len(asked.rows) == 2
    outputs = [{"logits": np.float32([0.0])}] * 2
    answer = inference.answer(asked.request, outputs)
    assert answer == {"choice": 0, "probabilities": [0.5, 0.0, 0.5, 0.0]}


def test_an_output_that_is_no_number_is_an_error(inference):
    request = inference.request({"text": "a", "choices": ["the", "lake"]})
    outputs = [{"logits": np.float32([x])} for x in (0.0, np.nan)]
    with pytest.raises(UserError, match="not a number"):
        inference.answer(request, outputs)


def test_records_have_as_many_choices_as_their_length_says(inference):
    for choices in (2, 4):
        ids, *_ = inference.fields(choices * 32)
        assert (ids.length, ids.shape) == (choices * 32, [choices, 32])
    with pytest.raises(UserError, match=r"max_seq_length \(32\) for each"):
        inference.fields(48)


def test_records_measure_the_share_of_right_choices(inference):
    logits = np.float32([[0], [3], [9], [1], [0], [1], [2], [3]])
    mask = np.ones([8, 2], int)
    mask[2] = 0  # is not there, whatever its score
    batch = {"label_ids": np.array([[1], [0]]), "input_mask": mask}
    found = inference.predictions({"logits": logits}, batch)
    assert found.tolist() == [1, 3]
    assert inference.quality(found, inference.labels_of(batch)) == 0.5

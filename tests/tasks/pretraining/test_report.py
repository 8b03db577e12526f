import json

import numpy as np
import pytest

from bert.tasks import report_page, reports
from bert.tasks.pretraining import report
from bert.tasks.pretraining import report_page as own_page
from tests import browser

VOCABULARY = {0: "[PAD]", 1: "<i>", 2: "你", 3: "שלום", 4: "d"}


def _batches():
    """Two batches of a sequence; one of 8 predictions does not count."""
    gold = [[1, 2, 1, 0], [1, 3, 1, 9]]
    predicted = [[1, 1, 2, 0], [2, 3, 1, 1]]
    return [
        {
            "masked_lm_ids": np.int32(own),
            "masked_lm_predicted": np.int32(other),
            "masked_lm_correct": np.float32(np.equal(own, other)),
            "masked_lm_weights": np.float32([1, 1, 1, own[3] > 0]),
            "masked_lm_losses": np.float32([1, 2, 3, 4]),
            "masked_lm_positions": np.int32([1, 5, 9, 0]),
            "lengths": np.int32([length]),
            "next_sentence_labels": np.int32([0]),
            "next_sentence_predicted": np.int32([length > 10]),
            "next_sentence_correct": np.float32([length <= 10]),
            "next_sentence_losses": np.float32([1]),
        }
        for own, other, length in zip(gold, predicted, (10, 20), strict=True)
    ]


def _document(batches, vocabulary=VOCABULARY):
    made = report.make(batches, vocabulary)
    extra = {"title": "t", "curves": {}, "results": {"loss": 0.5}}
    return json.loads(json.dumps(reports.to_json({**made.figures, **extra})))


def test_figures_by_frequency():
    document = _document(_batches())
    assert (document["predictions"], document["right"]) == (7, 3)
    losses = [1, 2, 3, 1, 2, 3, 4]
    assert document["perplexity"] == pytest.approx(np.exp(np.mean(losses)))
    assert document["by_frequency"] == [
        {
            "times": "1",
            "pieces": 3,
            "predictions": 3,
            "accuracy": pytest.approx(1 / 3),
            "loss": pytest.approx((2 + 2 + 4) / 3),
        },
        {
            "times": "2–4",
            "pieces": 1,
            "predictions": 4,
            "accuracy": 0.5,
            "loss": 2.0,
        },
    ]


def test_figures_by_part_of_the_sequence():
    parts = _document(_batches())["by_part"]
    # Of 10 pieces the second, of 20 the first and second are in the tenths.
    assert [(own["part"], own["predictions"]) for own in parts] == [
        (0, 2),
        (1, 1),
        (2, 1),
        (4, 1),
        (5, 1),
        (9, 1),
    ]


def test_pieces_that_are_confused():
    pairs = _document(_batches())["confused"]
    assert pairs[0] == {
        "gold": "<i>",
        "predicted": "你",
        "count": 2,
        "share": 0.5,
    }
    assert pairs[-1]["gold"] == "[id 9]"
    assert _document(_batches(), {})["confused"][0]["gold"] == "[id 1]"


def test_next_sentences():
    found = _document(_batches())["next_sentence"]
    assert found["confusion"] == [[1, 1], [0, 0]]


def test_lines_of_dev_predictions():
    first, second = report.make(_batches(), VOCABULARY).rows
    assert reports.to_json(first) == {
        "sequence": 0,
        "positions": [1, 5, 9],
        "gold": ["<i>", "你", "<i>"],
        "prediction": ["<i>", "<i>", "你"],
        "losses": [1.0, 2.0, 3.0],
        "next_sentence_gold": 0,
        "next_sentence_prediction": 0,
    }
    assert len(second["gold"]) == 4


def test_the_page():
    document = _document(_batches())
    page = report_page.page(document, own_page.sections(document))
    browser.check_html(page)
    assert "<strong>3 of 7 masked pieces right</strong> (43%)" in page
    assert "<i>" not in page
    assert ">from 10%</td>" in page
    assert "By their ids" not in page


def test_pieces_that_have_no_names():
    document = _document(_batches(), {})
    page = report_page.page(document, own_page.sections(document))
    assert "<p>By their ids: no vocab.txt stands beside" in page


def test_no_predictions_at_all():
    batches = [
        {**own, "masked_lm_weights": np.zeros(4, np.float32)}
        for own in _batches()
    ]
    document = _document(batches)
    assert document["perplexity"] is None
    page = report_page.page(document, own_page.sections(document))
    browser.check_html(page)
    assert "No piece was taken for another." in page


def test_the_second_task_is_named_or_left_out():
    def page(batches, *objective):
        made = report.make(batches, {}, *objective)
        return "".join(made.sections({**made.figures, "results": {}})), made

    html, made = page(_batches(), "sop")
    assert "Sentence order" in html
    assert "swapped" in html
    assert made.figures["next_sentence"]["objective"] == "sop"
    html, made = page(_batches(), "nsp")
    assert "Next sentence" in html
    assert list(made.figures["next_sentence"]) == ["confusion"]
    html, made = page(
        [
            {k: v for k, v in one.items() if "next_sentence" not in k}
            for one in _batches()
        ],
        "none",
    )
    assert "Next sentence" not in html
    assert "next_sentence" not in made.figures
    assert not any("next" in name for row in made.rows for name in row)

import json

import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks import report_page, reports
from tests.tasks.classification.judged import document

HALF = np.float32(1 / (1 + np.exp(-1)))  # the probability of a logit of 1 to 0


def rows_of(made):
    return [json.loads(json.dumps(reports.to_json(r))) for r in made.rows]


def test_of_one_label_it_says_what_is_right_and_what_is_mixed_up():
    logits = [[0, 1], [1, 0], [0, 1], [9, 0]]
    made, found = document(
        "classification", logits, [1, 1, 0, 0], ["a", "b"], pairs=[*"wxyz"]
    )
    assert (found["rows"], found["right"]) == (4, 2)
    assert found["most_frequent"] == {"label": "a", "rows": 2}
    assert found["confusion"] == [[1, 1], [1, 1]]
    assert found["confused"][0] == {
        **{"gold": 0, "predicted": 1, "rows": 1, "share": 0.5},
    }
    assert [own["support"] for own in found["classes"]] == [2, 2]
    assert found["calibration"]["share"] == 0.5
    assert found["by_length"] == [
        {
            **{"from": 4, "to": 4, "rows": 4, "accuracy": 0.5},
            "probability": pytest.approx((3 * HALF + 1) / 4, abs=1e-4),
        }
    ]
    # The lowest probability of what is right comes first.
    assert [row["id"] for row in found["worst"]] == ["2", "3", "1", "4"]
    assert rows_of(made)[1] == {
        **{"id": "2", "text_a": "text 2", "text_b": "x"},
        **{"gold": "b", "prediction": "a"},
        "probability": pytest.approx(HALF),
        "probability_of_gold": pytest.approx(1 - HALF),
        "probabilities": {
            "a": pytest.approx(HALF),
            "b": pytest.approx(1 - HALF),
        },
    }


def test_equal_outputs_are_decided_as_the_accuracy_does():
    # So sure that the probabilities are equal; the logits are not.
    _, found = document(
        "classification", [[1e-9, 2e-9], [0, 0]], [1, 0], ["a", "b"]
    )
    assert found["right"] == 2


def test_of_several_labels_it_says_which_are_missed_and_invented():
    logits = [[1, -1, -9], [-1, 1, -9], [0, -9, -9]]
    gold = [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    made, found = document("multi_label", logits, gold, ["a", "b", "c"])
    assert (found["rows"], found["right"], found["wrong_labels"]) == (3, 1, 3)
    assert found["most_frequent"] == {"labels": ["a"], "rows": 2}
    counts = [
        (own["support"], own["predicted"], own["right"])
        for own in found["classes"]
    ]
    assert counts == [(2, 2, 1), (0, 1, 0), (0, 0, 0)]
    assert found["thresholds"][49]["precision"] == pytest.approx(1 / 3)
    assert found["by_length"][0]["wrong_labels"] == 1.0
    # By the loss.
    assert [row["id"] for row in found["worst"]] == ["3", "2", "1"]
    row = rows_of(made)[1]
    assert (row["gold"], row["prediction"]) == (["a"], ["b"])
    assert row["probability"] == pytest.approx(HALF**2, rel=1e-3)
    assert row["probability_of_gold"] == pytest.approx(
        (1 - HALF) ** 2, rel=1e-3
    )
    assert list(row["probabilities"]) == ["a", "b", "c"]
    assert list(found["worst"][1]["probabilities"]) == ["a", "b"]


def test_of_numbers_it_says_how_far_off_they_are():
    made, found = document(
        "regression", [[1.0], [2.5], [0.1]], np.float32([1, 2, 3.1])
    )
    assert found["mean_absolute_error"] == pytest.approx(3.5 / 3)
    assert found["absolute_error_quantiles"]["0.5"] == pytest.approx(0.5)
    assert found["bias"] == pytest.approx(-2.5 / 3)
    assert found["always_the_mean"]["value"] == pytest.approx(6.1 / 3)
    assert found["points"]["prediction"] == [1.0, 2.5, 0.1]
    assert sum(found["residuals"]["rows"]) == 3
    assert [own["rows"] for own in found["by_gold"]] == [1, 1, 1]
    assert [row["id"] for row in found["worst"]] == ["3", "2", "1"]
    assert rows_of(made)[2] == {
        **{"id": "3", "text_a": "text 3", "gold": 3.1, "prediction": 0.1},
    }


def test_what_the_page_shows_has_a_bound():
    count = 3000
    numbers = np.arange(count)
    _, found = document("regression", numbers[:, None], numbers + 0.5)
    assert len(found["points"]["gold"]) == 2000
    assert found["points"]["gold"][-1] == count - 0.5
    assert len(found["worst"]) == 50
    many = [f"label {i}" for i in range(300)]
    texts = ["x" * 5000] * 60
    made, found = document(
        "classification", np.zeros((60, 300)), [7] * 60, many, texts=texts
    )
    assert found["confusion"] is None
    assert len(found["worst"][0]["text_a"]) == 1000
    assert len(rows_of(made)[0]["text_a"]) == 5000


def test_outputs_that_are_no_numbers_are_refused():
    with pytest.raises(UserError, match="outputs are not numbers"):
        document("classification", [[np.nan, 1]], [0], ["a", "b"])


def test_ten_thousand_rows_make_a_page_of_less_than_two_megabytes():
    random = np.random.default_rng(1)
    count = 10_000
    texts = ["<b>" * random.integers(1, 900) for _ in range(count)]
    long = [f"{i} {'a long label ' * 8}"[:100] for i in range(60)]
    cases = [
        ("classification", random.normal(size=(count, 60)), long),
        ("multi_label", random.normal(size=(count, 60)), long),
        ("regression", random.normal(size=(count, 1)), []),
    ]
    for kind, logits, labels in cases:
        ids = random.integers(0, 2, logits.shape)
        if kind == "classification":
            ids = random.integers(0, 60, count)
        made, found = document(kind, logits, ids, labels, texts=texts)
        found["results"] = {}
        page = report_page.page(found, made.sections(found))
        assert len(page.encode()) < 1_000_000

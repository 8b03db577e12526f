import json
import time

import numpy as np

from bert.evaluation import comparison
from tests.tasks import models

MASK = np.array([[1, 1, 1], [1, 1, 0]])
SPANS = ("start_logits", "end_logits")


def batch(lengths):
    longest = max(lengths)
    mask = (np.arange(longest) < np.array(lengths)[:, None]).astype(np.int32)
    return {
        "input_ids": mask * 7,
        "input_mask": mask,
        "segment_ids": 0 * mask,
        "label_ids": (np.array(lengths) % 2)[:, None],
    }


BATCHES = [batch([9, 8]), batch([6, 4]), batch([3])]


def odd(inputs):
    """Knows the labels: whether a row's length is odd."""
    label = inputs["input_mask"].sum(axis=1) % 2
    logits = np.stack([1 - label, label], axis=1).astype(np.float32)
    return {"logits": logits}


def wrong_at_nine(inputs):
    assert set(inputs) == {"input_ids", "input_mask", "segment_ids"}
    logits = odd(inputs)["logits"]
    nine = inputs["input_mask"].sum(axis=1) == 9
    return {"logits": np.where(nine[:, None], logits[:, ::-1], logits)}


def slow_nan(inputs):
    time.sleep(0.002)
    logits = odd(inputs)["logits"]
    return {"logits": np.where(len(logits) == 1, np.nan, logits)}


def compare():
    compared = {"first": odd, "second": wrong_at_nine, "third": slow_nan}
    sizes = {"first": 2_000_000, "second": 500_000, "third": 1_000_000}
    judge = models.make("classification")
    return comparison.compare(judge, compared, sizes, BATCHES)


def test_models_are_held_against_labels_and_the_first():
    found = compare()
    assert (found.measure, found.rows) == ("eval_accuracy", 5)
    first, second, third = found.figures
    assert [one.name for one in found.figures] == ["first", "second", "third"]
    assert (first.accuracy, first.difference) == (1, 0)
    np.testing.assert_allclose(second.accuracy, 0.8, atol=1e-6)
    assert second.difference == 1
    assert np.isnan(third.difference)  # in one batch
    assert third.milliseconds >= 2 > first.milliseconds
    # 5 rows in 3 batches.
    assert third.rows_per_second <= 5 / 0.006 < first.rows_per_second


def test_a_row_may_have_several_sequences():
    two = {name: values[:2] for name, values in batch([5, 4, 3, 2]).items()}
    choices = batch([5, 4, 3, 2]) | {"label_ids": two["label_ids"]}
    assert comparison.row_count([choices, batch([3])]) == 3


def test_a_row_of_middle_length_is_timed():
    assert compare().tokens == 6
    seen = []
    one = comparison.middle_row(BATCHES)
    comparison.latencies({"a": seen.append, "b": seen.append}, one)
    assert len(seen) == 2 * 34
    assert one["input_ids"].tolist() == [[7] * 6]


def test_figures_are_a_table_and_json():
    found = compare()
    lines = found.table().splitlines()
    assert lines[0] == (
        "| model | MB | ms, 6 tokens | rows/s | eval_accuracy, 5 rows | "
        "largest difference |"
    )
    assert lines[2].startswith("| first | 2.0 (100%) | ")
    assert lines[2].endswith(" (100%) | 1.0000 | 0.0e+00 |")
    assert lines[3].startswith("| second | 0.5 (25%) | ")
    assert lines[3].endswith(" | 0.8000 (-0.2000) | 1.0e+00 |")
    values = json.loads(json.dumps(found.to_dict()))
    assert values["rows"] == 5
    assert values["figures"][1]["bytes"] == 500_000


def test_without_labels_the_first_model_is_right():
    def vectors(sign):
        def model(inputs):
            ones = np.ones([*inputs["input_ids"].shape, 2])
            return {"sequence_output": ones * [1, sign]}

        return model

    compared = {"first": vectors(1), "second": vectors(-1)}
    found = comparison.compare(
        models.make("features"), compared, dict.fromkeys(compared, 1), BATCHES
    )
    assert found.measure == "mean_cosine"
    accuracies = [one.accuracy for one in found.figures]
    np.testing.assert_allclose(accuracies, [1, 0], atol=1e-6)


def test_the_difference_is_that_of_the_worst_output_without_padding():
    expected = {
        "start_logits": np.array([[4.0, -8.0, 1.0], [0.0, 1.0, -1e4]]),
        "end_logits": np.zeros([2, 3]),
    }
    found = {name: value.copy() for name, value in expected.items()}

    def difference():
        batch = {"input_mask": MASK}
        return comparison.difference(found, expected, batch, SPANS)

    found["start_logits"][1, 2] = 7  # padding
    assert difference() == 0
    found["start_logits"][0, 0] = 5
    assert difference() == 1 / 8
    found["end_logits"][0, 0] = 0.5
    assert difference() == 0.5
    found["end_logits"][0, 0] = np.inf
    assert np.isnan(difference())


def test_ids_have_no_difference():
    outputs = {"top_k_ids": np.zeros([2, 3, 1], np.int32)}
    others = {"top_k_ids": np.ones([2, 3, 1], np.int32)}
    batch = {"input_mask": MASK}
    assert comparison.difference(outputs, others, batch, ["top_k_ids"]) == 0

import json
import time

import numpy as np

from bert.evaluation import comparison


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
    models = {"first": odd, "second": wrong_at_nine, "third": slow_nan}
    sizes = {"first": 2_000_000, "second": 500_000, "third": 1_000_000}
    return comparison.compare(
        "classification", "classification", models, sizes, BATCHES
    )


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
        "| model | MB | ms, 6 tokens | eval_accuracy, 5 rows | "
        "largest difference |"
    )
    assert lines[2].startswith("| first | 2.0 (100%) | ")
    assert lines[2].endswith(" (100%) | 1.0000 | 0.0e+00 |")
    assert lines[3].startswith("| second | 0.5 (25%) | ")
    assert lines[3].endswith(" | 0.8000 (-0.2000) | 1.0e+00 |")
    values = json.loads(json.dumps(found.to_dict()))
    assert values["rows"] == 5
    assert values["figures"][1]["bytes"] == 500_000

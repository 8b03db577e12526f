import json

import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks.classification import kinds
from bert.tasks.classification.prediction_files import Writer
from bert.tasks.classification.processors import InputExample

EXAMPLES = [InputExample("id-1", "東", None), InputExample("id-2", "c", "d")]


def written(folder, kind, labels, values, key="", texts=False, glue=None):
    writer = Writer(
        str(folder), key, kinds.find(kind), labels, np.float32(values)
    )
    writer.write_test_results()
    writer.write_json_lines(EXAMPLES, texts)
    if glue:
        writer.write_submission(glue)
    return {p.name: p.read_text() for p in folder.iterdir()}


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_probabilities_stand_in_the_labels_order(tmp_path):
    values = [[0.1, 0.9], [1 / 3, 1e-7]]
    found = written(
        tmp_path, "classification", ["no", "yes"], values, glue="RTE"
    )
    assert found["test_results.tsv"] == "0.1\t0.9\n0.33333334\t1e-07\n"
    assert objects(found["predictions.jsonl"]) == [
        {
            "id": "id-1",
            "label": "yes",
            "probabilities": {"no": 0.1, "yes": 0.9},
        },
        {
            "id": "id-2",
            "label": "no",
            "probabilities": {"no": 0.33333334, "yes": 1e-07},
        },
    ]
    assert found["RTE.tsv"] == "index\tprediction\n0\tyes\n1\tno\n"


def test_several_labels_are_those_from_one_half_on(tmp_path):
    found = written(
        tmp_path, "multi_label", ["a", "b"], [[0.5, 0.9], [0.49, 0]], texts=True
    )
    first, second = objects(found["predictions.jsonl"])
    assert first["label"] == ["a", "b"]
    assert second["label"] == []
    assert (first["text_a"], "text_b" in first) == ("東", False)
    assert (second["text_a"], second["text_b"]) == ("c", "d")
    assert "東" in found["predictions.jsonl"]


def test_numbers_are_written_as_they_are_and_clipped_for_glue(tmp_path):
    found = written(tmp_path, "regression", [], [[-0.25], [5.5]], glue="STS-B")
    assert found["test_results.tsv"] == "-0.25\n5.5\n"
    assert objects(found["predictions.jsonl"]) == [
        {"id": "id-1", "label": -0.25},
        {"id": "id-2", "label": 5.5},
    ]
    assert found["STS-B.tsv"] == "index\tprediction\n0\t0.000\n1\t5.000\n"


def test_another_sets_files_have_its_name(tmp_path):
    found = written(
        tmp_path, "regression", [], [[1], [2]], key="mismatched", glue="X"
    )
    assert set(found) == {
        "test_results_mismatched.tsv",
        "predictions_mismatched.jsonl",
        "X.tsv",
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_named_before_anything_is_written(
    tmp_path, number
):
    values = [[0.1, 0.9], [number, 0.5]]
    with pytest.raises(UserError, match="not a number for row 2 of 2; was it"):
        written(tmp_path, "classification", ["a", "b"], values)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file(tmp_path):
    (tmp_path / "predictions.jsonl").write_text("old")
    with pytest.raises(ValueError, match="zip"):  # a row too few
        written(tmp_path, "classification", ["a", "b"], [[0.1, 0.9]])
    assert (tmp_path / "predictions.jsonl").read_text() == "old"
    assert not list(tmp_path.glob(".tmp*"))

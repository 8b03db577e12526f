import json

import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks.multiple_choice import predictions
from bert.tasks.multiple_choice.examples import ChoiceExample

EXAMPLES = [
    ChoiceExample("test-1", "t", ("a", "b")),
    ChoiceExample("test-2", "t", ("a", "b", "c")),
]


def test_a_question_has_the_probabilities_of_its_own_choices(tmp_path):
    values = np.float32([[0.75, 0.25, 0.0], [0.1, 0.2, 0.7]])
    predictions.write(str(tmp_path), EXAMPLES, values)
    assert (tmp_path / "test_results.tsv").read_text() == (
        "0.75\t0.25\t0.0\n0.1\t0.2\t0.7\n"
    )
    lines = (tmp_path / "predictions.jsonl").read_text().splitlines()
    assert list(map(json.loads, lines)) == [
        {"id": "test-1", "choice": 0, "probabilities": [0.75, 0.25]},
        {"id": "test-2", "choice": 2, "probabilities": [0.1, 0.2, 0.7]},
    ]


def test_what_is_no_number_is_not_written(tmp_path):
    values = np.float32([[0.5, 0.5, 0.0], [np.nan, 0.2, 0.7]])
    with pytest.raises(UserError, match="not a number"):
        predictions.write(str(tmp_path), EXAMPLES, values)
    assert list(tmp_path.iterdir()) == []

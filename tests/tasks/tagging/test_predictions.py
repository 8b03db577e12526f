import json

import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks.tagging import predictions
from tests.data.tables.test_conll import corpus_of


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a O\nb O\n\nc X\n", "a O O\nb O X\n\nc X X\n\n"),
        ("a\tO\nb c\tO\n\nc\tX\n", "a\tO\tO\nb c\tO\tX\n\nc\tX\tX\n\n"),
        ("a\nb\n\n\nc", "a O\nb X\n\nc X\n\n"),
    ],
)
def test_predictions_stand_behind_words_and_labels(tmp_path, content, text):
    corpus = corpus_of(tmp_path, content, needs_labels=False)
    predicted = [["O", "X"], ["X"]]
    assert "".join(predictions.conll_text(corpus, predicted)) == text


def test_json_lines_have_each_words_label_and_probability(tmp_path):
    corpus = corpus_of(tmp_path, "Lübeck O\nb O\n\nc X\n")
    lines = predictions.json_lines(
        corpus, [["O", "X"], ["X"]], np.float32([0.9, 0.8, 0.1])
    )
    assert [json.loads(line) for line in lines] == [
        {
            "id": "test-0",
            "tokens": ["Lübeck", "b"],
            "labels": ["O", "X"],
            "probabilities": [0.9, 0.8],
        },
        {
            "id": "test-1",
            "tokens": ["c"],
            "labels": ["X"],
            "probabilities": [0.1],
        },
    ]


def test_a_probability_that_is_no_number_is_refused(tmp_path):
    corpus = corpus_of(tmp_path, "a O\n\nb O\n")
    lines = predictions.json_lines(
        corpus, [["O"], ["O"]], np.float32([1, np.nan])
    )
    with pytest.raises(UserError, match=r"file.txt, line 3: .*not a number"):
        list(lines)


def test_both_files_are_written_or_none(tmp_path):
    corpus = corpus_of(tmp_path, "a O\n\nb O\n")
    labels = [["O"], ["O"]]
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match="not a number"):
        predictions.write(str(out), corpus, labels, np.float32([1, np.nan]))
    assert not list(out.iterdir())
    predictions.write(str(out), corpus, labels, np.float32([1, 1]))
    assert {path.name for path in out.iterdir()} == set(predictions.FILES)

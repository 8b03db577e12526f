import itertools
import random

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from bert.data.tables.conll import Sentence
from bert.errors import UserError
from bert.tasks.tagging import judged, metrics, report

LABELS = ["O", "B-LOC", "B-PER", "I-LOC", "I-PER"]


def _judged(gold, predicted, labels=LABELS):
    sentences = [
        Sentence([f"w{i}" for i in range(len(own))], own, 10 * n + 1)
        for n, own in enumerate(gold)
    ]
    num_words = sum(map(len, gold))
    flat = [
        one == other
        for own, others in zip(gold, predicted, strict=True)
        for one, other in zip(own, others, strict=True)
    ]
    answers = metrics.Answers(
        np.zeros(num_words, int),
        np.linspace(0.5, 0.9, num_words).astype(np.float32),
        np.where(flat, 0.25, 2.0).astype(np.float32),
        np.array([len(own) for own in gold]),
    )
    return judged.judge(sentences, predicted, answers, labels)


def _random_labels(seed, labels, num_sentences=40):
    draw = random.Random(seed)
    return [
        draw.choices(labels, k=1 + number % 13)
        for number in range(num_sentences)
    ]


def test_types_are_counted_as_seqeval_does():
    gold, predicted = _random_labels(1, LABELS), _random_labels(2, LABELS)
    found = report.facts(_judged(gold, predicted), LABELS)
    lines = metrics.report(gold, predicted, LABELS).splitlines()
    for own in found["types"]:
        (line,) = [line for line in lines if own["type"] in line.split()]
        assert line.split()[1:] == [
            *(f"{own[name]:.4f}" for name in ("precision", "recall", "f1")),
            str(own["support"]),
        ]


def test_labels_that_mark_no_entities_are_counted_as_scikit_learn_does():
    labels = ["ADJ", "NOUN", "VERB"]
    gold, predicted = _random_labels(1, labels), _random_labels(2, labels)
    found = report.facts(_judged(gold, predicted, labels), labels)
    assert found["counted"] == "labels"
    want = precision_recall_fscore_support(
        *(list(itertools.chain(*own)) for own in (gold, predicted))
    )
    for name, values in zip(
        ("precision", "recall", "f1", "support"), want, strict=True
    ):
        assert [own[name] for own in found["types"]] == pytest.approx(
            values, abs=1e-6
        )
    counts = np.array(found["confusion"]["counts"])
    assert found["confusion"]["names"] == labels
    assert counts.sum() == sum(map(len, gold))
    kinds = [each["kind"] for each in found["errors"]]
    assert len(kinds) == 6
    assert found["errors"][0]["count"] == max(
        counts[i, j] for i in range(3) for j in range(3) if i != j
    )
    assert kinds[0].split(" → ")[0] in labels


GOLD = [
    ["B-PER", "I-PER", "O", "B-LOC"],
    ["O", "B-LOC", "O", "O", "B-PER", "O"],
]
PREDICTED = [
    ["B-PER", "O", "O", "B-PER"],
    ["O", "O", "O", "B-LOC", "B-PER", "O"],
]


def test_confusion_has_entities_that_are_none():
    found = report.facts(_judged(GOLD, PREDICTED), LABELS)
    assert found["confusion"] == {
        "names": ["LOC", "PER", report.NONE],
        "counts": [[0, 1, 1], [0, 2, 0], [1, 0, 0]],
    }


def test_each_kind_of_error_has_examples():
    found = report.facts(_judged(GOLD, PREDICTED), LABELS)
    kinds = {each["kind"]: each for each in found["errors"]}
    assert {kind: own["count"] for kind, own in kinds.items()} == {
        "boundary": 1,
        "type": 1,
        "missed": 1,
        "invented": 1,
    }
    (example,) = kinds["boundary"]["examples"]
    assert example["id"] == "dev-0"
    assert example["line"] == 1
    assert example["text"] == "w0 w1 w2 w3"
    assert example["gold"] == [
        {"start": 0, "end": 5, "label": "PER"},
        {"start": 9, "end": 11, "label": "LOC"},
    ]
    assert example["predicted"][0] == {"start": 0, "end": 2, "label": "PER"}
    # Of the two words.
    assert example["probability"] == pytest.approx(
        (0.5 + 0.544444) / 2, abs=1e-6
    )


def test_the_surest_errors_come_first():
    gold = [["B-PER"]] * 20
    found = report.facts(_judged(gold, [["O"]] * 20), LABELS)
    missed = found["errors"][2]
    assert missed["count"] == 20
    sure = [each["probability"] for each in missed["examples"]]
    assert sure == sorted(sure, reverse=True)
    assert len(sure) == 8
    assert sure[0] == pytest.approx(0.9)


def test_figures_by_the_length_of_sentences():
    found = report.facts(_judged(GOLD, PREDICTED), LABELS)
    short, long = found["by_length"]
    assert (short["words"], short["sentences"]) == ("1–5", 1)
    assert (long["words"], long["sentences"]) == ("6–10", 1)
    assert short["accuracy"] == 0.5
    assert long["f1"] == 0.5
    for own, gold, predicted in zip(
        found["by_length"], GOLD, PREDICTED, strict=True
    ):
        want = metrics.metrics([gold], [predicted], LABELS)
        assert own["f1"] == pytest.approx(want["f1"])
        assert own["accuracy"] == pytest.approx(want["eval_accuracy"])


def test_worst_sentences_have_errors():
    gold = [*GOLD, ["O"] * 100]
    predicted = [*PREDICTED, ["O"] * 100]
    found = report.facts(_judged(gold, predicted), LABELS)
    # 2.0 a wrong word, 0.25 a right one.
    assert [own["loss"] for own in found["worst"]] == [5.0, 4.5]
    assert [own["wrong_words"] for own in found["worst"]] == [2, 2]
    assert found["worst"][0]["id"] == "dev-1"


def test_lines_of_dev_predictions():
    lines = list(report.predictions(_judged(GOLD, PREDICTED)))
    probabilities = lines[0].pop("probabilities")
    assert list(probabilities) == pytest.approx(
        [0.5, 0.544444, 0.588889, 0.633333], abs=1e-6
    )
    assert lines[0] == {
        "id": "dev-0",
        "tokens": ["w0", "w1", "w2", "w3"],
        "gold": GOLD[0],
        "predicted": PREDICTED[0],
    }


def test_everything_right():
    found = report.facts(_judged(GOLD, GOLD), LABELS)
    assert found["worst"] == []
    assert all(each["count"] == 0 for each in found["errors"])


def test_no_report_on_outputs_that_are_not_numbers():
    rows = _judged([["O"]], [["O"]])
    rows = [rows[0]._replace(probabilities=np.array([np.nan]))]
    with pytest.raises(UserError, match="not numbers; was it trained"):
        report.make(rows, LABELS)

import numpy as np
import pytest

from bert.tasks.tagging import metrics

BIO = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
LOSSES = ("eval_loss", "loss")


def row(mask, losses):
    ids = np.arange(len(mask))
    return {
        "label_mask": np.int32(mask),
        "label_ids": ids,
        "probabilities": ids / 10,
        "losses": np.float32(losses),
    }


def test_answers_are_those_that_count_in_the_order_of_the_rows():
    answers = metrics.collect([row([0, 1, 0, 1], [9, 1, 9, 3]), row([1], [5])])
    assert answers.label_ids.tolist() == [1, 3, 0]
    assert answers.probabilities.tolist() == [0.1, 0.3, 0]
    assert answers.losses.tolist() == [1, 3, 5]
    assert answers.words_of_rows.tolist() == [2, 1]


def test_loss_is_a_mean_over_batches_and_eval_loss_over_words():
    rows = [row([1, 1], [1, 3]), row([1], [5]), row([1, 0], [7, 0])]
    answers = metrics.collect(rows)
    assert metrics.losses(answers, 2) == {"eval_loss": 4, "loss": 5}
    assert metrics.losses(answers, 3) == {"eval_loss": 4, "loss": 4}
    assert metrics.losses(answers, 1)["loss"] == pytest.approx(14 / 3)
    assert metrics.losses(answers, 8)["loss"] == 4


def test_entities_count_only_whole_and_of_the_right_type():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    predicted = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "I-LOC"]]
    figures = metrics.metrics(gold, predicted, BIO)
    # Of three entities and three predictions, one is right.
    assert figures == pytest.approx(
        {
            "eval_accuracy": 4 / 6,
            "precision": 1 / 3,
            "recall": 1 / 3,
            "f1": 1 / 3,
        }
    )
    assert {*figures, *LOSSES} == set(metrics.metric_names(BIO))


def test_an_entity_may_begin_with_i_as_in_conlleval():
    gold = [["O", "I-PER", "I-PER", "I-LOC"]]
    predicted = [["O", "B-PER", "I-PER", "B-LOC"]]
    figures = metrics.metrics(gold, predicted, BIO)
    assert figures["f1"] == 1
    assert figures["eval_accuracy"] == 1 / 2


def test_no_entity_runs_over_the_end_of_a_sentence():
    figures = metrics.metrics(
        [["O", "B-PER"], ["I-PER"]], [["O", "B-PER"], ["B-PER"]], BIO
    )
    assert figures["f1"] == 1


@pytest.mark.parametrize(
    ("gold", "predicted"), [("O", "O"), ("B-PER", "O"), ("O", "B-PER")]
)
def test_what_is_undefined_is_0_without_a_warning(gold, predicted):
    figures = metrics.metrics([[gold, "O"]], [[predicted, "O"]], BIO)
    assert figures["precision"] == figures["recall"] == figures["f1"] == 0
    assert (
        "PER" in metrics.report([[gold]], [[predicted]], BIO)
        or gold == predicted
    )


def test_bilou_labels_count_as_iobes():
    labels = ["O", "B-X", "I-X", "L-X", "U-X"]
    gold = [["U-X", "U-X", "B-X", "L-X"]]
    predicted = [["U-X", "U-X", "B-X", "O"]]
    figures = metrics.metrics(gold, predicted, labels)
    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall"] == pytest.approx(2 / 3)


def test_parts_of_speech_have_accuracy_and_macro_f1():
    labels = ["DT", "NN", "O", "VB"]
    figures = metrics.metrics(
        [["DT", "NN"], ["NN"]], [["DT", "NN"], ["VB"]], labels
    )
    # DT 1, NN 2 / 3, VB 0; no O is seen, so it has no part in the mean.
    assert figures == pytest.approx(
        {"eval_accuracy": 2 / 3, "macro_f1": (1 + 2 / 3) / 3}
    )
    assert {*figures, *LOSSES} == set(metrics.metric_names(labels))


def test_report_has_a_line_for_each_type():
    table = metrics.report([["B-PER", "B-LOC"]], [["B-PER", "O"]], BIO)
    rows = {
        line.split()[0]: line.split()[1:]
        for line in table.splitlines()[1:]
        if line
    }
    assert rows["PER"] == ["1.0000", "1.0000", "1.0000", "1"]
    assert rows["LOC"] == ["0.0000", "0.0000", "0.0000", "1"]

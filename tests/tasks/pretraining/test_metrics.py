import numpy as np
import pytest

from bert.tasks.pretraining import metrics


def batch(losses, weights, correct, sentence_losses, sentence_correct):
    return {
        "masked_lm_losses": np.float32(losses),
        "masked_lm_weights": np.float32(weights),
        "masked_lm_correct": np.float32(correct),
        "next_sentence_losses": np.float32(sentence_losses),
        "next_sentence_correct": np.float32(sentence_correct),
    }


def test_means_run_over_all_predictions_and_loss_over_batches():
    figures = metrics.metrics(
        [
            batch([1, 3, 9], [1, 1, 0], [1, 0, 1], [0.5, 1.5], [1, 0]),
            batch([5, 9, 9], [1, 0, 0], [1, 0, 0], [3.0, 5.0], [1, 1]),
        ]
    )
    assert figures["masked_lm_loss"] == pytest.approx((1 + 3 + 5) / 3)
    assert figures["masked_lm_accuracy"] == pytest.approx(2 / 3)
    assert figures["next_sentence_loss"] == pytest.approx(10 / 4)
    assert figures["next_sentence_accuracy"] == pytest.approx(3 / 4)
    # Batches: 4/2 + 1 and 5/1 + 4, though they weigh 2 and 1 predictions.
    assert figures["loss"] == pytest.approx((3 + 9) / 2, abs=1e-4)


def test_without_any_prediction_the_means_are_0():
    figures = metrics.metrics([batch([2.0], [0], [1], [1.0], [1])])
    assert figures["masked_lm_loss"] == 0
    assert figures["masked_lm_accuracy"] == 0
    assert figures["loss"] == 1


def test_without_the_second_task_its_figures_are_left_out():
    one = batch([1, 3], [1, 1], [1, 0], [7.0], [1])
    one = {k: v for k, v in one.items() if not k.startswith("next_sentence")}
    figures = metrics.metrics([one])
    assert list(figures) == ["masked_lm_accuracy", "masked_lm_loss", "loss"]
    assert figures["loss"] == pytest.approx(2, abs=1e-4)

import numpy as np

from bert.evaluation import rows


def test_rows_are_stacked_by_name():
    found = [{"a": np.ones(2)}, {"a": np.zeros(2)}]
    assert rows.stacked(found)["a"].tolist() == [[1, 1], [0, 0]]


def test_the_loss_weighs_batches_alike_and_eval_loss_rows():
    losses = np.float32([1, 3, 8])
    assert rows.loss_figures(losses, 2) == {"eval_loss": 4.0, "loss": 5.0}
    figures = rows.loss_figures(losses, 3)
    assert figures == {"eval_loss": 4.0, "loss": 4.0}
    assert all(isinstance(value, np.float32) for value in figures.values())

import numpy as np
import tensorflow as tf

from bert.training import results


def test_results_are_written_as_the_original_does(tmp_path):
    figures = {"loss": np.float32(6.7649064), "accuracy": np.float32(0.0)}
    results.write_eval_results(str(tmp_path), figures, step=12)
    assert (tmp_path / "eval_results.txt").read_text() == (
        "accuracy = 0.0\nglobal_step = 12\nloss = 6.7649064\n"
    )


def points(folder):
    (path,) = folder.iterdir()
    return [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]


def test_an_event_file_has_the_figures_at_their_step(tmp_path):
    results.write_eval_results(str(tmp_path), {"loss": 2.5}, step=12)
    assert points(tmp_path / "eval") == [(12, "loss", 2.5)]


def test_a_mark_is_also_drawn_across_the_curve_of_its_loss(tmp_path):
    figures = {"unigram_entropy": 6.5}
    results.write_eval_results(str(tmp_path), figures, step=12)
    assert points(tmp_path / "eval") == [(12, "unigram_entropy", 6.5)]
    own = points(tmp_path / "unigram_entropy")
    assert own == [(12, "masked_lm_loss", 6.5)]


def test_results_replace_those_of_an_earlier_evaluation(tmp_path):
    for step in (1, 2):
        results.write_eval_results(str(tmp_path), {"loss": 0.5}, step)
    assert "global_step = 2" in (tmp_path / "eval_results.txt").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "eval",
        "eval_results.txt",
    ]

import numpy as np
import tensorflow as tf

from bert.modeling import BertConfig
from bert.tasks.pretraining import inputs, training
from tests.tasks.pretraining.test_config import parse


def test_records_are_bounded_by_the_models_sizes(tmp_path):
    (tmp_path / "a").touch()
    config = parse(f"--input_file={tmp_path / 'a'}", "--do_eval")
    files = inputs.record_files(config)
    source = training.record_source(
        config, BertConfig(vocab_size=9), files, is_trained=False
    )
    assert source.files == [str(tmp_path / "a")]
    assert source.limits == {
        "input_ids": 9,
        "segment_ids": 16,
        "masked_lm_ids": 9,
        "masked_lm_positions": 128,
        "next_sentence_labels": 2,
    }
    lengths = {field.name: field.length for field in source.fields}
    assert (lengths["input_ids"], lengths["masked_lm_ids"]) == (128, 20)


def test_figures_count_what_is_right():
    class Model:
        def losses(self, outputs, batch):
            return {"masked_lm": "a", "next_sentence": "b"}

        def loss_weights(self, batch):
            return {"masked_lm": type("Weight", (), {"weights": "c"})}

    found = training.eval_figures(
        Model(),
        {
            "masked_lm_logits": tf.constant([[0.0, 1.0], [1.0, 0.0]]),
            "next_sentence_logits": tf.constant([[0.0, 1.0]]),
        },
        {
            "masked_lm_ids": tf.constant([[1, 1]]),
            "masked_lm_positions": tf.constant([[2, 3]]),
            "next_sentence_labels": tf.constant([[1]]),
            "input_mask": tf.constant([[1, 1, 1, 1, 0]]),
        },
    )
    np.testing.assert_array_equal(found["masked_lm_correct"], [1.0, 0.0])
    np.testing.assert_array_equal(found["next_sentence_correct"], [1.0])
    assert [found[f"masked_lm_{name}"] for name in ("losses", "weights")] == [
        "a",
        "c",
    ]
    for name, values in {
        "masked_lm_ids": [1, 1],
        "masked_lm_predicted": [1, 0],
        "masked_lm_positions": [2, 3],
        "next_sentence_labels": [1],
        "next_sentence_predicted": [1],
        "lengths": [4],
    }.items():
        np.testing.assert_array_equal(found[name], values)

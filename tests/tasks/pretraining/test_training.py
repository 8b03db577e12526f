import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import BertConfig
from bert.tasks.pretraining import training
from tests.tasks.pretraining.test_config import parse


def test_records_are_bounded_by_the_models_sizes(tmp_path):
    (tmp_path / "a").touch()
    config = parse(f"--input_file={tmp_path / 'a'}", "--do_eval")
    files = training.record_files(config)
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


def test_a_pattern_leaves_out_our_own_notes(tmp_path):
    names = ["x.tfrecord", "x.tfrecord.note.json", "y.json", "z.note.json"]
    names += ["s-00000-of-00001", "s.manifest.json", "t.manifest.json"]
    for name in names:
        (tmp_path / name).touch()

    def files(pattern):
        config = parse(f"--input_file={tmp_path}/{pattern}", "--do_eval")
        found = training.record_files(config)
        return [name.removeprefix(f"{tmp_path}/") for name in found]

    assert files("x.tfrecord*") == ["x.tfrecord"]
    assert files("s*") == ["s-00000-of-00001"]
    assert files("*.json") == sorted(n for n in names if n.endswith("json"))
    assert files("*") == [
        *("s-00000-of-00001", "t.manifest.json", "x.tfrecord", "y.json"),
        "z.note.json",
    ]
    for name in ("n.note.json-00000-of-00001", "n.note.json.manifest.json"):
        (tmp_path / name).write_text("{}")
    assert files("n*") == ["n.note.json-00000-of-00001"]
    for name in ("x.tfrecord.note.json", "s.manifest.json"):
        (tmp_path / name).write_text("{}")
        assert files("[sx]*") == ["s-00000-of-00001", "x.tfrecord"]
        with pytest.raises(UserError, match=rf"{name}, a note on records, wi"):
            files(f"{name[:-5]}*")


def test_words_of_ids_are_those_of_a_vocabulary_beside_the_model(tmp_path):
    config = parse(
        *("--input_file=a", "--do_eval"),
        f"--bert_config_file={tmp_path}/bert_config.json",
        f"--init_checkpoint={tmp_path}/init/bert_model.ckpt",
    )
    sizes = BertConfig(vocab_size=3)
    assert training.vocabulary(config, sizes) == {}
    (tmp_path / "init").mkdir()
    (tmp_path / "init/vocab.txt").write_text("a\nb\na\n")
    assert training.vocabulary(config, sizes) == {1: "b", 2: "a"}
    # One of a larger model.
    (tmp_path / "vocab.txt").write_text("a\nb\nc\nd\n")
    assert training.vocabulary(config, sizes) == {1: "b", 2: "a"}

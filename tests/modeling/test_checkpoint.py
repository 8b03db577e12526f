import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import (
    BertConfig,
    checkpoint,
    checkpoint_paths,
    classifiers,
    heads,
)
from tests.modeling import checkpoints

PREFIX = "model_base/bert_model.ckpt"


@pytest.fixture(scope="module")
def config(golden):
    return BertConfig.from_json_file(golden / "model_base/bert_config.json")


@pytest.fixture
def copied(golden, tmp_path):
    """A folder that holds one checkpoint, as a download does."""
    checkpoints.copy(golden / PREFIX, tmp_path)
    return tmp_path


def with_tensors(folder, changes, golden):
    """Writes model_base's checkpoint with some tensors replaced (or gone)."""
    tensors = checkpoints.tensors(golden / PREFIX) | changes
    prefix = str(folder / "changed.ckpt")
    checkpoint.write_files(
        prefix, {n: t for n, t in tensors.items() if t is not None}
    )
    return prefix


@pytest.mark.parametrize(
    "given",
    [
        "bert_model.ckpt",
        "bert_model.ckpt.index",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.meta",
        "",
    ],
)
def test_a_checkpoint_is_found_by_prefix_file_or_folder(copied, given):
    found = checkpoint_paths.resolve(
        str(copied / given) if given else str(copied)
    )
    assert found == str(copied / "bert_model.ckpt")


def test_a_folder_with_several_checkpoints_must_say_which(copied):
    for part in ("index", "data-00000-of-00001"):
        shutil.copy(
            copied / f"bert_model.ckpt.{part}", copied / f"b.ckpt.{part}"
        )
    with pytest.raises(UserError, match=r"several.*b\.ckpt\.index, bert_model"):
        checkpoint_paths.resolve(str(copied))
    (copied / "checkpoint").write_text(
        'model_checkpoint_path: "/another/machine/b.ckpt"\n'
    )
    assert checkpoint_paths.resolve(str(copied)) == str(copied / "b.ckpt")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d / "nothing", "No checkpoint found"),
        (lambda d: d, r"has no \.index file\.$"),
        (
            lambda d: _write(d / "model.safetensors", b"").parent,
            r"Face's format; convert it first \(convert_checkpoint\.py --input",
        ),
        (
            lambda d: _of_several(d) / "tasks/mrpc",
            r"but is one task's of a model of several; name .*/run#mrpc\.$",
        ),
        (
            lambda d: _of_several(d, "best/model.ckpt-3.index") / "tasks/mrpc",
            r"name .*/run#mrpc\.$",
        ),
        (lambda d: _of_several(d) / "mrpc", r"has no \.index file\.$"),
        (lambda d: _write(d / "model.ckpt", b"V1"), "a file without one"),
        (
            lambda d: _write(d / "x.ckpt.index", b"\0" * 50),
            "cannot be read; it is damaged",
        ),
    ],
)
def test_what_is_no_checkpoint_gets_one_line(tmp_path, make, message):
    with pytest.raises(UserError, match=message):
        checkpoint.Reader(str(make(tmp_path)))


def _of_several(folder, weights="checkpoint"):
    for name in ("tasks/mrpc", "mrpc", os.path.dirname(weights)):
        (folder / "run" / name).mkdir(parents=True, exist_ok=True)
    _write(folder / "run" / weights, b"")
    return folder / "run"


def _write(path, content):
    path.write_bytes(content)
    return path


def test_a_truncated_checkpoint_is_damaged(copied, config):
    data = copied / "bert_model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    model = heads.PretrainingModel(config)
    with pytest.raises(UserError, match="damaged or incomplete"):
        checkpoint.load_weights(model, str(copied))


def test_a_state_file_that_names_nothing_is_an_error(copied):
    (copied / "checkpoint").write_text('model_checkpoint_path: "gone"\n')
    with pytest.raises(UserError, match="names gone as the newest"):
        checkpoint_paths.resolve(str(copied))
    for content in (b"?!", b"", b"\xff\x00\x81"):
        (copied / "checkpoint").write_bytes(content)
        with pytest.raises(UserError, match="does not name a checkpoint"):
            checkpoint_paths.resolve(str(copied))


def test_load_gives_every_weight_its_value(golden, config):
    model = heads.PretrainingModel(config)
    report = checkpoint.load_weights(model, str(golden / PREFIX))
    reader = checkpoint.Reader(str(golden / PREFIX))
    assert set(report.loaded) == set(reader.shapes)
    assert report.fresh == ()
    assert report.unused == ()
    for name, variable in checkpoint.named_variables(model).items():
        np.testing.assert_array_equal(variable.numpy(), reader.read(name))


def test_report_lists_the_fresh_head_and_what_is_unused(golden, config):
    model = classifiers.ClassifierModel(config, num_labels=2)
    report = checkpoint.load_weights(model, str(golden / PREFIX))
    assert set(report.fresh) == {"output_weights", "output_bias"}
    assert "cls/predictions/output_bias" in report.unused
    assert all(name.startswith("cls/") for name in report.unused)
    loaded, fresh, unused = str(report).splitlines()
    assert loaded.startswith(f"Loaded {len(report.loaded)} weights from ")
    assert fresh.endswith(": output_weights, output_bias")
    assert "cls/predictions/output_bias, " in unused


@pytest.mark.parametrize(
    ("lacks", "trains_head", "warns"),
    [
        ((), True, False),  # a head that is to be trained
        ((), False, True),
        (("bert/pooler/dense/bias",), True, True),
    ],
)
def test_weights_that_are_missing_unexpectedly_are_a_warning(
    lacks, trains_head, warns, golden, config, tmp_path, caplog
):
    reader = checkpoint.Reader(str(golden / PREFIX))
    prefix = str(tmp_path / "model.ckpt")
    kept = {n: reader.read(n) for n in reader.shapes if n not in lacks}
    checkpoint.write_files(prefix, kept)
    model = classifiers.ClassifierModel(config, num_labels=2)
    report = checkpoint.load_weights(model, prefix)
    with caplog.at_level("INFO"):
        report.log(trains_head)
    assert "\n".join(caplog.messages) == str(report)
    assert report.fresh == (*lacks, "output_weights", "output_bias")
    found = [r for r in caplog.records if r.levelname == "WARNING"]
    assert len(found) == warns
    for record in found:
        assert "left as initialized" in record.getMessage()


def test_moments_and_step_are_not_weights(golden, config):
    report = checkpoint.load_weights(
        heads.PretrainingModel(config),
        str(golden / "train_pretraining/model.ckpt-6"),
    )
    assert report.unused == ()


def test_a_wrong_shape_names_both_and_assigns_nothing(golden, config, tmp_path):
    name = "bert/embeddings/word_embeddings"
    prefix = with_tensors(
        tmp_path, {name: np.zeros((400, 32), np.float32)}, golden
    )
    model = heads.PretrainingModel(config)
    before = [v.numpy() for v in model.variables]
    with pytest.raises(UserError, match=r"\[400, 32\].*\[391, 32\]"):
        checkpoint.load_weights(model, prefix)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def test_a_missing_encoder_weight_is_an_error(golden, config, tmp_path):
    name = "bert/encoder/layer_1/output/dense/kernel"
    prefix = with_tensors(tmp_path, {name: None}, golden)
    with pytest.raises(UserError, match=f"lacks 1 .*{name}"):
        checkpoint.load_weights(heads.PretrainingModel(config), prefix)


def test_a_tf1_saver_restores_what_write_files_writes(golden, tmp_path):
    prefix = with_tensors(tmp_path, {}, golden)
    original = tf.train.load_checkpoint(str(golden / PREFIX))
    with tf.Graph().as_default():
        variables = {
            name: tf.compat.v1.get_variable(name, shape)
            for name, shape in original.get_variable_to_shape_map().items()
        }
        with tf.compat.v1.Session() as session:
            tf.compat.v1.train.Saver().restore(session, prefix)
            for name, value in session.run(variables).items():
                np.testing.assert_array_equal(value, original.get_tensor(name))


@pytest.mark.parametrize("name", ["a[1]", "a\\b"])
def test_a_path_that_tensorflow_takes_for_a_pattern_is_refused(name):
    with pytest.raises(UserError, match="cannot read checkpoints from a path"):
        checkpoint_paths.resolve(f"/models/{name}/bert_model.ckpt")


def test_a_head_that_grows_keeps_its_rows(golden, config):
    trained = str(golden / "train_classifier/model.ckpt-12")  # of 3 labels
    model = classifiers.ClassifierModel(config, 5, init_seed=1)
    variables = checkpoint.named_variables(model)
    fresh = variables["output_weights"].numpy()[3:]
    with pytest.raises(UserError, match=r"is \[3, 32\] .* \[5, 32\] in the"):
        checkpoint.load_weights(model, trained)
    report = checkpoint.load_weights(model, trained, grows=True)
    assert {"output_weights", "output_bias"} <= {*report.loaded}
    before = checkpoint.Reader(trained)
    for name, rest in (("output_weights", fresh), ("output_bias", [0, 0])):
        now = variables[name].numpy()
        np.testing.assert_array_equal(now[:3], before.read(name))
        np.testing.assert_array_equal(now[3:], rest)
    # It does not shrink, and nothing else grows.
    smaller = classifiers.ClassifierModel(config, 2)
    with pytest.raises(UserError, match=r"is \[3, 32\] .* \[2, 32\] in the"):
        checkpoint.load_weights(smaller, trained, grows=True)
    wider = BertConfig(**{**config.to_dict(), "vocab_size": 999})
    with pytest.raises(UserError, match=r"word_embeddings is "):
        checkpoint.load_weights(
            classifiers.ClassifierModel(wider, 5), trained, grows=True
        )

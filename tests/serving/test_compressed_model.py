"""A compressed model answers as its export; a toy stands for the runtimes."""

import functools
import json

import pytest

from bert.errors import UserError
from bert.model_folder.given import Given
from bert.serving.predictor import Predictor
from tests.conversion import exports
from tests.serving import toy_runtime


@pytest.fixture
def export_dir(golden, tmp_path):
    return functools.partial(exports.write, golden, tmp_path)


@pytest.fixture(autouse=True)
def _toys(monkeypatch):
    toy_runtime.use(monkeypatch)


def test_a_predictor_answers_by_the_runtime(export_dir, tmp_path):
    original = export_dir("classification")
    folder = toy_runtime.write(original, tmp_path / "small", "onnx")
    texts = ["it rained.", ("the boat", "the lake")]
    expected = Predictor.load(original).predict(texts)
    for predictor in (
        Predictor.load(folder),
        Predictor.load(folder, runtime="onnx"),
        Predictor.load(folder, given=Given(runtime="onnx")),
    ):
        assert predictor.predict(texts) == expected
        with pytest.raises(UserError, match="Attention needs a model's check"):
            predictor.attention(["it rained."])


@pytest.mark.parametrize("labels", ["no\nja\n", "no\nja\n?\nmore\n"])
def test_labels_must_be_the_models(export_dir, tmp_path, labels):
    original = export_dir("classification")
    folder = toy_runtime.write(original, tmp_path / "small", "onnx")
    (tmp_path / "small/assets/labels.txt").write_text(labels)
    with pytest.raises(UserError, match=r"labels\.txt: expected the model's 3"):
        Predictor.load(folder)


def test_a_model_of_another_task_is_refused(export_dir, tmp_path):
    original = export_dir("regression")
    folder = toy_runtime.write(original, tmp_path / "small", "onnx")
    path = tmp_path / "small/assets/task.json"
    task = json.loads(path.read_text())
    path.write_text(json.dumps(task | {"kind": "classification"}))
    with pytest.raises(UserError, match="expected a model of the task classif"):
        Predictor.load(folder)


def test_a_model_that_does_not_run_is_refused(
    export_dir, tmp_path, monkeypatch
):
    original = export_dir("classification")
    folder = toy_runtime.write(original, tmp_path / "small", "onnx")

    def fail(self, inputs):
        raise RuntimeError("no\nsuch node")

    monkeypatch.setattr(toy_runtime.ToyModel, "__call__", fail)
    with pytest.raises(UserError, match="does not run as onnx: no such node"):
        Predictor.load(folder)

"""Which precision a model answers in."""

import dataclasses
import logging
import shutil

import numpy as np
import pytest

from bert.errors import UserError
from bert.model_folder import model_files, task_files
from bert.model_folder.files import ModelFiles
from bert.model_folder.task_files import Bfloat16, Task
from bert.modeling import cpu_bfloat16
from bert.serving import precision
from bert.serving.predictor import Predictor
from bert.tasks import inference
from tests.conversion import exports, run_folder

ALIKE = Bfloat16(agreement=0.9995, rows=2000, checkpoint="seven")
SOURCE = ModelFiles(
    task=Task(task="ner", do_lower_case=True, max_seq_length=8),
    checkpoint="run/model.ckpt-7",
    bert_config_file="none",
    vocab_file=None,
)


@pytest.fixture(scope="module")
def run(golden, tmp_path_factory):
    """Makes a run's folder, once; nobody writes to it."""
    folder = tmp_path_factory.mktemp("run")
    run_folder.write(golden, folder, "classification", num_hidden_layers=1)
    return folder


@pytest.fixture
def chosen(run, monkeypatch, caplog):
    """Returns the precision that is chosen, and the lines that say why."""

    def chosen(wanted, found=ALIKE, has_bfloat16=True):
        monkeypatch.setattr(cpu_bfloat16, "has_bfloat16", lambda: has_bfloat16)
        monkeypatch.setattr(precision, "identity", lambda source: "seven")
        monkeypatch.setattr(precision, "kept", lambda folder, task: found)
        caplog.clear()
        with caplog.at_level(logging.INFO):
            dtype = precision.choose(wanted, SOURCE, str(run))
        return dtype, caplog.messages

    return chosen


@pytest.mark.parametrize(
    ("wanted", "dtype"),
    [(None, "float32"), ("float32", "float32"), ("bfloat16", "bfloat16")],
)
def test_what_is_said_holds(chosen, wanted, dtype):
    assert chosen(wanted, None, has_bfloat16=False) == (dtype, [])


def test_auto_is_bfloat16_where_labels_stay(chosen):
    assert chosen("auto") == (
        "bfloat16",
        [
            "--precision=auto: bfloat16, in which 99.95 % of the labels of "
            "2000 rows are the same."
        ],
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"found": None}, "nothing is known of "),
        ({"has_bfloat16": False}, "this processor has neither"),
        ({"rows": 1999}, "1999 rows were compared, not 2000"),
        (
            {"agreement": 0.9989},
            "99.89% of the labels of 2000 rows are the same in bfloat16, less "
            "than 99.9%",
        ),
        ({"checkpoint": "eight"}, "nothing is known of "),
    ],
)
def test_else_auto_is_float32_and_says_why(chosen, change, reason):
    names = {field.name for field in dataclasses.fields(Bfloat16)}
    of_found = {name: change[name] for name in names & set(change)}
    given = {"found": dataclasses.replace(ALIKE, **of_found)}
    given |= {name: change[name] for name in set(change) - names}
    dtype, (line,) = chosen("auto", **given)
    assert dtype == "float32"
    assert line.startswith(f"--precision=auto: float32, as {reason}")


@pytest.mark.parametrize("is_compressed", [True, False])
def test_an_export_computes_as_it_was_written(tmp_path, caplog, is_compressed):
    source = SOURCE
    if is_compressed:
        source = dataclasses.replace(SOURCE, format="onnx")
    else:
        (tmp_path / "saved_model.pb").touch()
    folder = str(tmp_path)
    for wanted in ("bfloat16", "float32"):
        with pytest.raises(UserError, match=r"for folders of checkpoints\. R"):
            precision.choose(wanted, source, folder)
    assert precision.choose(None, source, folder) == "float32"
    with caplog.at_level(logging.INFO):
        assert precision.choose("auto", source, folder) == "float32"
    assert f"{folder} computes as it was written" in caplog.text


def test_an_unknown_precision_lists_the_known_ones(run):
    with pytest.raises(UserError, match=r"float32, bfloat16, auto.*'half'"):
        Predictor.load(str(run), precision="half")


def test_bfloat16_answers_alike_and_not_the_same(run):
    texts = ["the boat", ("of the lake", "river"), "in the lake " * 10]
    plain, narrow = (
        Predictor.load(str(run), precision=each).predict(texts)
        for each in (None, "bfloat16")
    )
    for one, other in zip(plain, narrow, strict=True):
        found = list(one["probabilities"].values())
        others = list(other["probabilities"].values())
        np.testing.assert_allclose(others, found, atol=0.02)
        assert found != others


@pytest.mark.slow
def test_a_checkpoint_is_compared_with_itself(run, tmp_path):
    source = model_files.find(str(run))
    judge = inference.make(source)
    path = tmp_path / "eval.tf_record"
    rows = exports.classifier_rows(40, 16, [0, 1, 2])
    exports.write_records(path, judge.fields(16), rows)
    found = precision.compare(source, [str(path)])
    assert found.rows == 40
    assert found.checkpoint == precision.identity(source)
    assert found.agreement > 0.9


def test_no_export_has_what_was_found(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    path = copy / task_files.TASK_FILE
    task = dataclasses.replace(task_files.read(str(path)), bfloat16=ALIKE)
    path.write_text(task.to_json())
    assert precision.kept(str(copy), task) == ALIKE
    vectors = Task(task="features", do_lower_case=True, max_seq_length=8)
    assert precision.kept(str(copy), vectors) is None
    assert model_files.find(str(copy)).task.bfloat16 is None

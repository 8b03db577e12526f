import json
import os
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

from bert import compress_model as script
from bert.errors import UserError
from bert.model_folder import formats
from bert.model_folder.saved_model import SavedModel
from bert.tasks.classification import kinds
from tests.conversion import exports
from tests.scripts.runner import config_of, error_of, run

SCRIPT = "compress_model.py"
ROWS = 40


@pytest.fixture(scope="module")
def export_dir(golden, tmp_path_factory):
    """A classifier of 3 labels; nobody writes to it."""
    folder = tmp_path_factory.mktemp("export")
    return exports.write(golden, folder, "classification")


@pytest.fixture
def eval_file(tmp_path, export_dir):
    """Records whose labels are right: what the classifier says."""
    rows = exports.classifier_rows(ROWS, 16, [0])
    inputs = {
        name: np.array([row[name] for row in rows], np.int32)
        for name in ("input_ids", "input_mask", "segment_ids")
    }
    labels = SavedModel(export_dir).compute(inputs)["logits"].argmax(axis=1)
    assert len(set(labels)) > 1
    for row, label in zip(rows, labels.tolist(), strict=True):
        row["label_ids"] = [label]
    path = tmp_path / "eval.tf_record"
    exports.write_records(
        path, kinds.find("classification").fields(16, 1), rows
    )
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


class Changed:
    """A runtime that adds to the SavedModel's logits."""

    def __init__(self, folder, change):
        self.model = SavedModel(folder)
        self.change = change

    def __call__(self, inputs):
        outputs = self.model.compute(inputs)
        return {**outputs, "logits": outputs["logits"] + self.change}


@pytest.fixture
def runtime(monkeypatch, export_dir):
    """Sets what the formats' runtimes give; none of them must be there."""

    def make(name, saved_model_dir, path, rows):
        assert saved_model_dir == export_dir
        for file in formats.FORMATS[name].files:
            with open(os.path.join(os.path.dirname(path), file), "w") as made:
                made.write("a model")

    def set_change(change):
        def open_model(name, path):
            with open(path) as file:
                assert file.read() == "a model"
            return Changed(export_dir, change)

        monkeypatch.setattr(formats, "open_model", open_model)

    monkeypatch.setattr(formats, "make", make)
    for name, form in formats.FORMATS.items():
        fake = form._replace(packages=[])
        monkeypatch.setitem(formats.FORMATS, name, fake)
    set_change(0.0)
    return set_change


def command(export_dir, eval_file, out, *args):
    return [
        f"--export_dir={export_dir}",
        f"--output_dir={out}",
        f"--eval_file={eval_file}",
        *args,
    ]


def compress(*args):
    """Does what the script does with these flags, in this process."""
    script.compress(config_of(script, *command(*args)))


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_all_formats_are_written_opened_and_measured(
    export_dir, eval_file, out
):
    for package in ("ai_edge_litert", "tf2onnx", "onnxruntime"):
        pytest.importorskip(package)
    # These weights are random: roundings tell their labels apart or not.
    args = ["--max_accuracy_drop=0.2"]
    run(SCRIPT, *command(export_dir, eval_file, out, *args))
    assert names_in(out) == {
        "model_float16.tflite",
        "model_int8.tflite",
        "model.onnx",
        "compression.md",
        "compression.json",
        "assets",
    }
    assert names_in(out / "assets") == {
        "bert_config.json",
        "labels.txt",
        "task.json",
        "vocab.txt",
    }
    measured = json.loads((out / "compression.json").read_text())
    assert (measured["measure"], measured["rows"]) == ("eval_accuracy", ROWS)
    original, *others = measured["figures"]
    assert original["name"] == "saved_model"
    assert original["accuracy"] == 1
    for one in others:
        file = out / formats.FORMATS[one["name"]].file
        assert one["bytes"] == file.stat().st_size
        assert one["accuracy"] >= 0.8
        assert one["milliseconds"] > 0
    differences = {one["name"]: one["difference"] for one in others}
    assert 0 < differences["onnx"] < 1e-4 < differences["litert_float16"] < 1e-2
    assert differences["litert_float16"] < differences["litert_int8"] < 0.5
    lines = (out / "compression.md").read_text().splitlines()
    assert len(lines) == 2 + 4


def test_only_the_formats_that_are_asked_for(
    export_dir, eval_file, out, runtime
):
    compress(export_dir, eval_file, out, "--formats=onnx")
    assert names_in(out) == {
        "model.onnx",
        "compression.md",
        "compression.json",
        "assets",
    }


def test_formats_are_calibrated_with_rows_of_another_file(
    tmp_path, export_dir, eval_file, out, runtime, monkeypatch
):
    few = tmp_path / "train.tf_record"
    fields = kinds.find("classification").fields(16, 1)
    exports.write_records(few, fields, exports.classifier_rows(3, 16, [0]))
    seen, make = [], formats.make

    def counting(name, export_dir, path, rows):
        seen.append(sum(len(batch["input_ids"]) for batch in rows))
        make(name, export_dir, path, rows)

    monkeypatch.setattr(formats, "make", counting)
    args = export_dir, eval_file, out, "--formats=openvino_int8"
    compress(*args)
    compress(*args, f"--calibration_file={few}", "--overwrite")
    assert seen == [ROWS, 3]


def test_a_model_whose_accuracy_falls_is_refused(
    tmp_path, export_dir, eval_file, out, runtime
):
    runtime(np.array([1e3, 0, 0], np.float32))  # all rows are label 0
    before = sorted(tmp_path.rglob("*"))
    args = export_dir, eval_file, out, "--formats=litert_int8"
    with pytest.raises(UserError, match=r"litert_int8 .*--max_accuracy_drop"):
        compress(*args)
    assert sorted(tmp_path.rglob("*")) == before
    compress(*args, "--max_accuracy_drop=1")
    measured = json.loads((out / "compression.json").read_text())
    assert measured["figures"][1]["accuracy"] < 0.9


def test_the_least_fall_is_refused_where_none_is_allowed(
    export_dir, eval_file, out, runtime
):
    # Enough for the row that the classifier is least sure of.
    logits = SavedModel(export_dir).compute(exports.batch(ROWS, 16))["logits"]
    second, first = np.sort(logits, axis=1)[:, 1:].T
    row = int(np.argmin(first - second))
    change = np.zeros(3, np.float32)
    change[np.argsort(logits[row])[1]] = (first - second)[row] * 1.01 + 1e-5
    labels = logits.argmax(axis=1)
    count = int(np.sum((logits + change).argmax(axis=1) != labels))
    assert 1 <= count < ROWS / 4
    runtime(change)
    args = export_dir, eval_file, out, "--formats=litert_int8"
    with pytest.raises(UserError, match="is refused: its eval_accuracy"):
        compress(*args, "--max_accuracy_drop=0")
    compress(*args, f"--max_accuracy_drop={count / ROWS}")


@pytest.mark.parametrize("change", [0.5, np.nan])
def test_a_model_that_says_something_else_is_refused(
    tmp_path, export_dir, eval_file, out, runtime, change
):
    # The accuracy is the same: all logits change alike.
    runtime(np.float32(change))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="onnx is refused: its outputs differ"):
        compress(export_dir, eval_file, out, "--formats=onnx")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_was_written_is_replaced_only_if_asked(
    export_dir, eval_file, out, runtime
):
    compress(export_dir, eval_file, out)
    args = export_dir, eval_file, out, "--formats=onnx"
    with pytest.raises(UserError, match=r"holds models .*\(--overwrite\)"):
        compress(*args)
    assert "model_int8.tflite" in names_in(out)
    compress(*args, "--overwrite")
    assert "model_int8.tflite" not in names_in(out)
    (out / "assets/mine.txt").touch()
    with pytest.raises(UserError, match=r"a folder with assets/mine\.txt"):
        compress(*args, "--overwrite")


def test_a_failure_leaves_what_was_there(
    export_dir, eval_file, out, runtime, monkeypatch
):
    compress(export_dir, eval_file, out)

    def fail(name, folder, path, rows):
        raise OSError("no space")

    monkeypatch.setattr(formats, "make", fail)
    with pytest.raises(OSError, match="no space"):
        compress(export_dir, eval_file, out, "--overwrite")
    assert "model.onnx" in names_in(out)
    assert names_in(out.parent) == {"eval.tf_record", "out"}


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("litert_int8", "ai_edge_litert", "litert"), ("onnx", "onnx", "onnx")],
)
def test_a_missing_package_is_one_line(
    export_dir, eval_file, out, monkeypatch, name, package, extra
):
    monkeypatch.setitem(sys.modules, package, None)
    needed = formats.FORMATS[name].packages[0]
    monkeypatch.setitem(sys.modules, needed, None)
    with pytest.raises(
        UserError,
        match=rf"{name} needs {package}, .*-r requirements-{extra}\.txt.*"
        r"\(--formats\)",
    ):
        compress(export_dir, eval_file, out, f"--formats={name}")
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--formats=onnx,tflite"], r"--formats must be some of .*'onnx,tfl"),
        (["--formats="], "--formats must be some of"),
        (["--formats=onnx,onnx"], "--formats must be some of"),
        (["--export_dir={}/nowhere"], r"there is no assets/task\.json"),
        (["--export_dir={}/raw"], r"takes text; name the folder that"),
        (["--export_dir={}/broken"], "Cannot load the SavedModel"),
        (["--export_dir={}/cut"], "Cannot load the SavedModel"),
        (["--export_dir={}/labels"], r"labels\.txt: expected the model's 3"),
        (["--eval_file={}/none"], "No file matches --eval_file"),
        (["--calibration_file={}/none"], "--calibration_file is for openvino_"),
        (
            ["--calibration_file={}/none", "--formats=openvino_int8"],
            "No file matches --calibration_file",
        ),
        (["--eval_file={}/words.txt"], r"words\.txt, record 1: the file is"),
        (["--output_dir={}/words.txt"], "must be a local folder"),
        (["--output_dir=gs://a/b"], "must be a local folder"),
        (["--output_dir={}/words.txt/out"], "cannot be made"),
        (["--output_dir={}/broken"], r"a folder with finge"),
        (["--output_dir={}/broken/out", "--export_dir={}/broken"], "not be in"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path, export_dir, eval_file, out, runtime, args, message
):
    make_wrong_folders(tmp_path, export_dir)
    before = sorted(tmp_path.rglob("*"))
    args = [arg.format(tmp_path) for arg in args]
    with pytest.raises(UserError, match=message) as caught:
        compress(export_dir, eval_file, out, *args)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def make_wrong_folders(folder, export_dir):
    """A file, a SavedModel of texts, and damaged exports."""
    (folder / "words.txt").write_text("not records\n" * 9)
    root = tf.Module()
    signature = tf.function(
        lambda text: {"length": tf.strings.length(text)},
        input_signature=[tf.TensorSpec([None], tf.string, "text")],
    )
    tf.saved_model.save(
        root, str(folder / "raw"), signatures={"serving_default": signature}
    )
    shutil.copytree(
        f"{export_dir}/assets", folder / "raw/assets", dirs_exist_ok=True
    )
    for name in ("broken", "cut", "labels"):
        shutil.copytree(export_dir, folder / name, dirs_exist_ok=True)
    (folder / "broken/saved_model.pb").write_bytes(b"\x12\x34")
    data = folder / "cut/variables/variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-4000])
    (folder / "labels/assets/labels.txt").write_text("a\nb\n")


def test_the_script_ends_in_one_line(tmp_path, eval_file, out):
    line = error_of(SCRIPT, *command(tmp_path, eval_file, out))
    assert "--export_dir must be a SavedModel" in line

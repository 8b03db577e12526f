"""Texts longer than max_seq_length, from the flags to the answers."""

import json
import random
import shutil

import numpy as np
import pytest

from bert import run_classifier as script
from bert import tokenization
from bert.errors import UserError
from bert.model_folder import model_files, task_files
from bert.modeling import checkpoint
from bert.serving import export
from bert.serving.predictor import Predictor
from tests.scripts import runner

WORDS = ["the", "tree", "vote", "was", "taken", "no", "text", "a", "is", "of"]
WINDOWS = ("--truncation=windows", "--doc_stride=3", "--max_windows=5")
LENGTHS = (1, 4, 9, 30)  # in words; S - 2 is 6


def text(number, words):
    return " ".join(random.Random(number).choices(WORDS, k=words))


def write(path, rows, label):
    """Writes a table whose texts are of LENGTHS, in turn."""
    lines = [
        f"{text(i, LENGTHS[i % len(LENGTHS)])}\t{label(i)}" for i in range(rows)
    ]
    path.write_text("\n".join(["text\tlabel", *lines, ""]))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for name, rows in (("train", 8), ("dev", 5), ("test", 6)):
        write(folder / f"{name}.tsv", rows, lambda i: "ab"[i % 3 % 2])
    return folder


def classify(golden, data, out, *args):
    """Does what the script does with these flags, in this process."""
    flags = (
        *runner.model_flags(golden, out),
        *(f"--data_dir={data}", "--task_name=tsv", "--max_seq_length=8"),
        *("--train_batch_size=4", "--random_seed=3", "--learning_rate=1e-3"),
        *("--noeval_report", *args),
    )
    script.classify(runner.config_of(script, *flags))


@pytest.fixture(scope="module")
def trained(golden, data, tmp_path_factory):
    """The output_dir of a training with windows, taken in parts."""
    out = tmp_path_factory.mktemp("run") / "out"
    classify(
        *(golden, data, out, *WINDOWS, "--do_train", "--do_eval"),
        *("--do_predict", "--num_train_epochs=2", "--save_checkpoints_steps=2"),
        "--gradient_accumulation_steps=2",
    )
    return out


def objects(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_text_has_one_prediction_in_its_place(data, trained):
    found = objects(trained / "predictions.jsonl")
    assert [each["id"] for each in found] == [f"test-{i}" for i in range(1, 7)]
    kept = task_files.read(str(trained / "task.json")).long_texts
    assert kept.flags() == " ".join([*WINDOWS, "--window_pooling=mean"])
    # All that use the folder read texts likewise.
    rows = (data / "test.tsv").read_text().splitlines()[1:]
    texts = [row.split("\t")[0] for row in rows]
    answers = Predictor.load(str(trained), batch_size=4).predict(texts)
    for answer, each in zip(answers, found, strict=True):
        assert answer["label"] == each["label"]
        for name, value in each["probabilities"].items():
            assert answer["probabilities"][name] == pytest.approx(
                value, abs=1e-6
            )


def test_what_is_behind_the_last_window_is_not_read(golden, trained):
    tokenizer = tokenization.FullTokenizer(golden / "inputs/vocab.txt")
    ids = tokenizer.encode(text(3, 30))
    predictor = Predictor.load(str(trained))
    [rows] = [predictor._inference.ask(predictor.request(text(3, 30))).rows]
    assert [row.ids[1:-1] for row in rows] == [
        ids[start : start + 6] for start in (0, 3, 6, 9, 12)
    ]


@pytest.mark.slow
def test_a_run_that_goes_on_ends_with_the_same_bits(
    golden, data, trained, tmp_path
):
    out = tmp_path / "out"
    out.mkdir()
    for path in trained.glob("model.ckpt-2.*"):
        shutil.copy(path, out)
    shutil.copy(trained / "resume.json", out)
    (out / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-2"\n')
    classify(
        *(golden, data, out, *WINDOWS, "--do_train", "--num_train_epochs=2"),
        "--gradient_accumulation_steps=2",
    )
    whole, again = (
        checkpoint.Reader(str(folder / "model.ckpt-4"))
        for folder in (trained, out)
    )
    for name in whole.shapes:
        np.testing.assert_array_equal(whole.read(name), again.read(name))


@pytest.mark.slow
def test_another_truncation_is_told(golden, data, trained, tmp_path, caplog):
    out = tmp_path / "out"
    init = f"--init_checkpoint={trained}"
    classify(golden, data, out, init, "--do_eval", "--truncation=middle")
    assert "trained with --truncation=windows --doc_stride=3" in caplog.text
    assert "this command reads texts with --truncation=middle" in caplog.text
    again = shutil.copytree(trained, tmp_path / "again")
    classify(golden, data, again, "--do_train", "--num_train_epochs=3")
    assert 'truncation ("windows" before, "end" now)' in caplog.text


def test_an_export_of_windows_is_refused(golden, data, trained, tmp_path):
    source = model_files.find(str(trained))
    out = tmp_path / "export"
    with pytest.raises(UserError, match=r"--truncation=windows, .* Predictor"):
        export.export(source, str(out))
    assert not out.exists()
    with pytest.raises(UserError, match="An export reads one sequence a text"):
        classify(golden, data, trained, "--do_export")


def test_pairs_are_refused_before_anything_is_written(golden, data, tmp_path):
    out, mrpc = tmp_path / "out", golden / "inputs/mrpc"
    with pytest.raises(
        UserError, match=r"single texts.* a pair, example train"
    ):
        classify(
            *(golden, mrpc, out, "--task_name=mrpc", "--do_train"),
            "--truncation=start",
        )
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        ("--label_type=regression", "--window_pooling=max"),
        ("--label_type=multi",),
    ],
)
def test_every_kind_of_label_goes_with_windows(golden, data, tmp_path, args):
    folder = tmp_path / "data"
    folder.mkdir()
    is_number = "regression" in args[0]
    for name in ("train", "dev", "test"):
        label = (lambda i: i % 4) if is_number else (lambda i: "ab"[i % 2])
        write(folder / f"{name}.tsv", 8, label)
    flags = ("--do_train", "--do_eval", "--do_predict", "--num_train_epochs=1")
    out = tmp_path / "out"
    windows = ("--truncation=windows", "--doc_stride=3")
    classify(golden, folder, out, *windows, *flags, *args, "--eval_report")
    found = objects(out / "predictions.jsonl")
    assert len(found) == len(objects(out / "dev_predictions.jsonl")) == 8
    rows = (folder / "test.tsv").read_text().splitlines()[1:]
    answers = Predictor.load(str(out)).predict(
        [row.split("\t")[0] for row in rows]
    )
    for answer, each in zip(answers, found, strict=True):
        value = answer.get("score", answer.get("labels", answer.get("label")))
        expected = each["label"]
        assert value == (
            pytest.approx(expected, abs=1e-5) if is_number else expected
        )


@pytest.mark.slow
@pytest.mark.parametrize("truncation", ["start", "middle"])
def test_a_raw_string_export_cuts_as_training_did(
    golden, data, tmp_path, truncation
):
    tf = pytest.importorskip("tensorflow")
    pytest.importorskip("tensorflow_text")
    out = tmp_path / "out"
    classify(
        *(golden, data, out, "--do_train", "--do_export"),
        *("--num_train_epochs=1", f"--truncation={truncation}"),
    )
    texts = [text(i, words) for i, words in enumerate((0, 1, 4, 9, 30))]
    answers = Predictor.load(str(out)).predict(texts)
    model = tf.saved_model.load(str(out / "export/raw_strings"))
    assert list(model.signatures) == ["serving_default"]
    found = model.signatures["serving_default"](tf.constant(texts))
    np.testing.assert_allclose(
        found["probabilities"],
        [list(answer["probabilities"].values()) for answer in answers],
        atol=1e-6,
    )
    ids = Predictor.load(str(out / "export")).predict(texts)
    assert [a["label"] for a in ids] == [a["label"] for a in answers]

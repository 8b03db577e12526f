import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from bert import run_classifier as script
from bert.errors import UserError
from bert.modeling import checkpoint
from bert.tasks import task_run
from tests import browser
from tests.scripts import runner
from tests.scripts.runner import ROOT, config_of

SCRIPT = "run_classifier.py"


@pytest.fixture
def command(golden, tmp_path):
    """The flags of a tiny model; output_dir is tmp_path/out."""
    return [
        *runner.model_flags(golden, tmp_path / "out"),
        "--max_seq_length=40",
    ]


@pytest.fixture
def trained(golden):
    """A model of the original's with three labels."""
    return f"--init_checkpoint={golden / 'train_classifier/model.ckpt-12'}"


def classify(*args):
    """Does what the script does with these flags, in this process."""
    script.classify(config_of(script, *args))


def figures(path):
    lines = path.read_text().splitlines()
    return dict(line.split(" = ") for line in lines)


def assert_close(ours, theirs):
    """The original's keys, its values; more may stand there."""
    for key, value in theirs.items():
        assert abs(float(ours[key]) - float(value)) <= 1e-5, key


def table(path):
    return np.loadtxt(path, delimiter="\t", ndmin=2)


def objects(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def reports_of(folder):
    """What a report's files are and hold."""
    files = (*folder.glob("eval_report*"), *folder.glob("dev_predictions*"))
    return {path.name: path.read_bytes() for path in files}


def test_mnli_gives_the_originals_figures_and_predictions(
    golden, command, trained, tmp_path, caplog
):
    caplog.set_level("INFO", logger="absl")
    data = shutil.copytree(golden / "inputs/mnli", tmp_path / "mnli")
    header, *rows = (data / "test_mismatched.tsv").read_text().splitlines()
    text = "".join(f"{row}\n" for row in [header, *rows[::-1]])
    (data / "test_mismatched.tsv").write_text(text)
    flags = [
        "--task_name=MNLI",
        f"--data_dir={data}",
        "--do_eval",
        "--do_predict",
        *command,
        trained,
    ]
    out, theirs = tmp_path / "out", golden / "classifier_records/mnli"

    classify("--glue_submission", *flags)
    found = figures(out / "eval_results.txt")
    expected = figures(theirs / "eval_results.txt")
    assert_close(found, expected)
    assert found.keys() - expected.keys() == {
        "mismatched_accuracy",
        "mismatched_loss",
    }
    for line in (
        f"Restoring parameters from {trained.partition('=')[2]}",
        "guid: dev_matched-0",
        "guid: dev_mismatched-0",
        "Saving dict for global step 0: eval_accuracy = "
        f"{found['eval_accuracy']}, eval_loss = {found['eval_loss']}, "
        f"global_step = 0, loss = {found['loss']}, mismatched_accuracy = "
        f"{found['mismatched_accuracy']}, mismatched_loss = "
        f"{found['mismatched_loss']}",
        "***** Running prediction*****",
        f"  Num examples = {len(rows)} ({len(rows)} actual, 0 padding)",
        "***** Predict results *****",
    ):
        assert line in caplog.messages
    assert found["mismatched_accuracy"] == found["eval_accuracy"]  # same rows
    assert found["mismatched_loss"] == found["eval_loss"]
    assert all(len(text) <= 11 for text in found.values())  # of float32
    results = table(theirs / "test_results.tsv")
    labels = script.processors["mnli"]().get_labels()
    # The second test set has the rows of the first backwards.
    for name, probabilities in (("", results), ("_mismatched", results[::-1])):
        np.testing.assert_allclose(
            table(out / f"test_results{name}.tsv"), probabilities, atol=1e-5
        )
        predictions = objects(out / f"predictions{name}.jsonl")
        for prediction, row in zip(predictions, probabilities, strict=True):
            assert list(prediction) == ["id", "label", "probabilities"]
            assert prediction["label"] == labels[np.argmax(row)]
            assert list(prediction["probabilities"]) == labels
    predicted = [labels[np.argmax(row)] for row in results]
    for name, order in (("MNLI-m", predicted), ("MNLI-mm", predicted[::-1])):
        assert (out / f"{name}.tsv").read_text().splitlines() == [
            "index\tprediction",
            *(f"{i}\t{label}" for i, label in enumerate(order)),
        ]

    for part in ("", "_mismatched"):
        report = json.loads((out / f"eval_report{part}.json").read_text())
        assert report["labels"] == labels
        assert report["right"] / report["rows"] == pytest.approx(
            float(found["eval_accuracy"])
        )
        assert report["results"]["eval_loss"] == float(found["eval_loss"])
        judged = objects(out / f"dev_predictions{part}.jsonl")
        assert len(judged) == report["rows"]
        page = (out / f"eval_report{part}.html").read_text()
        browser.check_html(page)
        line = f"Wrote the report on this evaluation: {out}/eval_report{part}"
        assert f"{line}.html" in caplog.messages
    before = reports_of(out)
    assert len(before) == 6

    # Sizes that do not divide the rows; without the mismatched sets.
    for name in ("dev_matched.tsv", "test_matched.tsv"):
        shutil.copy(golden / "inputs/mnli" / name, tmp_path)
    sizes = ["--eval_batch_size=4", "--predict_batch_size=2"]
    classify(*flags, *sizes, f"--data_dir={tmp_path}", "--noeval_report")
    assert reports_of(out) == before
    assert "mismatched_loss" not in figures(out / "eval_results.txt")
    assert_close(
        figures(out / "eval_results.txt"),
        figures(theirs / "eval_results_batch4.txt"),
    )
    np.testing.assert_allclose(
        table(out / "test_results.tsv"), results, atol=1e-5
    )


def test_records_are_used_again_where_they_would_be_the_same(
    command, trained, tmp_path, caplog
):
    caplog.set_level("INFO", logger="absl")
    dev = tmp_path / "dev.tsv"
    dev.write_text("text\tlabel\na text\ta\nno text\tb\n")
    records = tmp_path / "out/eval.tf_record"
    seen = []

    def evaluate(*flags):
        classify(
            "--task_name=tsv",
            "--labels=a,b,c",
            f"--dev_file={dev}",
            "--do_eval",
            *command,
            trained,
            *flags,
        )
        seen.append(records.stat().st_mtime_ns)
        return figures(tmp_path / "out/eval_results.txt")

    first = evaluate()
    caplog.clear()
    assert evaluate() == first
    assert seen[1] == seen[0]
    assert f"The records in {records} are used again" in caplog.text
    assert "guid: dev-1" in caplog.text  # shown all the same
    evaluate("--max_seq_length=39")
    evaluate("--nodo_lower_case", "--max_seq_length=39")
    dev.write_text(dev.read_text().replace("no text", "one text"))
    evaluate("--nodo_lower_case", "--max_seq_length=39")
    assert len(set(seen)) == 4
    # What is there is no reason not to look at the file.
    dev.write_text(dev.read_text().replace("\tb", "\td"))
    with pytest.raises(UserError, match="line 3"):
        evaluate("--nodo_lower_case", "--max_seq_length=39")


def test_xnli_gives_the_originals_figures(golden, command, trained, tmp_path):
    data_dir = golden / "inputs/xnli"
    with pytest.raises(UserError, match="no test set"):  # once it is evaluated
        classify(
            "--task_name=xnli",
            f"--data_dir={data_dir}",
            "--do_eval",
            "--do_predict",
            *command,
            trained,
        )
    assert_close(
        figures(tmp_path / "out/eval_results.txt"),
        figures(golden / "classifier_records/xnli/eval_results.txt"),
    )
    assert not (tmp_path / "out/labels.txt").exists()  # nothing was trained


def test_ax_is_predicted_and_judged_by_mnlis_model(
    golden, command, trained, tmp_path
):
    (tmp_path / "diagnostic.tsv").write_text(
        "index\tsentence1\tsentence2\tlabel\n"
        "0\tNo vote was taken.\tThe committee voted twice.\tneutral\n"
        "1\tThe tree.\tThe first tree.\tentailment\n"
    )
    classify(
        "--task_name=ax",
        f"--data_dir={tmp_path}",
        "--do_eval",
        "--do_predict",
        "--glue_submission",
        *command,
        trained,
    )
    found = figures(tmp_path / "out/eval_results.txt")
    assert -1 <= float(found["matthews_correlation"]) <= 1
    lines = (tmp_path / "out/AX.tsv").read_text().splitlines()
    assert len(lines) == 3


def write(path, *rows):
    path.write_text("".join("\t".join(row) + "\n" for row in rows))


TEXTS = [
    ("The committee voted twice.", "yes"),
    ("No vote was taken.", "no"),
    ("Plants open their pores only at night and in dry places.", "yes"),
    ("The tree.", "no"),
    ("Everyone knew how to cook it!", "yes"),
]


def test_own_texts_are_learned_and_predicted_by_the_labels_kept(
    golden, command, tmp_path
):
    out = tmp_path / "out"
    header = ("sentence", "answer")
    for name in ("train", "dev"):
        write(tmp_path / f"{name}.tsv", header, *TEXTS)
    write(tmp_path / "test.tsv", header[:1], *[(t,) for t, _ in TEXTS])
    flags = [
        "--task_name=tsv",
        f"--data_dir={tmp_path}",
        "--text_column=sentence",
        "--label_column=answer",
        "--do_predict",
        "--predictions_text",
        *command,
    ]
    classify(
        "--do_train",
        "--do_eval",
        f"--init_checkpoint={golden / 'model_base'}",
        "--train_batch_size=5",
        "--num_train_epochs=40",
        "--learning_rate=1e-3",
        "--class_weights=balanced",
        "--random_seed=1",
        "--eval_steps=20",
        "--save_best=macro_f1",
        *flags,
    )
    assert (out / "labels.txt").read_text() == "no\nyes\n"
    found = figures(out / "eval_results.txt")
    assert set(found) == {
        "eval_accuracy",
        "eval_loss",
        "global_step",
        "loss",
        "macro_f1",
    }
    assert (found["eval_accuracy"], found["macro_f1"]) == ("1.0", "1.0")
    best = int(found["global_step"])
    assert (out / f"best/model.ckpt-{best}.index").exists()
    predictions = objects(out / "predictions.jsonl")
    assert [(p["text_a"], p["label"]) for p in predictions] == TEXTS

    # Again by the model alone: no training set, no flag for the labels.
    (tmp_path / "train.tsv").unlink()
    classify(
        "--predict_batch_size=3",
        "--save_best=macro_f1",
        "--eval_steps=1",
        *flags,
    )
    again = objects(out / "predictions.jsonl")
    for one, other in zip(predictions, again, strict=True):
        assert one["probabilities"] == pytest.approx(
            other["probabilities"], abs=1e-5
        )


def test_several_labels_and_pairs_from_json(golden, command, tmp_path):
    out = tmp_path / "out"
    rows = [
        {"q": "No vote.", "a": "It was taken.", "label": ["short", "vote"]},
        {"q": "The tree.", "a": "The tree.", "label": ["short"]},
        {"q": "Everyone knew.", "a": "how to cook it", "label": []},
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    classify(
        "--task_name=jsonl",
        f"--train_file={path}",
        f"--dev_file={path}",
        f"--test_file={path}",
        "--text_column=q",
        "--pair_column=a",
        "--id_column=q",
        "--label_type=multi",
        "--class_weights=short:1,vote:2",
        "--do_train",
        "--do_eval",
        "--do_predict",
        f"--init_checkpoint={golden / 'model_base'}",
        "--train_batch_size=3",
        "--num_train_epochs=40",
        "--learning_rate=1e-3",
        "--random_seed=1",
        *command,
    )
    found = figures(out / "eval_results.txt")
    assert found["eval_accuracy"] == found["micro_f1"] == "1.0"
    predictions = objects(out / "predictions.jsonl")
    assert [p["label"] for p in predictions] == [r["label"] for r in rows]
    assert [p["id"] for p in predictions] == [r["q"] for r in rows]
    judged = objects(out / "dev_predictions.jsonl")
    assert [row["prediction"] for row in judged] == [r["label"] for r in rows]
    assert [row["text_b"] for row in judged] == [r["a"] for r in rows]
    assert "eval_report.html" in reports_of(out)
    # Each label's probability is its own: they need not add up to 1.
    assert table(out / "test_results.tsv").sum(axis=1).max() > 1.5


def test_sts_b_learns_numbers(golden, command, tmp_path):
    out = tmp_path / "out"
    header = ("index", "sentence1", "sentence2", "score")
    rows = [
        ("0", "The tree.", "The tree.", "5.000"),
        ("1", "No vote was taken.", "The committee voted twice.", "1.2"),
        ("2", "Everyone knew.", "Plants open their pores.", "0"),
    ]
    for name in ("train", "dev"):
        write(tmp_path / f"{name}.tsv", header, *rows)
    write(tmp_path / "test.tsv", header[:3], *(row[:3] for row in rows))
    classify(
        "--task_name=STS-B",
        f"--data_dir={tmp_path}",
        "--do_train",
        "--do_eval",
        "--do_predict",
        "--glue_submission",
        f"--init_checkpoint={golden / 'model_base'}",
        "--train_batch_size=3",
        "--num_train_epochs=30",
        "--learning_rate=2e-3",
        "--random_seed=1",
        *command,
    )
    found = figures(out / "eval_results.txt")
    metrics = {"mean_squared_error", "pearson", "spearman"}
    assert set(found) == {"eval_loss", "global_step", "loss"} | metrics
    assert float(found["pearson"]) > 0.9
    assert float(found["mean_squared_error"]) == pytest.approx(
        float(found["eval_loss"]), abs=1e-5
    )
    assert not (out / "labels.txt").exists()
    assert "eval_report.html" in reports_of(out)
    report = json.loads((out / "eval_report.json").read_text())
    assert report["points"]["gold"] == [5.0, 1.2, 0.0]
    assert report["curves"]["loss"]["steps"] == [30]
    scores = table(out / "test_results.tsv")
    assert scores.shape == (3, 1)
    sent = np.loadtxt(out / "STS-B.tsv", delimiter="\t", skiprows=1)
    np.testing.assert_allclose(
        sent[:, 1], np.clip(scores[:, 0], 0, 5), atol=1e-3
    )
    shapes = checkpoint.Reader(str(out)).shapes
    assert shapes["cls/regression/output_weights"] == (1, 32)


def test_a_task_of_ones_own_in_python(
    command, trained, tmp_path, monkeypatch, caplog
):
    class Mine(script.DataProcessor):
        def get_dev_examples(self, data_dir):
            return [
                script.InputExample("mine-1", text, label=label)
                for text, label in TEXTS
            ]

        def get_labels(self):
            return ["yes", "no", "maybe"]

    monkeypatch.setitem(script.processors, "mine", Mine)
    with caplog.at_level("INFO", logger="absl"):
        classify(
            "--task_name=mine", "--data_dir=/x", "--do_eval", *command, trained
        )
    assert "eval_accuracy" in figures(tmp_path / "out/eval_results.txt")
    for line in (
        "guid: mine-1",
        "label: no (id = 1)",
        "***** Running evaluation *****",
        "  Num examples = 5 (5 actual, 0 padding)",
        "  Batch size = 8",
        "***** Eval results *****",
    ):
        assert line in caplog.messages


def test_training_weighs_labels_and_counts_examples_as_told(
    command, tmp_path, monkeypatch
):
    seen = {}

    def train(task, source, make_evaluate):
        seen.update(model=task.make_model(3), num_examples=task.num_examples)

    monkeypatch.setattr(task_run, "train", train)
    write(tmp_path / "train.tsv", ("text", "label"), *TEXTS)
    flags = [
        "--task_name=tsv",
        f"--data_dir={tmp_path}",
        "--do_train",
        "--train_batch_size=5",
        *command,
    ]
    classify("--class_weights=no:2.5,yes:0.5", *flags)
    assert seen["model"].label_weights == (2.5, 0.5)
    assert seen["num_examples"] == 5
    classify("--class_weights=balanced", "--labels=yes,no", *flags)
    assert seen["model"].label_weights == (5 / (2 * 3), 5 / (2 * 2))
    assert (tmp_path / "out/labels.txt").read_text() == "yes\nno\n"


def test_what_people_import_is_there():
    for name in (
        "BasicTokenizer",
        "ColaProcessor",
        "DataProcessor",
        "FullTokenizer",
        "InputExample",
        "MnliProcessor",
        "MrpcProcessor",
        "WordpieceTokenizer",
        "XnliProcessor",
    ):
        assert hasattr(script, name)


def test_the_manuals_task_in_python_runs_from_a_shell(
    golden, command, tmp_path
):
    """As docs/classification.md shows it, in a file of one's own."""
    manual = (ROOT / "docs/classification.md").read_text()
    (code,) = re.findall("```python\n(.*?)```", manual, re.DOTALL)
    (tmp_path / "reviews.py").write_text(code)
    for name in ("train", "dev"):
        rows = [("good" if yes == "yes" else "bad", t) for t, yes in TEXTS]
        write(tmp_path / f"{name}.tsv", *rows)
    done = subprocess.run(
        [
            sys.executable,
            tmp_path / "reviews.py",
            "--task_name=Reviews",
            f"--data_dir={tmp_path}",
            "--do_train=true",
            "--do_eval=true",
            *command,
            f"--init_checkpoint={golden / 'model_base/bert_model.ckpt'}",
            "--train_batch_size=4",
            "--num_train_epochs=2.5",
            "--do_lower=True",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in (
        "***** Running training *****",
        "  Num examples = 5",
        "  Num steps = 3",
        "  name = output_bias, shape = (2,)",
        "  name = bert/pooler/dense/kernel, shape = (32, 32), *INIT_FROM_CKPT*",
        "  global_step = 3",
    ):
        assert line in done.stderr
    assert "f1" in figures(tmp_path / "out/eval_results.txt")
    assert (tmp_path / "out/labels.txt").read_text() == "bad\ngood\n"


@pytest.mark.slow
def test_one_file_is_what_a_file_of_each_set_is(golden, command, tmp_path):
    """The rows that are held out, and the others, as two files; then folds."""
    rows = [(f"{text} {n}", label) for n in range(6) for text, label in TEXTS]
    write(tmp_path / "own.tsv", ("sentence", "answer"), *rows)
    flags = [
        "--do_train",
        "--do_eval",
        f"--init_checkpoint={golden / 'model_base'}",
        "--train_batch_size=5",
        "--num_train_epochs=2",
        "--random_seed=1",
        *command,
    ]
    one = tmp_path / "one"
    own = f"--train_file={tmp_path / 'own.tsv'}"
    classify(own, "--dev_fraction=0.2", *flags, f"--output_dir={one}")
    kept = json.loads((one / "split.json").read_text())
    (held_out,) = kept["held_out"]
    assert len(held_out) == 6
    for name, is_dev in (("train", False), ("dev", True)):
        numbered = enumerate(rows, start=1)
        part = [row for n, row in numbered if (n in held_out) == is_dev]
        write(tmp_path / f"{name}.tsv", ("text", "label"), *part)
    classify("--task_name=tsv", f"--data_dir={tmp_path}", *flags)
    results = (one / "eval_results.txt").read_bytes()
    assert (tmp_path / "out/eval_results.txt").read_bytes() == results
    # Later, too.
    (one / "eval_results.txt").unlink()
    again = [flag for flag in flags if flag != "--do_train"]
    classify(own, "--dev_fraction=0.2", *again, f"--output_dir={one}")
    assert (one / "eval_results.txt").read_bytes() == results

    folds = tmp_path / "folds"
    classify(own, "--folds=2", *flags, f"--output_dir={folds}")
    found = json.loads((folds / "folds.json").read_text())
    for name in ("fold_1", "fold_2"):
        accuracy = figures(folds / name / "eval_results.txt")["eval_accuracy"]
        assert found["figures"][name]["eval_accuracy"] == float(accuracy)
        assert (folds / name / "labels.txt").read_text() == "no\nyes\n"
    times = [path.stat().st_mtime for path in folds.rglob("*")]
    classify(own, "--folds=2", *flags, f"--output_dir={folds}")
    assert [path.stat().st_mtime for path in folds.rglob("*")] == times

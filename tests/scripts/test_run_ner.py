import json
import shutil

import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.tasks.tagging import metrics
from tests import browser
from tests.scripts import toy_tagging
from tests.scripts.toy_tagging import LABELS, model_flags, read_blocks, tag

NUM_STEPS = 60


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data_dir with 10 test sentences, of which some need two windows."""
    folder = tmp_path_factory.mktemp("data")
    for name, number in (("train", 160), ("dev", 40)):
        words = toy_tagging.sentences(number, seed=number, longest=14)
        (folder / f"{name}.txt").write_text(toy_tagging.conll_text(words))
    words = toy_tagging.sentences(10, seed=10, longest=30)
    (folder / "test.txt").write_text(toy_tagging.conll_text(words))
    (folder / "words.txt").write_text(
        toy_tagging.conll_text(words, with_labels=False)
    )
    return folder


@pytest.fixture(scope="module")
def trained(golden, data, tmp_path_factory):
    """The output_dir of a command that did all that the script can."""
    out = tmp_path_factory.mktemp("trained")
    tag(*training_flags(golden, data, out), "--do_eval", "--do_predict")
    return out


def training_flags(golden, data, out):
    return [
        *model_flags(golden, out),
        f"--data_dir={data}",
        "--do_train",
        "--train_batch_size=16",
        "--learning_rate=3e-3",
        "--learning_rate_schedule=linear",
        "--adam_bias_correction",
        f"--num_train_epochs={NUM_STEPS / 10}",
        "--save_checkpoints_steps=40",
        "--eval_steps=30",
        "--save_best=f1",
    ]


@pytest.fixture
def model(trained, tmp_path):
    """A copy of the trained output_dir, without what was made from it."""
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    for name in ("eval_results.txt", "test_predictions.txt"):
        (out / name).unlink()
    return out


def figures(out):
    lines = (out / "eval_results.txt").read_text().splitlines()
    return dict(line.split(" = ") for line in lines)


def predictions(out):
    """Returns the predicted labels of each sentence."""
    blocks = read_blocks(out / "test_predictions.txt")
    return [[row[-1] for row in rows] for rows in blocks]


def json_lines(out):
    lines = (out / "predictions.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_tiny_model_learns_to_tag(trained):
    results = figures(trained)
    assert list(results) == [
        "eval_accuracy",
        "eval_loss",
        "f1",
        "global_step",
        "loss",
        "precision",
        "recall",
    ]
    assert float(results["f1"]) > 0.98
    assert float(results["eval_loss"]) < 0.2
    assert (trained / "labels.txt").read_text().splitlines() == LABELS
    assert (trained / "best/checkpoint").exists()


def test_the_report_has_the_figures_of_the_results(trained, data):
    report = json.loads((trained / "eval_report.json").read_text())
    results = figures(trained)
    for name in ("precision", "recall", "f1"):
        assert report["all"][name] == pytest.approx(float(results[name]))
    lines = (trained / "dev_predictions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    gold = [[row[1] for row in rows] for rows in read_blocks(data / "dev.txt")]
    assert [row["gold"] for row in rows] == gold
    wrong = metrics.metrics(gold, [row["predicted"] for row in rows], LABELS)
    assert wrong["f1"] == pytest.approx(float(results["f1"]))
    browser.check_html((trained / "eval_report.html").read_text())


def test_predictions_are_the_files_words_in_conll_form(trained, data):
    given = read_blocks(data / "test.txt")
    written = read_blocks(trained / "test_predictions.txt")
    assert [[row[:2] for row in rows] for rows in written] == given
    assert any(len(rows) > 14 for rows in given)  # so more than a window
    gold = [[row[1] for row in rows] for rows in given]
    figures = metrics.metrics(gold, predictions(trained), LABELS)
    assert figures["f1"] > 0.98


def test_json_lines_say_the_same(trained, data):
    sentences = json_lines(trained)
    assert [s["id"] for s in sentences] == [f"test-{i}" for i in range(10)]
    assert [s["labels"] for s in sentences] == predictions(trained)
    assert [s["tokens"] for s in sentences] == [
        [row[0] for row in rows] for rows in read_blocks(data / "test.txt")
    ]
    for s in sentences:
        assert len(s["probabilities"]) == len(s["tokens"])
        assert all(1 / 3 < p <= 1 for p in s["probabilities"])


def test_words_alone_are_predicted_alike_at_any_batch_size(
    golden, data, trained, model
):
    tag(
        *model_flags(golden, model),
        "--do_predict",
        "--save_best=f1",
        "--eval_steps=30",
        f"--test_file={data / 'words.txt'}",
        "--predict_batch_size=3",
    )
    assert predictions(model) == predictions(trained)
    written = read_blocks(model / "test_predictions.txt")
    assert [[row[:1] for row in rows] for rows in written] == (
        read_blocks(data / "words.txt")
    )
    for mine, theirs in zip(
        json_lines(model), json_lines(trained), strict=True
    ):
        assert mine["probabilities"] == pytest.approx(
            theirs["probabilities"], abs=1e-5
        )


@pytest.mark.parametrize("with_flag", [False, True])
def test_a_model_elsewhere_is_evaluated_with_its_labels(
    golden, data, trained, tmp_path, with_flag
):
    init = trained / "best"
    if not with_flag:
        (index,) = init.glob("*.index")
        init = init / index.stem
        # Left by a run that failed, so of no model.
        (tmp_path / "out").mkdir()
        (tmp_path / "out/labels.txt").write_text("\n".join(LABELS[::-1]))
    (tmp_path / "labels").write_text("\n".join(LABELS))
    flags = [f"--labels={tmp_path / 'labels'}"] if with_flag else []
    tag(
        *model_flags(golden, tmp_path / "out"),
        f"--init_checkpoint={init}",
        *flags,
        "--do_eval",
        f"--dev_file={data / 'dev.txt'}",
        "--eval_batch_size=7",
    )
    results, expected = figures(tmp_path / "out"), figures(trained)
    assert results.pop("global_step") == "0"
    for name, value in results.items():
        if name != "loss":  # it depends on the batches
            assert float(value) == pytest.approx(float(expected[name]))


def test_a_run_that_resumes_ends_with_the_same_bits(
    golden, data, trained, model
):
    for path in model.glob(f"model.ckpt-{NUM_STEPS}.*"):
        path.unlink()
    (model / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-40"')
    (model / "labels.txt").write_bytes((trained / "labels.txt").read_bytes())
    tag(*training_flags(golden, data, model), "--random_seed=1")
    assert tf.train.latest_checkpoint(str(model)).endswith(f"-{NUM_STEPS}")
    mine = checkpoint.Reader(str(model))
    theirs = checkpoint.Reader(str(trained))
    assert set(mine.shapes) == set(theirs.shapes)
    for name in mine.shapes:
        assert mine.read(name).tobytes() == theirs.read(name).tobytes()


def test_parts_of_speech_have_no_entities(golden, model, tmp_path):
    (model / "labels.txt").unlink()
    (tmp_path / "dev.txt").write_text("1\tthe\tDT\n2\tof\tIN\n")
    tag(
        *model_flags(golden, model),
        f"--data_dir={tmp_path}",
        "--token_column=1",
        "--labels=DT,NN,IN",
        "--do_eval",
    )
    names = ["eval_accuracy", "eval_loss", "global_step", "loss", "macro_f1"]
    assert list(figures(model)) == names

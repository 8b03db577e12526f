"""run_multiple_choice.py, and what is done with the model it leaves."""

import json
import random

import numpy as np
import pytest
import tensorflow as tf

from bert import run_multiple_choice as script
from bert.errors import UserError
from bert.model_folder.given import Given
from bert.serving.predictor import Predictor
from tests import browser
from tests.conversion.hf_folder import convert
from tests.scripts.runner import config_of, error_of, run
from tests.scripts.toy_tagging import model_flags

SCRIPT = "run_multiple_choice.py"
WORDS = ("lake", "river", "wood", "house")


def questions(number, seed):
    """Which choice is the boat? Some rows have only two."""
    rng = random.Random(seed)
    for row in range(number):
        choices = rng.sample(WORDS, 4 if row % 3 else 2)
        label = rng.randrange(len(choices))
        text = f"the {rng.choice(WORDS)}"
        choices[label] = "boat"
        yield text, choices, label


def write_csv(path, number, seed):
    lines = ["text,a,b,c,d,label"]
    for text, choices, label in questions(number, seed):
        cells = [*choices, "", ""][:4]
        lines.append(",".join([text, *cells, "ABCD"[label]]))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for seed, (name, number) in enumerate(
        {"train": 240, "dev": 32, "test": 7}.items()
    ):
        write_csv(folder / f"{name}.csv", number, seed)
    return folder


def choose(*args):
    """Does what the script does with these flags, in this process."""
    script.finetune.run(script.MultipleChoice(config_of(script, *args)))


def training_flags(golden, data, out):
    return [
        *model_flags(golden, out),
        "--task_name=csv",
        f"--data_dir={data}",
        "--choice_columns=a,b,c,d",
        "--do_train",
        "--train_batch_size=16",
        "--learning_rate=3e-3",
        "--learning_rate_schedule=linear",
        "--adam_bias_correction",
        "--num_train_epochs=8",
        "--save_checkpoints_steps=60",
    ]


@pytest.fixture(scope="module")
def trained(golden, data, tmp_path_factory):
    """The output_dir of a command that did all that the script can."""
    out = tmp_path_factory.mktemp("trained")
    choose(
        *training_flags(golden, data, out),
        *("--do_eval", "--do_predict", "--do_export", "--eval_steps=60"),
        "--save_best=eval_accuracy",
    )
    return out


@pytest.fixture(scope="module")
def requests():
    return [
        {"text": text, "choices": choices}
        for text, choices, _ in questions(7, 2)
    ]


def figures(out):
    lines = (out / "eval_results.txt").read_text().splitlines()
    return {k: float(v) for k, v in (line.split(" = ") for line in lines)}


def test_a_tiny_model_learns_to_choose(trained):
    found = figures(trained)
    assert set(found) == {"eval_accuracy", "eval_loss", "loss", "global_step"}
    assert found["eval_accuracy"] > 0.9


def test_the_report_has_the_figures_of_the_results(trained):
    report = json.loads((trained / "eval_report.json").read_text())
    accuracy = report["right"] / report["rows"]
    assert accuracy == pytest.approx(figures(trained)["eval_accuracy"])
    lines = (trained / "dev_predictions.jsonl").read_text().splitlines()
    right = [row["gold"] == row["prediction"] for row in map(json.loads, lines)]
    assert (sum(right), len(right)) == (report["right"], report["rows"])
    assert report["curves"]["loss"]["steps"]
    browser.check_html((trained / "eval_report.html").read_text())


def test_predictions_are_written_in_both_forms(trained):
    rows = [
        list(map(float, line.split("\t")))
        for line in (trained / "test_results.tsv").read_text().splitlines()
    ]
    lines = (trained / "predictions.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert [each["id"] for each in answers] == [
        f"test-{i}" for i in range(1, 8)
    ]
    for row, answer, (_, choices, _) in zip(
        rows, answers, questions(7, 2), strict=True
    ):
        assert answer["probabilities"] == row[: len(choices)]
        assert row[len(choices) :] == [0.0] * (4 - len(choices))
        assert sum(row) == pytest.approx(1, abs=1e-5)
        assert answer["choice"] == int(np.argmax(row))


def test_the_model_answers_as_the_run_did(trained, requests):
    """From its folder and as an export, whatever shares a batch."""
    expected = [
        json.loads(line)["probabilities"]
        for line in (trained / "predictions.jsonl").read_text().splitlines()
    ]
    for folder in (trained, trained / "export"):
        found = Predictor.load(str(folder), batch_size=3).predict(requests)
        for answer, own in zip(found, expected, strict=True):
            np.testing.assert_allclose(
                answer["probabilities"], own, rtol=0, atol=1e-5
            )
            assert answer["choice"] == int(np.argmax(own))


def test_predict_answers_lines_of_json(trained, requests, tmp_path):
    path = tmp_path / "lines"
    path.write_text("".join(json.dumps(each) + "\n" for each in requests))
    flag = f"--model_dir={trained}"
    done = run(
        "predict.py", flag, f"--input_file={path}", "--input_format=jsonl"
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expected = Predictor.load(str(trained)).predict(requests)
    assert [a["choice"] for a in answers] == [a["choice"] for a in expected]


def test_a_model_goes_to_hugging_face_and_comes_back(
    trained, requests, tmp_path
):
    there = convert(trained, tmp_path / "hf")
    config = json.loads((there / "config.json").read_text())
    assert config["architectures"] == ["BertForMultipleChoice"]
    back = convert(there, tmp_path / "back")
    found = Predictor.load(str(back)).predict(requests)
    assert found == Predictor.load(str(trained)).predict(requests)


def test_without_task_json_a_head_of_one_is_no_choice(trained, tmp_path):
    (tmp_path / "m").mkdir()
    for path in trained.iterdir():
        if path.is_file() and path.name != "task.json":
            (tmp_path / "m" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="labels"):
        Predictor.load(str(tmp_path / "m"), given=Given(do_lower_case=True))


def test_a_run_that_resumes_ends_with_the_same_bits(
    golden, data, trained, tmp_path
):
    out = tmp_path / "out"
    out.mkdir()
    for path in trained.glob("model.ckpt-60.*"):
        (out / path.name).write_bytes(path.read_bytes())
    (out / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-60"')
    choose(*training_flags(golden, data, out))
    name = "model.ckpt-120.data-00000-of-00001"
    assert (out / name).read_bytes() == (trained / name).read_bytes()


def test_a_saved_model_has_the_specs_outputs(trained):
    saved = tf.saved_model.load(str(trained / "export"))
    function = saved.signatures["serving_default"]
    ids = tf.ones([3, 5], tf.int32)
    outputs = function(input_ids=ids, input_mask=ids, segment_ids=ids * 0)
    assert {k: tuple(v.shape) for k, v in outputs.items()} == {"logits": (3, 1)}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--task_name=csv"], "Expected --choice_columns"),
        (["--task_name=swag", "--data_dir=/nowhere"], "/nowhere/train.csv"),
    ],
)
def test_a_mistake_is_one_line(golden, tmp_path, args, expected):
    line = error_of(
        SCRIPT, *model_flags(golden, tmp_path / "out"), "--do_train", *args
    )
    assert expected in line
    assert not (tmp_path / "out").exists()

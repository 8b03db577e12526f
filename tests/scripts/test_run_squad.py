import itertools
import json
import shutil

import pytest

from bert import run_squad as script
from bert.data.records import input_pipeline, record_bytes
from bert.data.records.fields import Field
from bert.modeling import checkpoint
from bert.tasks import finetune
from bert.tasks.squad import metrics
from bert.tasks.squad.finetuning import Squad
from tests import browser
from tests.modeling import checkpoints
from tests.scripts.runner import config_of, run
from tests.tasks.squad.test_windows import records_of

SCRIPT = "run_squad.py"
# The golden runs' settings.
SETTINGS = ("--max_seq_length=48", "--doc_stride=16", "--max_query_length=12")
FILES = ("predictions", "nbest_predictions", "null_odds")


@pytest.fixture(scope="module")
def model_flags(golden):
    return [
        f"--vocab_file={golden / 'inputs/vocab.txt'}",
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        *SETTINGS,
    ]


@pytest.fixture(scope="module")
def golden_flags(golden, model_flags):
    """The golden run's flags, less --output_dir."""
    return [
        *model_flags,
        "--do_predict",
        f"--predict_file={golden / 'inputs/squad/dev-v2.0.json'}",
        f"--init_checkpoint={golden / 'train_squad/model.ckpt-12'}",
        "--version_2_with_negative",
    ]


@pytest.fixture(scope="module")
def golden_run(golden_flags, tmp_path_factory):
    """The folder of the golden run's results, made anew."""
    out = tmp_path_factory.mktemp("golden") / "out"
    find_answers(*golden_flags, f"--output_dir={out}")
    return out


@pytest.fixture
def command(model_flags, tmp_path):
    """What every run needs; output_dir is tmp_path/out."""
    return [*model_flags, f"--output_dir={tmp_path / 'out'}"]


@pytest.fixture
def predict_v2(golden_flags, tmp_path):
    """The golden run's flags; output_dir is tmp_path/out."""
    return [*golden_flags, f"--output_dir={tmp_path / 'out'}"]


def find_answers(*args):
    """Does what the script does with these flags, in this process."""
    finetune.run(Squad(config_of(script, *args)))


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def eval_results(folder):
    lines = (folder / "eval_results.txt").read_text().splitlines()
    assert lines == sorted(lines)
    return {k: float(v) for k, v in (line.split(" = ") for line in lines)}


def assert_same_ranking(ours, theirs):
    """Ranks are free where scores are less than 4e-5 apart."""
    assert {e["text"] for e in ours} == {e["text"] for e in theirs}
    by_text = {entry["text"]: entry for entry in ours}
    for entry in theirs:
        assert by_text[entry["text"]] == pytest.approx(
            {k: v for k, v in entry.items() if k != "text"}
            | {"text": entry["text"]},
            abs=1e-5,
        ) or pytest.fail(entry["text"])
    scores = [entry["start_logit"] + entry["end_logit"] for entry in ours]
    assert all(
        later <= earlier + 4e-5 for earlier, later in itertools.pairwise(scores)
    )


def test_predicts_as_the_original(golden, golden_run):
    theirs = golden / "cli/squad"
    assert read(golden_run, "predictions") == read(theirs, "predictions")
    ours, expected = (read(f, "null_odds") for f in (golden_run, theirs))
    assert ours == pytest.approx(expected, abs=1e-5)
    ours, expected = (
        read(f, "nbest_predictions") for f in (golden_run, theirs)
    )
    assert list(ours) == list(expected)
    for qas_id, entries in expected.items():
        assert_same_ranking(ours[qas_id], entries)
    assert {path.name for path in golden_run.iterdir()} == {
        "eval.tf_record",
        "eval.tf_record.fingerprint",
        *(f"{name}.json" for name in FILES),
        "runs.jsonl",
    }
    assert len(records_of(golden_run / "eval.tf_record")) == 166


def test_records_are_used_again_where_they_would_be_the_same(
    golden_flags, golden_run, tmp_path, caplog
):
    caplog.set_level("INFO", logger="absl")
    out = shutil.copytree(golden_run, tmp_path / "out")
    records = out / "eval.tf_record"
    written = records.stat().st_mtime_ns
    (out / "predictions.json").unlink()
    command = [*golden_flags, f"--output_dir={out}"]
    find_answers(*command)
    assert records.stat().st_mtime_ns == written
    assert "tokens: [CLS]" in caplog.text
    assert read(out, "predictions") == read(golden_run, "predictions")
    find_answers(*command, "--max_query_length=11")
    assert records.stat().st_mtime_ns > written


def test_answers_do_not_hang_on_the_batch_size(
    golden_run, predict_v2, tmp_path
):
    find_answers(*predict_v2, "--predict_batch_size=21")
    out = tmp_path / "out"
    for name in ("predictions", "null_odds"):
        assert read(out, name) == pytest.approx(
            read(golden_run, name), abs=1e-5
        )
    ours = read(out, "nbest_predictions")
    for qas_id, entries in read(golden_run, "nbest_predictions").items():
        assert_same_ranking(ours[qas_id], entries)


def last_article(golden, tmp_path):
    """A file of two questions, dev-020 and dev-021."""
    squad = json.loads((golden / "inputs/squad/dev-v2.0.json").read_text())
    path = tmp_path / "short.json"
    path.write_text(json.dumps({"data": squad["data"][-1:]}))
    return path


def train_v2(golden, command, *args):
    find_answers(
        *command,
        "--do_train",
        f"--train_file={golden / 'inputs/squad/train-v2.0.json'}",
        f"--init_checkpoint={golden / 'model_base'}",
        "--version_2_with_negative",
        "--train_batch_size=8",
        "--random_seed=1",
        *args,
    )


def test_trains_evaluates_and_predicts_in_one_command(
    golden, command, tmp_path, caplog, monkeypatch
):
    calls = []
    make_batches = input_pipeline.train_batches
    monkeypatch.setattr(
        input_pipeline,
        "train_batches",
        lambda *args, **kwargs: (
            calls.append(kwargs) or make_batches(*args, **kwargs)
        ),
    )
    dev = golden / "inputs/squad/dev-v2.0.json"
    with caplog.at_level("INFO", logger="absl"):
        train_v2(
            golden,
            command,
            "--do_eval",
            f"--predict_file={dev}",
            "--num_train_epochs=1.5",
            "--eval_steps=2",
            "--save_best=NoAns_f1",
        )
    out = tmp_path / "out"
    # 21 questions: int(21 / 8 * 1.5) steps.
    assert (out / "model.ckpt-3.index").exists()
    assert (out / "best").is_dir()
    # The softmax of the loss runs over the padding, as in the original.
    assert [call["cut"] for call in calls] == [False]
    variables = checkpoint.Reader(str(out / "model.ckpt-3")).shapes
    assert "cls/squad/output_weights/adam_m" in variables
    assert "bert/pooler/dense/kernel" in variables
    assert "bert/pooler/dense/kernel/adam_m" not in variables
    golden_records = records_of(golden / "squad_records/train-v2.0.tf_record")
    written = records_of(out / "train.tf_record")
    assert len(written) == len(golden_records)
    # The original shuffles the 21 questions by Random(12345) before it cuts
    # them into windows: number 17 comes first.
    windows = json.loads(
        (golden / "squad_records/train-v2.0.features.json").read_text()
    )
    first = [w["example_index"] for w in windows].index(17)
    fields = [Field("input_ids", 48)]
    assert record_bytes.values(fields, written[0]) == record_bytes.values(
        fields, golden_records[first]
    )
    figures = eval_results(out)
    assert set(figures) == {*metrics.METRICS_V2, "global_step"}
    for line in (
        "***** Running training *****",
        "  Num orig examples = 21",
        "  Num split examples = 166",
        "  Num steps = 3",
        "impossible example",
        "***** Running predictions *****",
        "  HasAns_exact = 0.0",
    ):
        assert line in caplog.messages
    logged = [line for line in caplog.messages if line == "*** Example ***"]
    # The windows of the first 20 of 21 questions, of both files.
    assert len(logged) < 2 * 166
    assert "example_index: 19" in caplog.messages
    assert "example_index: 20" not in caplog.messages
    assert any(
        "Evaluation at step 2: HasAns_exact" in m for m in caplog.messages
    )


def test_figures_are_those_of_the_files_written(golden, predict_v2, tmp_path):
    find_answers(*predict_v2, "--do_eval", "--null_score_diff_threshold=-4.3")
    out = tmp_path / "out"
    predictions, odds = read(out, "predictions"), read(out, "null_odds")
    assert {i for i, text in predictions.items() if not text} == {
        i for i, value in odds.items() if value > -4.3
    }
    assert 0 < list(predictions.values()).count("") < 21
    answers = {
        qa["id"]: [answer["text"] for answer in qa["answers"]]
        for article in json.loads(
            (golden / "inputs/squad/dev-v2.0.json").read_text()
        )["data"]
        for paragraph in article["paragraphs"]
        for qa in paragraph["qas"]
    }
    silent = [i for i, right in answers.items() if not right]
    right = [not predictions[qas_id] for qas_id in silent]
    figures = eval_results(out)
    assert figures["NoAns_exact"] == figures["NoAns_f1"]
    assert figures["NoAns_f1"] == 100 * sum(right) / len(silent)
    assert figures["exact_match"] == 100 * sum(right) / 21

    report = read(out, "eval_report")
    for name in ("exact_match", "f1"):
        assert report["all"][name] == pytest.approx(figures[name])
        assert report["threshold"]["chosen"][name] == report["all"][name]
    assert report["threshold"]["best"]["f1"]["f1"] == figures["best_f1"]
    lines = (out / "dev_predictions.jsonl").read_text().splitlines()
    assert {
        row["id"]: row["prediction"] for row in map(json.loads, lines)
    } == predictions
    browser.check_html((out / "eval_report.html").read_text())


def test_auto_finds_and_applies_the_best_threshold(
    golden, golden_run, predict_v2, tmp_path
):
    """Right are the surest half of the answers, and none to the others."""
    answers, odds = (read(golden_run, n) for n in ("predictions", "null_odds"))
    sure = sorted(odds, key=odds.get)[:10]
    squad = json.loads((golden / "inputs/squad/dev-v2.0.json").read_text())
    for article in squad["data"]:
        for qa in article["paragraphs"][0]["qas"]:
            text = answers[qa["id"]]
            qa["answers"] = [{"text": text}] if qa["id"] in sure else []
    path = tmp_path / "half.json"
    path.write_text(json.dumps(squad))
    find_answers(
        *predict_v2,
        "--null_score_diff_threshold=auto",
        f"--predict_file={path}",
    )
    out = tmp_path / "out"
    assert read(out, "predictions") == {
        qas_id: text if qas_id in sure else ""
        for qas_id, text in answers.items()
    }
    figures = eval_results(out)
    threshold = figures["null_score_diff_threshold"]
    assert threshold == pytest.approx(odds[sure[-1]], abs=1e-5)
    assert threshold == figures["best_f1_thresh"]
    assert figures["f1"] == figures["best_f1"] == 100.0


def test_v1_writes_two_files_and_two_figures(golden, command, tmp_path):
    path = last_article(golden, tmp_path)
    find_answers(
        *command,
        "--do_eval",
        f"--predict_file={path}",
        f"--init_checkpoint={golden / 'train_squad/model.ckpt-12'}",
    )
    out = tmp_path / "out"
    assert {path.name for path in out.glob("*.json")} == {
        "predictions.json",
        "nbest_predictions.json",
        "eval_report.json",
    }
    assert set(eval_results(out)) == {"exact_match", "f1", "global_step"}
    predictions = read(out, "predictions")
    nbest = read(out, "nbest_predictions")
    assert predictions == {
        i: entries[0]["text"] for i, entries in nbest.items()
    }


def test_prediction_needs_no_answers(golden, predict_v2, tmp_path):
    path = last_article(golden, tmp_path)
    blind = json.loads(path.read_text())
    for qa in blind["data"][0]["paragraphs"][0]["qas"]:
        del qa["answers"], qa["is_impossible"]
    path.write_text(json.dumps(blind))
    find_answers(*predict_v2, f"--predict_file={path}")
    assert list(read(tmp_path / "out", "predictions")) == ["dev-020", "dev-021"]


def test_unusual_paragraphs(predict_v2, tmp_path, caplog):
    """One without words has no answer; unknown words are told on demand."""
    paragraphs = [
        {"context": context, "qas": [{"id": context, "question": "who?"}]}
        for context in ("the \u2603", "")
    ]
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    line = "Unable to find text: '[UNK]' in '\u2603'"
    with caplog.at_level("INFO", logger="absl"):
        find_answers(*predict_v2, f"--predict_file={path}")
        assert line not in caplog.messages
        find_answers(*predict_v2, f"--predict_file={path}", "--verbose_logging")
    assert line in caplog.messages
    assert read(tmp_path / "out", "predictions")[""] == ""


def test_a_threshold_may_be_negative_and_apart_from_its_flag(command):
    args = ["--do_train", "--train_file=x", "--null_score_diff_threshold"]
    assert config_of(script, *command, *args, "-2.5").threshold == -2.5


def test_a_finished_run_ends_where_it_ended_and_predicts(
    golden, command, tmp_path
):
    out = tmp_path / "out"
    checkpoints.put(golden / "train_squad/model.ckpt-12", out)
    done = run(
        SCRIPT,
        *command,
        "--do_train",
        f"--train_file={golden / 'inputs/squad/train-v1.1.json'}",
        "--train_batch_size=8",
        "--num_train_epochs=1",
        "--do_predict",
        f"--predict_file={last_article(golden, tmp_path)}",
        "--version_2_with_negative",
    )
    assert "model.ckpt-12 is at step 12 already" in done.stderr
    ours = read(out, "predictions")
    assert list(ours) == ["dev-020", "dev-021"]
    assert ours.items() <= read(golden / "cli/squad", "predictions").items()

"""What is exported gives the same numbers where this project is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from bert import extract_features, run_classifier, run_pretraining, run_squad
from bert.data.records import packing, record_bytes
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.model_folder import locate, model_files, task_files
from bert.model_folder.given import Given
from bert.modeling import BertConfig, checkpoint
from bert.modeling.heads import SpanModel
from bert.serving import export
from bert.tasks import finetune
from bert.tasks.classification import kinds
from bert.tasks.spec import INPUTS
from bert.tasks.squad import windows as squad_windows
from bert.tasks.squad.finetuning import Squad
from tests.scripts import runner, toy_tagging
from tests.scripts.runner import config_of
from tests.serving import elsewhere


def run_mrpc(golden, out):
    """Trains some steps, predicts and exports."""
    run_classifier.classify(
        config_of(
            run_classifier,
            *runner.model_flags(golden),
            "--task_name=mrpc",
            f"--data_dir={golden / 'inputs/mrpc'}",
            f"--init_checkpoint={golden / 'model_base/bert_model.ckpt'}",
            f"--output_dir={out}",
            "--max_seq_length=20",
            "--train_batch_size=4",
            "--num_train_epochs=5",
            "--learning_rate=1e-3",
            "--do_train",
            "--do_predict",
            "--do_export",
        )
    )


def run_questions(golden, out):
    finetune.run(
        Squad(
            config_of(
                run_squad,
                *runner.model_flags(golden),
                f"--predict_file={golden / 'inputs/squad/dev-v1.1.json'}",
                f"--init_checkpoint={golden / 'train_squad/model.ckpt-12'}",
                f"--output_dir={out}",
                "--max_seq_length=64",
                "--doc_stride=20",
                "--max_query_length=6",
                "--do_predict",
                "--do_export",
                f"--export_dir={out}/../exported_squad",
            )
        )
    )


def run_features(golden, out):
    extract_features.extract_features(
        config_of(
            extract_features,
            *runner.model_flags(golden),
            f"--input_file={golden / 'inputs/features.txt'}",
            f"--output_file={out}",
            f"--init_checkpoint={golden / 'model_base/bert_model.ckpt'}",
            "--layers=-1",
            "--max_seq_length=16",
        )
    )


def read_records(path, fields):
    """Returns the features of a file of records, as arrays [B, ...]."""
    data = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    rows = [record_bytes.values(fields, record) for record in data]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def ids_of(features):
    return {name: features[name].astype(np.int32) for name in INPUTS}


def mrpc_texts(golden):
    lines = (golden / "inputs/mrpc/test.tsv").read_text().splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return {
        "text": np.array([row[3] for row in cells]),
        "text_pair": np.array([row[4] for row in cells]),
    }


def squad_questions(golden):
    """Returns (question, context) in the order of the file."""
    data = json.loads((golden / "inputs/squad/dev-v1.1.json").read_text())
    return [
        (qa["question"], paragraph["context"])
        for article in data["data"]
        for paragraph in article["paragraphs"]
        for qa in paragraph["qas"]
    ]


def feature_lines(golden):
    """Returns (text, text or "") of each line."""
    lines = (golden / "inputs/features.txt").read_text().splitlines()
    pairs = [line.strip().rpartition(" ||| ") for line in lines]
    return [(a or b, b if a else "") for a, _, b in pairs]


def packed_lines(golden):
    """Returns the features of features.txt."""
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    rows = []
    for first, second in feature_lines(golden):
        ids = tokenizer.encode(first), tokenizer.encode(second)
        if second:
            packing.truncate_seq_pair(*ids, 13)
            packed = packing.pack_pair(*ids, special)
        else:
            packed = packing.pack_single(ids[0][:14], special)
        rows.append(packing.pad(packed, 16))
    return {
        name: np.array([row[name] for row in rows], np.int32) for name in INPUTS
    }


class Made(NamedTuple):
    """What the scripts wrote, and what another process says.

    Attributes:
        folder: of all files.
        results: by job and output.
    """

    folder: Path
    results: dict[str, np.ndarray]

    def outputs(self, job):
        own = {
            key.removeprefix(f"{job}/"): value
            for key, value in self.results.items()
            if key.startswith(f"{job}/")
        }
        assert own, job
        return own


@pytest.fixture(scope="module")
def made(golden, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    run_mrpc(golden, folder / "mrpc")
    run_questions(golden, folder / "squad")
    run_features(golden, folder / "features.npz")
    model = shutil.copytree(golden / "model_base", folder / "model")
    shutil.copy(golden / "inputs/vocab.txt", model)
    given = Given(do_lower_case=True, max_seq_length=16)
    export.export(
        model_files.find(str(model), given), str(folder / "exported_features")
    )
    jobs = {}
    exports = {
        "mrpc": folder / "mrpc/export",
        "squad": folder / "exported_squad",
        "features": folder / "exported_features",
    }

    def add(job, exported, signature, inputs, raw=False):
        path = folder / f"{job}.inputs.npz"
        np.savez(path, **inputs)
        jobs[job] = {
            "model": str(exports[exported] / ("raw_strings" if raw else "")),
            "signature": signature,
            "inputs": str(path),
            "raw": raw,
        }

    fields = kinds.find("classification").fields(20, 1)
    mrpc = read_records(folder / "mrpc/predict.tf_record", fields)
    add("mrpc", "mrpc", "serving_default", ids_of(mrpc))
    add("mrpc_raw", "mrpc", "pairs", mrpc_texts(golden), raw=True)
    fields = squad_windows.fields(64, False)
    squad = read_records(folder / "squad/eval.tf_record", fields)
    add("squad", "squad", "serving_default", ids_of(squad))
    questions, contexts = zip(*squad_questions(golden), strict=True)
    texts = {"question": np.array(questions), "context": np.array(contexts)}
    add("squad_raw", "squad", "serving_default", texts, raw=True)
    add("features", "features", "serving_default", packed_lines(golden))
    first, second = zip(*feature_lines(golden), strict=True)
    texts = {"text": np.array(first), "text_pair": np.array(second)}
    add("features_raw", "features", "pairs", texts, raw=True)
    singles = {"text": np.array([a for a, b in feature_lines(golden) if not b])}
    add("single_raw", "features", "serving_default", singles, raw=True)
    return Made(folder, run_elsewhere(folder, jobs))


def run_elsewhere(folder, jobs):
    """Runs `elsewhere` in a process that cannot see this project."""
    away = folder / "away"
    away.mkdir()
    script = shutil.copy(elsewhere.__file__, away / "call.py")
    (away / "jobs.json").write_text(json.dumps(jobs))
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, str(script), "jobs.json", "results.npz"],
        cwd=away,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(np.load(away / "results.npz"))


def test_a_classifier_gives_the_probabilities_of_test_results(made):
    expected = np.loadtxt(made.folder / "mrpc/test_results.tsv")
    # It has learned something to tell them apart by.
    assert np.ptp(expected[:, 0]) > 1e-3
    for job in ("mrpc", "mrpc_raw"):
        outputs = made.outputs(job)
        assert set(outputs) == {"probabilities", "logits"}
        np.testing.assert_allclose(
            outputs["probabilities"], expected, rtol=0, atol=1e-5
        )
        np.testing.assert_allclose(
            tf.nn.softmax(outputs["logits"]), expected, rtol=0, atol=1e-5
        )


def test_a_span_model_gives_the_logits_that_answers_are_made_from(golden, made):
    fields = squad_windows.fields(64, False)
    squad = read_records(made.folder / "squad/eval.tf_record", fields)
    config = golden / "model_base/bert_config.json"
    model = SpanModel(BertConfig.from_json_file(config))
    path = golden / "train_squad/model.ckpt-12"
    assert checkpoint.load_weights(model, str(path)).fresh == ()
    expected = model(ids_of(squad))
    is_token = squad["input_mask"] == 1
    outputs = made.outputs("squad")
    for name in ("start_logits", "end_logits"):
        np.testing.assert_allclose(
            outputs[name][is_token],
            expected[name].numpy()[is_token],
            rtol=0,
            atol=1e-5,
        )
        assert (outputs[name][~is_token] == -10000).all()
    nbest = made.folder / "squad/nbest_predictions.json"
    for answers in json.loads(nbest.read_text()).values():
        best = answers[0]["start_logit"], answers[0]["end_logit"]
        for number, name in zip(
            best, ("start_logits", "end_logits"), strict=True
        ):
            assert np.abs(outputs[name] - number).min() <= 1e-5


def test_a_span_model_answers_raw_questions(golden, made):
    fields = squad_windows.fields(64, False)
    squad = read_records(made.folder / "squad/eval.tf_record", fields)
    # The first window of each question.
    ids = [packed.tolist() for packed in squad["input_ids"]]
    raw, by_ids = made.outputs("squad_raw"), made.outputs("squad")
    found = 0
    for row, (question, context) in enumerate(squad_questions(golden)):
        length = int(raw["input_mask"][row].sum())
        own = raw["input_ids"][row, :length].tolist()
        window = next(i for i, other in enumerate(ids) if other[:length] == own)
        for name in ("start_logits", "end_logits"):
            np.testing.assert_allclose(
                raw[name][row, :length],
                by_ids[name][window, :length],
                rtol=0,
                atol=1e-5,
            )
        starts, limits = raw["token_starts"][row], raw["token_limits"][row]
        for place in range(length):
            if starts[place] < 0:
                continue
            text = context if raw["segment_ids"][row, place] else question
            piece = text.encode()[starts[place] : limits[place]].decode()
            assert piece.strip() == piece
            assert piece
            found += 1
    assert found > 100
    assert (raw["token_starts"][:, 0] == -1).all()


def test_an_encoder_gives_the_vectors_of_extract_features(golden, made):
    arrays = np.load(made.folder / "features.npz")
    expected = arrays["layer_-1"]
    mask = packed_lines(golden)["input_mask"] == 1
    for job in ("features", "features_raw"):
        outputs = made.outputs(job)
        own_mask = mask[:, : outputs["sequence_output"].shape[1]]
        np.testing.assert_allclose(
            outputs["sequence_output"][own_mask], expected, rtol=0, atol=1e-5
        )
    is_single = [not second for _, second in feature_lines(golden)]
    assert 0 < sum(is_single) < len(is_single)
    np.testing.assert_allclose(
        made.outputs("single_raw")["pooled_output"],
        made.outputs("features")["pooled_output"][is_single],
        rtol=0,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        made.outputs("features_raw")["pooled_output"],
        made.outputs("features")["pooled_output"],
        rtol=0,
        atol=1e-5,
    )


def test_assets_say_what_the_numbers_mean(golden, made):
    for folder in ("mrpc/export", "mrpc/export/raw_strings"):
        assets = made.folder / folder / "assets"
        assert {path.name for path in assets.iterdir()} == {
            "bert_config.json",
            "labels.txt",
            "task.json",
            "vocab.txt",
        }
        vocab = golden / "inputs/vocab.txt"
        assert (assets / "vocab.txt").read_bytes() == vocab.read_bytes()
        assert (assets / "labels.txt").read_text() == "0\n1\n"
        assert locate.task(str(assets)) == task_files.Task(
            task="classification",
            kind="classification",
            do_lower_case=True,
            max_seq_length=20,
        )


def test_pretraining_exports_words_without_a_vocabulary(golden, tmp_path):
    out = tmp_path / "out"
    run_pretraining.pretrain(
        config_of(
            run_pretraining,
            f"--bert_config_file={golden / 'model_base/bert_config.json'}",
            f"--input_file={golden / 'pretraining_data/default.tfrecord'}",
            f"--output_dir={out}",
            "--max_seq_length=64",
            "--max_predictions_per_seq=10",
            "--num_train_steps=1",
            "--num_warmup_steps=0",
            "--train_batch_size=2",
            "--do_train",
            "--do_export",
        )
    )
    task = task_files.Task(
        task="pretraining", do_lower_case=None, max_seq_length=64
    )
    assert locate.task(str(out)) == task
    assert {path.name for path in (out / "export/assets").iterdir()} == {
        "bert_config.json",
        "task.json",
    }
    assert not (out / "export/raw_strings").exists()
    saved = tf.saved_model.load(str(out / "export"))
    serve = saved.signatures["serving_default"]
    ids = tf.ones([1, 5], tf.int32)
    outputs = serve(input_ids=ids, input_mask=ids, segment_ids=ids)
    assert outputs["top_k_ids"].shape == [1, 5, 10]
    with pytest.raises(UserError, match=r"a file that says nothing of it; say"):
        model_files.find(str(out), Given(task="features"))
    given = Given(task="features", do_lower_case=True)
    with pytest.raises(UserError, match=r"Expected vocab\.txt in"):
        model_files.find(str(out), given)


def test_the_best_weights_are_exported(golden, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_why_no_tensorflow_text", lambda: "none")
    for name, seed in (("train", 1), ("dev", 2)):
        words = toy_tagging.sentences(12, seed=seed, longest=6)
        text = toy_tagging.conll_text(words)
        (tmp_path / f"{name}.txt").write_text(text)
    out = tmp_path / "out"
    toy_tagging.tag(
        *toy_tagging.model_flags(golden, out),
        f"--data_dir={tmp_path}",
        "--do_train",
        "--do_export",
        f"--export_dir={tmp_path / 'exported'}",
        "--train_batch_size=4",
        "--eval_steps=1",
        "--save_best=eval_loss",
        "--learning_rate=0.5",  # gets worse from its first step on
    )
    best = checkpoint.Reader(str(out / "best"))
    newest = checkpoint.Reader(str(out))
    assert best.prefix.rpartition("-")[2] != newest.prefix.rpartition("-")[2]
    saved = tf.saved_model.load(str(tmp_path / "exported"))
    name = "cls/token/output_weights"
    assert np.array_equal(saved.weights[name], best.read(name))
    assert not np.array_equal(best.read(name), newest.read(name))
    assert not (tmp_path / "exported/raw_strings").exists()
    source = model_files.find(str(out))
    assert source.checkpoint == best.prefix
    assert list(source.labels) == toy_tagging.LABELS


def test_a_threshold_that_is_found_is_kept(golden, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_why_no_tensorflow_text", lambda: "none")
    out = tmp_path / "out"
    finetune.run(
        Squad(
            config_of(
                run_squad,
                *runner.model_flags(golden),
                f"--train_file={golden / 'inputs/squad/train-v2.0.json'}",
                f"--predict_file={golden / 'inputs/squad/dev-v2.0.json'}",
                f"--init_checkpoint={golden / 'train_squad/model.ckpt-12'}",
                f"--output_dir={out}",
                "--max_seq_length=48",
                "--doc_stride=16",
                "--max_query_length=12",
                "--train_batch_size=4",
                "--num_train_epochs=1",
                "--version_2_with_negative",
                "--null_score_diff_threshold=auto",
                "--do_train",
                "--do_predict",
                "--do_export",
            )
        )
    )
    figures = (out / "eval_results.txt").read_text().splitlines()
    found = dict(line.split(" = ") for line in figures)
    threshold = float(found["null_score_diff_threshold"])
    assert threshold != 0.0
    for folder in (out, out / "export/assets"):
        options = locate.task(str(folder)).options
        assert options["null_score_diff_threshold"] == pytest.approx(threshold)
        assert options["version_2_with_negative"] is True
        assert options["doc_stride"] == 16

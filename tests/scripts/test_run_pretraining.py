import json
import math
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.scale import PROCESS
from bert import create_pretraining_data
from bert import run_pretraining as script
from bert.errors import UserError
from bert.modeling import checkpoint, checkpoint_paths
from tests import browser
from tests.modeling import checkpoints
from tests.modeling.checkpoints import tensors
from tests.scripts.runner import ROOT, config_of, error_of, run
from tests.training.test_loop import assert_same_end

SCRIPT = "run_pretraining.py"


def pretrain(*args):
    """Does what the script does with these flags, in this process."""
    script.pretrain(config_of(script, *args))


def put_checkpoint(golden, step, folder):
    """Copies a checkpoint of the original's run, as it left it."""
    prefix = golden / f"train_pretraining/model.ckpt-{step}"
    checkpoints.put(prefix, folder, "/old/machine/")
    (folder / f"model.ckpt-{step}.meta").write_bytes(b"\x0a\x00")
    (folder / "graph.pbtxt").write_text("node {}")


def test_resumes_the_originals_run_and_ends_where_it_ended(
    golden, command, tmp_path, caplog
):
    caplog.set_level("INFO", logger="absl")
    put_checkpoint(golden, 6, tmp_path / "out")
    pretrain("--do_train", *command)
    assert "Resumed from" in caplog.text
    assert "48 examples seen follow from step 6" in caplog.text
    assert_same_end(
        tensors(tmp_path / "out"),
        checkpoint.Reader(str(golden / "train_pretraining/model.ckpt-12")),
    )

    caplog.clear()
    pretrain("--do_train", *command)
    assert "at step 12 already; to go on, raise --num_train_steps" in (
        caplog.text
    )


def test_evaluation_writes_the_originals_figures(golden, command, tmp_path):
    shutil.copy(
        golden / "pretraining_data/default.tfrecord", tmp_path / "eval.tfrecord"
    )
    pretrain(
        *command,
        "--do_eval",
        f"--input_file={tmp_path}/*.tfrecord",
        f"--init_checkpoint={golden / 'train_pretraining/model.ckpt-12'}",
        "--max_seq_length=64",
        "--max_predictions_per_seq=10",
        "--max_eval_steps=5",
    )
    ours = (tmp_path / "out/eval_results.txt").read_text()
    theirs = (golden / "cli/pretraining_eval_results.txt").read_text()
    for line, expected in zip(
        ours.splitlines(), theirs.splitlines(), strict=True
    ):
        key, value = line.split(" = ")
        assert key == expected.split(" = ")[0]
        assert abs(float(value) - float(expected.split(" = ")[1])) <= 1e-5
    assert list((tmp_path / "out/eval").glob("events.out.tfevents.*"))

    report = json.loads((tmp_path / "out/eval_report.json").read_text())
    accuracy = report["right"] / report["predictions"]
    found = report["results"]
    assert accuracy == pytest.approx(found["masked_lm_accuracy"])
    assert report["perplexity"] == pytest.approx(
        math.exp(found["masked_lm_loss"])
    )
    browser.check_html((tmp_path / "out/eval_report.html").read_text())


def dropout_config(golden, tmp_path):
    config = json.loads((golden / "model_base/bert_config.json").read_text())
    config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.1
    path = tmp_path / "dropout.json"
    path.write_text(json.dumps(config))
    return path


def same_bits(one, other):
    one, other = tensors(one), tensors(other)
    return set(one) == set(other) and all(
        one[name].tobytes() == other[name].tobytes() for name in one
    )


@pytest.mark.slow
def test_a_killed_run_ends_with_the_bits_of_an_uninterrupted_one(
    golden, command, tmp_path, caplog
):
    flags = [
        "--do_train",
        *command,
        f"--bert_config_file={dropout_config(golden, tmp_path)}",
        "--shuffle_buffer_size=40",
        "--random_seed=5",
        "--num_train_steps=400",
        "--save_checkpoints_steps=20",
    ]
    pretrain(*flags)
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, ROOT / SCRIPT, *flags, f"--output_dir={killed}"],
        stderr=subprocess.DEVNULL,
    )
    while not (killed / "model.ckpt-100.index").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "model.ckpt-400.index").exists()
    caplog.set_level("INFO", logger="absl")
    pretrain(*flags, f"--output_dir={killed}")
    assert f"Resumed from {killed}/model.ckpt-" in caplog.text
    assert same_bits(tmp_path / "out", killed)
    state = tf.train.get_checkpoint_state(str(killed))
    assert [
        path.rsplit("-", 1)[1] for path in (state.all_model_checkpoint_paths)
    ] == ["320", "340", "360", "380", "400"]


@pytest.mark.slow
def test_packed_rows_and_drawn_masks_go_on_and_are_shared(
    golden, command, tmp_path
):
    vocab_file = f"--vocab_file={golden / 'inputs/vocab.txt'}"
    config = config_of(
        create_pretraining_data,
        f"--input_file={golden / 'inputs/corpus_a.txt'}",
        f"--output_file={tmp_path / 'records'}",
        vocab_file,
        *("--max_seq_length=24", "--max_predictions_per_seq=6"),
    )
    create_pretraining_data.create_pretraining_data(config)
    shared = [
        *command,
        f"--input_file={tmp_path / 'records'}",
        vocab_file,
        *("--do_train", "--pack_sequences", "--masking=dynamic"),
        *("--shuffle_buffer_size=40", "--random_seed=5", "--max_ngram=2"),
        *("--num_train_steps=6", "--save_checkpoints_steps=3"),
    ]
    dropout = f"--bert_config_file={dropout_config(golden, tmp_path)}"
    flags = [*shared, dropout]
    pretrain(*flags)
    again = tmp_path / "again"
    shutil.copytree(tmp_path / "out", again)
    for path in again.glob("model.ckpt-6*"):
        path.unlink()
    (again / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"')
    pretrain(*flags, f"--output_dir={again}")
    assert same_bits(tmp_path / "out", again)
    # Two devices draw what one does; but for dropout, which is a device's own.
    folders = [f"--output_dir={tmp_path}/{name}" for name in ("one", "two")]
    pretrain(*shared, folders[0])
    subprocess.run(
        [sys.executable, "-c", PROCESS, "2", *shared, folders[1]],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    one, two = tensors(tmp_path / "one"), tensors(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-4, atol=1e-6)


def test_the_seed_decides_the_weights(command, tmp_path):
    for name, seed in (("one", 1), ("two", 2), ("again", 1)):
        pretrain(
            "--do_train",
            *command,
            "--num_train_steps=2",
            "--shuffle_buffer_size=40",
            f"--random_seed={seed}",
            f"--output_dir={tmp_path / name}",
        )
    assert same_bits(tmp_path / "one", tmp_path / "again")
    assert not same_bits(tmp_path / "one", tmp_path / "two")


def test_log_has_the_originals_lines(golden, command, tmp_path):
    done = run(
        SCRIPT,
        "--do_train",
        "--do_eval",
        *command,
        f"--init_checkpoint={golden / 'model_base'}",
        "--do_lower_cased=false",
        "--num_train_steps=2",
    )
    for line in (
        "unknown flag --do_lower_cased is ignored",
        "***** Running training *****",
        "  Batch size = 8",
        f"Saving checkpoints for 0 into {tmp_path / 'out/model.ckpt'}.",
        "global_step/sec: ",
        "examples/sec: ",
        f"Saving checkpoints for 2 into {tmp_path / 'out/model.ckpt'}.",
        "Loss for final step: ",
        f"Restoring parameters from {tmp_path / 'out/model.ckpt-2'}",
        "Saving dict for global step 2: global_step = 2, loss = ",
        "  name = bert/pooler/dense/kernel, shape = (32, 32), *INIT_FROM_CKPT*",
        "***** Running evaluation *****",
        "***** Eval results *****",
        "  global_step = 2",
    ):
        assert line in done.stderr
    assert {p.name for p in (tmp_path / "out").glob("*.index")} == {
        "model.ckpt-0.index",
        "model.ckpt-2.index",
    }


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--nodo_train"],
            "At least one of --do_train, --do_eval and --do_export",
        ),
        (["--input_file=/nothing/*"], "No file matches --input_file"),
        (["--max_seq_length=32"], "input_ids has 24 values, but --max_seq_"),
        (["--max_predictions_per_seq=5"], "masked_lm_positions has 6 values"),
        (["--max_seq_length=80"], "Cannot use sequence length 80 because"),
        (["--max_predictions_per_seq=30"], "larger than --max_seq_length"),
        (["--bert_config_file=/nothing"], "/nothing"),
        (["--init_checkpoint=/nothing"], "No checkpoint found"),
        (["--use_tpu"], "no TPU can be reached at 'local'"),
        (["--use_tpu", "--tpu_name=grpc://127.0.0.1:1"], "gs:// paths only"),
        (["--output_dir=/dev/null"], "--output_dir=/dev/null must be a folder"),
        (["--nodo_train", "--do_eval"], "There is no trained model"),
    ],
)
def test_bad_flags_end_in_one_line_before_work(command, flags, message):
    with pytest.raises(UserError, match=re.escape(message)):
        pretrain("--do_train", *command, *flags)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 100}, "input_ids must be from 0 to 99. Received:"),
        ({"num_attention_heads": 5}, "not a multiple of the number of attent"),
    ],
)
def test_a_configuration_that_does_not_fit_is_one_line(
    golden, command, tmp_path, changes, message
):
    config = checkpoints.changed_config(golden, tmp_path, **changes)
    with pytest.raises(UserError, match=message):
        pretrain("--do_train", *command, config)


@pytest.mark.parametrize(
    "changes", [{"num_hidden_layers": 2}, {"hidden_size": 48}]
)
def test_another_models_checkpoint_in_output_dir_is_refused_and_kept(
    golden, command, tmp_path, changes
):
    put_checkpoint(golden, 6, tmp_path / "out")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    config = checkpoints.changed_config(golden, tmp_path, **changes)
    with pytest.raises(UserError, match=r"model\.ckpt-6"):
        pretrain("--do_train", *command, config)
    after = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    assert after == before


def test_a_record_that_spoils_the_run_is_named(
    golden, command, record_file, tmp_path
):
    spoilt = tmp_path / "spoilt.tfrecord"
    content = bytearray(record_file.read_bytes())
    # The first look at the files reads 1,000 records; this is one of them.
    content[-20] ^= 255
    spoilt.write_bytes(content)
    line = error_of(SCRIPT, "--do_train", *command, f"--input_file={spoilt}")
    assert f"{spoilt}, record 96: the file is truncated, corrupt" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_run_killed_three_times_ends_with_the_same_bits(tmp_path):
    done = subprocess.run(
        [
            *[sys.executable, "-m", "benchmarks.kills", "--kills=3"],
            *["--num_train_steps=60", f"--work_dir={tmp_path / 'kills'}"],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "3 kills" in done.stdout


def test_sigterm_saves_the_step_under_way(command, tmp_path):
    process = subprocess.Popen(
        [
            *[sys.executable, ROOT / SCRIPT, "--do_train", *command],
            *["--num_train_steps=100000", "--save_checkpoints_steps=100000"],
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list((tmp_path / "out").glob("events*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    log = process.communicate()[1]
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped by SIGTERM after step" in log.splitlines()[-1]
    newest = checkpoint_paths.resolve(str(tmp_path / "out"))
    assert int(newest.rpartition("-")[2]) > 0

"""run_pretraining.py, evaluated while it trains."""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from benchmarks.scale import PROCESS
from bert.errors import UserError
from bert.files import json_log
from bert.modeling import checkpoint
from bert.tasks.pretraining import watching
from bert.training import checkpointing, curves
from tests import browser
from tests.scripts.runner import ROOT
from tests.scripts.test_run_pretraining import (
    dropout_config,
    pretrain,
    same_bits,
)
from tests.scripts.test_workers import SCRIPT, start_two

STEPS = [4, 8, 12]
WATCHED = (
    *("--eval_steps=4", "--max_eval_steps=3", "--save_best=masked_lm_loss"),
    *("--log_steps=3", "--random_seed=5"),
)

DIES_AT_4 = """
import os, signal, sys
from bert.training import loop
from tests.scripts.test_run_pretraining import pretrain

save = loop.TrainLoop._save

def saving(self):
    if self._step == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    save(self)

loop.TrainLoop._save = saving
pretrain("--do_train", *sys.argv[1:])
"""


def test_a_run_says_how_far_it_is_from_unigrams(
    command, record_file, tmp_path, caplog
):
    held_out = tmp_path / "held_out.tfrecord"
    shutil.copy(record_file, held_out)
    caplog.set_level("INFO", logger="absl")
    pretrain(
        *("--do_train", "--do_eval", *command, *WATCHED),
        f"--eval_file={tmp_path}/held*",
    )
    out = tmp_path / "out"

    lines = caplog.messages
    assert [line for line in lines if "Unigram entropy" in line]
    assert str(held_out) in " ".join(lines)
    (first, *_) = [line for line in lines if line.startswith("step 3/12")]
    loss, perplexity = re.search(
        r"masked_lm_loss = ([\d.]+), .*perplexity = ([\d.]+)", first
    ).groups()
    assert float(perplexity) == pytest.approx(math.exp(float(loss)), rel=1e-4)
    shorts = [x.short for x in caplog.records if hasattr(x, "short")]
    assert any(
        re.search(r"; loss = [\d.]+, perplexity = [\d.e+]+$", str(x))
        for x in shorts
    )
    assert [
        line.split(":")[0] for line in lines if line.startswith("Evaluation at")
    ] == [f"Evaluation at step {step}" for step in STEPS]

    names = (out / "eval_results.txt").read_text().split("\n")
    assert [line.split(" = ")[0] for line in names] == [
        *("global_step", "loss", "masked_lm_accuracy", "masked_lm_loss"),
        *("next_sentence_accuracy", "next_sentence_loss"),
        *("perplexity", "unigram_entropy", ""),
    ]
    found = curves.read(str(out))
    assert found["perplexity"].steps == [3, 6, 9, 12]
    assert found["eval/perplexity"].steps == STEPS
    (entropy,) = {*found["eval/unigram_entropy"].values}
    # In a folder of its own TensorBoard draws it in the chart of the loss.
    (own,) = (out / "unigram_entropy").iterdir()
    assert {
        (tag, step, value) for tag, step, value in curves._scalars(str(own))
    } == {("masked_lm_loss", step, entropy) for step in STEPS}

    report = json.loads((out / "eval_report.json").read_text())
    figures = report["results"]
    assert figures["unigram_entropy"] == pytest.approx(entropy)
    assert figures["perplexity"] == pytest.approx(report["perplexity"])
    page = (out / "eval_report.html").read_text()
    browser.check_html(page)
    assert f"(without any context: {math.exp(entropy):.4g})" in page
    assert ">unigram_entropy</text>" in page

    (line,) = json_log.read(str(out / "runs.jsonl")).entries
    assert line["figures"]["perplexity"] == pytest.approx(report["perplexity"])
    assert {(own["set"], own["file"]) for own in line["data"]} == {
        ("input", str(record_file)),
        ("eval", str(held_out)),
    }


@pytest.mark.slow
def test_a_run_that_an_evaluation_was_the_end_of_ends_with_the_same_bits(
    golden, command, tmp_path, monkeypatch
):
    config = f"--bert_config_file={dropout_config(golden, tmp_path)}"

    def at(name, *flags):
        folder = f"--output_dir={tmp_path / name}"
        pretrain("--do_train", *command, config, folder, *flags)

    at("whole", *WATCHED)
    at("plain", "--random_seed=5")
    figures = watching.Watch.figures

    def stopping(*args):
        # The second of the process's evaluations.
        os.kill(os.getpid(), signal.SIGINT)
        return figures(*args)

    with monkeypatch.context() as patch:
        patch.setattr(watching.Watch, "figures", stopping)
        with pytest.raises(KeyboardInterrupt):
            at("parts", *WATCHED)
    parts = tmp_path / "parts"
    assert checkpointing.newest(str(parts)).endswith("-4")
    at("parts", *WATCHED)

    # Killed after the best weights of step 4 are there, before its checkpoint.
    killed = tmp_path / "killed"
    often = [*WATCHED, "--save_checkpoints_steps=4"]
    flags = [*command, config, *often, f"--output_dir={killed}"]
    process = subprocess.run(
        [sys.executable, "-c", DIES_AT_4, *flags],
        cwd=ROOT,
        check=False,
        stderr=subprocess.DEVNULL,
    )
    assert process.returncode == -signal.SIGKILL
    assert checkpointing.newest(str(killed)).endswith("-0")
    assert checkpointing.newest(str(killed / "best")).endswith("-4")
    at("killed", *often)

    whole = tmp_path / "whole"
    assert same_bits(whole, tmp_path / "plain")
    states, read = [], []
    for folder in (whole, parts, killed):
        assert same_bits(whole, folder)
        assert same_bits(whole / "best", folder / "best")
        reader = checkpoint.Reader(str(folder))
        states.append(checkpointing.read_state(reader))
        read.append(curves.read(str(folder))["eval/masked_lm_loss"])
    assert states[0] == states[1] == states[2]
    assert states[0].best_metric == "masked_lm_loss"
    assert len({*map(str, read)}) == 1


@pytest.mark.slow
def test_two_devices_and_two_workers_find_what_one_does(command, tmp_path):
    flags = [*("--do_train", *command, *WATCHED), "--eval_batch_size=4"]

    def found(name, *processes):
        logs = [process.communicate()[1] for process in processes]
        assert not any(p.returncode for p in processes), "".join(logs)
        assert checkpointing.newest(str(tmp_path / name / "best"))
        read = curves.read(str(tmp_path / name))
        assert read["eval/perplexity"].steps == STEPS
        return {
            tag: curve.values
            for tag, curve in read.items()
            if "loss" in tag or "entropy" in tag
        }

    def folder(name):
        return f"--output_dir={tmp_path / name}"

    def devices(number):
        own = [str(number), *flags, folder(str(number))]
        return subprocess.Popen(
            [sys.executable, "-c", PROCESS, *own],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    one = found("1", devices(1))
    for other in (
        found("2", devices(2)),
        found(
            "workers",
            *start_two(SCRIPT, *flags, f"--output_dir={tmp_path}/workers"),
        ),
    ):
        assert other.keys() == one.keys()
        for tag, values in one.items():
            assert other[tag] == pytest.approx(values, rel=1e-5)


@pytest.mark.slow
def test_perplexity_is_there_without_a_second_task(command, tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    own = [*WATCHED, "--save_best=perplexity", "--next_sentence=none"]
    pretrain("--do_train", *command, *own)
    (first, *_) = [x for x in caplog.messages if x.startswith("step 3/12")]
    assert re.search(r"masked_lm_loss = \d.*perplexity = \d", first)
    assert curves.read(str(tmp_path / "out"))["eval/perplexity"].steps == STEPS


@pytest.mark.slow
def test_training_ends_where_nothing_gets_better(command, tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    pretrain(
        *("--do_train", *command, "--learning_rate=0", "--eval_steps=1"),
        *("--max_eval_steps=1", "--save_best=perplexity"),
        *("--early_stopping_patience=2", "--noeval_report"),
    )
    assert "2 evaluations without a better perplexity" in caplog.text
    assert checkpointing.newest(str(tmp_path / "out")).endswith("-3")
    assert checkpointing.newest(str(tmp_path / "out/best")).endswith("-1")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--save_best=loss"], "--save_best needs --eval_steps"),
        (
            ["--eval_steps=1", "--save_best=f1"],
            "--save_best must be one of the metrics loss, masked_lm_accuracy, ",
        ),
        (["--eval_steps=1", "--save_best=unigram_entropy"], "must be one of"),
        (["--early_stopping_patience=2"], "needs --save_best: the metric"),
        (["--eval_file=/x"], "--eval_file needs --eval_steps, to evaluate"),
        (
            ["--eval_file=/nothing/*", "--eval_steps=1"],
            "No file matches --eval_file",
        ),
        (["--eval_file=/", "--do_eval"], "--eval_file names a folder"),
        (
            ["--eval_file={bad}", "--eval_steps=1"],
            "bad.tfrecord, record 1: the file is truncated, corrupt",
        ),
        (["--save_best=loss", "--do_eval", "--nodo_train"], "no trained model"),
    ],
)
def test_bad_flags_are_refused_before_work(command, tmp_path, flags, message):
    bad = tmp_path / "bad.tfrecord"
    bad.write_bytes(b"no records at all")
    flags = [flag.format(bad=bad) for flag in flags]
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        pretrain("--do_train", *command, *flags)
    assert len(str(caught.value)) <= 300
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["best", "eval", "unigram_entropy"])
def test_a_file_in_the_place_of_a_folder_is_refused(command, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).touch()
    with pytest.raises(UserError, match=f"out/{name}. Received: a file"):
        pretrain("--do_train", *command, "--eval_steps=1")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_records_that_a_result_would_replace_are_refused(
    command, record_file, tmp_path
):
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out/eval_results.txt"
    shutil.copy(record_file, mine)
    with pytest.raises(UserError, match=r"own eval_results\.txt"):
        pretrain("--do_train", "--do_eval", *command, f"--eval_file={mine}")
    assert mine.read_bytes() == record_file.read_bytes()

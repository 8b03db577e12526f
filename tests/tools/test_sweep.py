"""`bert sweep`: what runs, what is skipped, what is shown."""

import dataclasses
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bert.errors import MOST_CHARS, UserError
from bert.tools import sweep
from bert.tools.sweeping import child_run, notes
from bert.tools.sweeping.plan import plan
from tests import browser
from tests.scripts import toy_tagging
from tests.scripts.runner import model_flags

ROOT = Path(__file__).parents[2]
MODEL = ["--vocab_file=v", "--bert_config_file=c"]
BASE = [*MODEL, "--train_file=t", "--do_train"]
# Stands in for the script: the figure is the rate plus the seed; a rate of 3
# fails, and says so on the last line.
FAKE = """
import pathlib, sys
flags = dict(w.lstrip("-").partition("=")[::2] for w in sys.argv[2:])
out = pathlib.Path(flags["output_dir"])
rate, seed = float(flags["learning_rate"]), float(flags["random_seed"])
with (out.parent / "started").open("a") as file:
    file.write(out.name + "\\n")
if rate == 3:
    sys.exit("first line\\nerror: no such rate\\n")
(out / "eval_results.txt").write_text(
    f"f1 = {rate + seed / 10}\\nloss = {rate}\\nglobal_step = 3\\n"
)
"""


@pytest.fixture
def fake(monkeypatch):
    """Runs of the script take milliseconds."""
    monkeypatch.setattr(
        child_run,
        "command",
        lambda script, flags: [sys.executable, "-c", FAKE, script, *flags],
    )


def config(out, **values):
    return sweep.Config(
        **{
            "script": "run_ner",
            "flags": BASE,
            "output_dir": str(out),
            "grid": "learning_rate=1,2",
            "seeds": "1,2",
            "metric": None,
            **values,
        }
    )


def planned(output_dir, **values):
    chosen = config(output_dir, **values)
    return plan(chosen.script, chosen.flags, chosen.axes, chosen.output_dir)


def run(chosen):
    """Plans and sweeps, as `main` does."""
    own = planned(**dataclasses.asdict(chosen))
    os.makedirs(chosen.output_dir, exist_ok=True)
    sweep.sweep(chosen, own)


def started(out):
    return (out / "started").read_text().split()


def test_all_points_run_with_all_seeds_and_are_compared(fake, tmp_path, capsys):
    run(config(tmp_path))
    names = [
        f"learning_rate={rate}_random_seed={seed}"
        for rate in (1, 2)
        for seed in (1, 2)
    ]
    assert started(tmp_path) == names
    shown = capsys.readouterr().out.splitlines()
    assert f"[1/4] {names[0]}: finished in 0 s, f1 = 1.1" in shown
    table = shown.index("learning_rate    f1  spread  n")
    assert shown[table + 1 : table + 3] == [
        "            2  2.15   0.071  2",
        "            1  1.15   0.071  2",
    ]
    best = shlex.split(shown[-1])
    assert best[:4] == ["python", "-m", "bert", "run_ner"]
    assert best[4:8] == BASE
    assert best[8:] == [
        "--learning_rate=2",
        "--random_seed=2",
        f"--records_dir={tmp_path}/records",
        f"--output_dir={tmp_path / names[3]}",
    ]


def test_the_page_has_the_runs_in_their_order(fake, tmp_path, capsys):
    chosen = config(tmp_path, grid="train_batch_size=16,8", seeds=None)
    for run in planned(**dataclasses.asdict(chosen)):
        os.makedirs(run.folder)
        entry = json.dumps({"id": run.name, "status": "failed"})
        Path(run.folder, "runs.jsonl").write_text(entry + "\n")
        notes.finish(run.folder, run.values)
    sweep.sweep(chosen, planned(**dataclasses.asdict(chosen)))
    assert f"side by side, with their curves: {tmp_path}" in (
        capsys.readouterr().out
    )
    page = (tmp_path / "runs.html").read_text()
    browser.check_html(page)
    assert 0 < page.index("size=16<") < page.index("size=8<")


def test_what_is_finished_is_not_run_again(fake, tmp_path, capsys):
    run(config(tmp_path, grid="learning_rate=1"))
    run(config(tmp_path))  # a larger grid
    assert len(started(tmp_path)) == 4
    assert capsys.readouterr().out.count("finished before, f1 = ") == 2


def test_a_failed_run_does_not_stop_the_rest(fake, tmp_path, capsys):
    chosen = config(tmp_path, grid="learning_rate=3,1", seeds="1")
    for attempts in (2, 3):  # it is tried again, the other is not
        with pytest.raises(UserError, match="1 of 2 runs failed"):
            run(chosen)
        assert len(started(tmp_path)) == attempts
    shown = capsys.readouterr().out
    assert "random_seed=1: failed (1): error: no such rate\n" in shown
    assert "            3    -       -  0       1\n" in shown


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit(143)])
def test_what_was_stopped_is_run_again(
    fake, tmp_path, monkeypatch, capsys, error
):
    def stop(words, log):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(child_run, "run", stop)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            run(config(tmp_path))
    assert "stopped; the same command goes on\n" in capsys.readouterr().out
    run(config(tmp_path))
    assert len(started(tmp_path)) == 4


def test_less_of_a_loss_is_better(fake, tmp_path, capsys):
    run(config(tmp_path, metric="loss"))
    best = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert "--learning_rate=1" in best


def test_a_metric_that_is_none_ends_it_after_the_first_run(fake, tmp_path):
    with pytest.raises(UserError, match="one of f1, loss"):
        run(config(tmp_path, metric="acc"))
    assert len(started(tmp_path)) == 1


def test_runs_without_figures_have_no_table(tmp_path, monkeypatch, capsys):
    words = [sys.executable, "-c", ""]
    monkeypatch.setattr(child_run, "command", lambda *_: words)
    run(config(tmp_path))
    assert "No run has figures; --do_eval computes them." in (
        capsys.readouterr().out
    )


def test_other_flags_do_not_go_on_in_a_folder(fake, tmp_path):
    run(config(tmp_path))
    with pytest.raises(UserError, match=r"another --num_train_epochs \(3.0 b"):
        run(config(tmp_path, flags=[*BASE, "--num_train_epochs=4"]))
    assert len(started(tmp_path)) == 4


def test_a_records_folder_of_ones_own_stays(tmp_path):
    flags = [*BASE, "--records_dir=mine"]
    (own,) = plan("run_ner", flags, {"learning_rate": ["1"]}, str(tmp_path))
    assert not [w for w in own.flags[len(flags) :] if "records_dir" in w]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"script": "run_nerr"}, "'run_nerr'; did you mean run_ner"),
        ({"grid": None, "seeds": None}, "Expected --grid, --seeds or both"),
        ({"seeds": "1,x"}, "Expected --seeds as whole numbers"),
        ({"seeds": "1,1"}, "Expected each of --seeds once"),
        ({"grid": "learning_rate"}, "Expected --grid as 'learning_rate=2e-5"),
        ({"grid": "random_seed=1"}, "in --grid or --seeds. Received: both"),
        ({"grid": "learning_rat=1"}, "does not have; did you mean learning_r"),
        ({"grid": "learning_rate=1,x"}, "flag --learning_rate=x: "),
        ({"grid": "learning_rate=-1"}, "flag --learning_rate=-1"),
        ({"grid": "output_dir=a,b"}, "which is another one for each run"),
        ({"grid": "do_train=true,false"}, "which stands behind -- too"),
        ({"grid": "early_stopping_patience=1"}, "patience needs --save_best"),
        ({"flags": []}, "required flags are missing: --"),
        ({"flags": [*BASE, "word"]}, "Expected flags only"),
        ({"flags": [*BASE, "--output_dir=x"]}, "Expected --output_dir before"),
        ({"output_dir": "gs://bucket/x"}, "which is remote"),
        ({"output_dir": __file__}, "which is a file; name a folder"),
    ],
)
def test_what_cannot_run_is_found_before_the_first_run(
    tmp_path, values, message
):
    out = tmp_path / "out"
    with pytest.raises(UserError, match=message) as raised:
        planned(**{"output_dir": out, **values})
    assert len(str(raised.value)) <= MOST_CHARS
    assert not out.exists()


def test_flags_of_the_script_stand_behind_dashes(monkeypatch, tmp_path):
    own = {"output_dir": str(tmp_path), "grid": None, "metric": None}
    monkeypatch.setattr(
        sweep.config, "read_fields", lambda *_: {**own, "seeds": "1,2"}
    )
    with pytest.raises(UserError, match="flags of run_ner behind a --"):
        sweep.main(["run_ner"])


@pytest.mark.parametrize("script", sweep._SCRIPTS)
def test_every_script_can_be_swept(script):
    """Each says what its flags are and checks them as `plan` asks it to."""
    with pytest.raises(UserError, match="required flags are missing"):
        plan(script, [], {"learning_rate": ["1"]}, "out")


def command(out, data, golden):
    return [
        *(sys.executable, "-m", "bert", "sweep", "run_ner"),
        *(
            "--grid",
            "learning_rate=1e-3,1e-4",
            "--seeds=1",
            f"--output_dir={out}",
        ),
        "--",
        *model_flags(golden),
        f"--train_file={data}",
        f"--dev_file={data}",
        *("--do_train", "--do_eval", "--train_batch_size=4"),
        *("--num_train_epochs=2", "--max_seq_length=32"),
    ]


@pytest.mark.slow
def test_a_sweep_goes_on_after_a_kill(golden, tmp_path):
    data = tmp_path / "train.txt"
    sentences = toy_tagging.sentences(8, seed=0, longest=9)
    data.write_text(toy_tagging.conll_text(sentences))
    out = tmp_path / "out"
    words = command(out, data, golden)
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        # The first is done; the second is under way.
        assert any("random_seed=1: finished" in line for line in killed.stdout)
        killed.kill()
    folder = out / "learning_rate=1e-4_random_seed=1"
    end = time.monotonic() + 60  # its child saves and ends
    while list(folder.glob(".lock*")) and time.monotonic() < end:
        time.sleep(0.1)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("finished before") == 1
    page = (out / "runs.html").read_text()
    browser.check_html(page)
    assert "learning_rate=1e-3_random_seed=1" in page
    assert "learning_rate=1e-4_random_seed=1" in page
    records = list((out / "records").rglob("*.tf_record"))
    assert sorted(p.name for p in records) == [
        "eval.tf_record",
        "train.tf_record",
    ]
    assert not list(out.glob("learning*/*.tf_record"))

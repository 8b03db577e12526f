"""C14: one training at a time in an output_dir, whatever became of others."""

import re

import pytest

from bert.errors import UserError
from bert.training import resume, strategy
from tests.scripts.runner import run_code


def test_a_second_training_is_refused_before_work(tag, tmp_path, contents):
    out = tmp_path / "out"
    tag()
    with resume.alone(str(out)):
        before = contents()
        with pytest.raises(UserError) as raised:
            tag("--num_train_epochs=2")
        assert contents() == before
    assert str(raised.value).startswith(
        f"Another run is writing --output_dir={out} (it has locked "
    )
    tag("--num_train_epochs=2")
    assert not list(out.glob(".lock*"))


def test_evaluation_beside_a_training_is_not(tag, tmp_path):
    tag()
    with resume.alone(str(tmp_path / "out")):
        tag(
            "--nodo_train",
            "--do_eval",
            f"--dev_file={tmp_path / 'other.txt'}",
        )
    assert (tmp_path / "out/eval_results.txt").exists()


def test_other_workers_take_no_lock(tag, tmp_path, monkeypatch):
    """They share output_dir with their chief."""
    monkeypatch.setattr(strategy, "is_chief", lambda: False)
    (tmp_path / "out").mkdir()
    with resume.alone(str(tmp_path / "out")):
        tag()


def test_after_a_kill_a_run_starts_at_once_and_cleans(tag, tmp_path):
    out = tmp_path / "out"
    tag("--save_checkpoints_steps=1")
    lock = out / ".lock-bert-training"
    code = (
        "import os, sys; from bert.files import run_lock\n"
        "with run_lock.alone(sys.argv[1], ''): os._exit(9)"
    )
    assert run_code(code, str(lock)).returncode == 9
    assert lock.exists()
    kept = {path.name for path in out.glob("model.ckpt-*")}
    # What SIGKILL leaves: at a save, a removal, the records, an export.
    best = out / "best"
    best.mkdir()
    for path in (
        out / "tmp-bert-model.ckpt-9.data-00000-of-00001",
        out / "model.ckpt-8.data-00000-of-00001",
        out / "model.ckpt-8.run.json",
        out / ".tmp-bert-train.tf_record",
        best / "tmp-bert-model.ckpt-7.index",
        best / "model.ckpt-7.data-00000-of-00001",
    ):
        path.write_text("half")
    others = {
        "mine.data-00000-of-00001",
        "model.ckpt-8.data-00000-of-2",
        ".tmp-bert-records.tfrecord",  # what data creation is writing
        ".tmp-bert-records.lock",
    }
    for name in others:
        (out / name).write_text("of others")
    tag("--num_train_epochs=2", "--save_checkpoints_steps=1")
    names = {path.name for path in out.iterdir()}
    odd = re.compile(r"tmp-bert|lock|ckpt-[789]|mine")
    assert {name for name in names if odd.search(name)} == others
    assert not list(best.iterdir())
    assert {name for name in kept if "-0." not in name} <= names


def test_where_a_folder_is_remote_nobody_is_kept_out(tmp_path):
    folder = f"file://{tmp_path}"
    with resume.alone(folder), resume.alone(folder):
        assert not list(tmp_path.iterdir())

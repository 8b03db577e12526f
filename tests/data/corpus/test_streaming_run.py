"""A job from end to end: restarts, warnings, and two runs at once."""

import dataclasses
import os
from pathlib import Path

import pytest

from bert.data.corpus import streaming
from bert.errors import UserError
from tests.data.corpus.test_streaming import (
    create,
    examples,
    make_job,
    shards,
)
from tests.data.corpus.test_streaming import folder as folder
from tests.data.corpus.unfinished_worker import Unfinished


@pytest.mark.parametrize("num_workers", [1, 2])
def test_restart_makes_the_missing_shards_alone(folder, num_workers):
    create(make_job(folder, "whole"))
    job = make_job(folder)
    with pytest.raises(OSError, match="No space left"):
        create(job, num_workers, Unfinished)
    before = {p: p.stat().st_mtime_ns for p in folder.glob("out-*")}
    assert 1 <= len(before) < job.num_shards
    assert not list(folder.glob(".tmp-bert-out-*"))

    create(job, num_workers)

    assert shards(folder) == shards(folder, "whole")
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_finished_job_is_left_alone(folder):
    job = make_job(folder)
    create(job)
    before = {p: p.stat().st_mtime_ns for p in folder.iterdir()}

    create(job)

    assert {p: p.stat().st_mtime_ns for p in folder.iterdir()} == before


@pytest.mark.parametrize("content", ["", "\n \n\n", "\u200b\n"])
def test_text_without_tokens_is_an_error(folder, content):
    (folder / "text.txt").write_text(content)

    with pytest.raises(UserError, match=r"Expected text.*text.txt, without"):
        create(make_job(folder))
    assert not list(folder.glob("*out*"))


def test_bad_bytes_and_a_single_document_are_warned_of(folder, caplog):
    (folder / "text.txt").write_bytes(b"w1 w2\nw3 \xff\n")

    create(make_job(folder))

    assert "Received 1 lines with other bytes" in caplog.text
    assert "text.txt, byte 0" in caplog.text
    assert "All text is one document" in caplog.text
    assert len(examples(folder)) == 2


def test_line_longer_than_a_block_is_an_error_before_work(folder):
    (folder / "text.txt").write_text("w1\n\n" + "w2 " * 300)

    with pytest.raises(UserError, match="byte 4: expected a sentence a line"):
        create(make_job(folder), 2)
    assert not list(folder.glob("*out*"))


def test_files_may_have_a_scheme(folder):
    """Those are read and written through TensorFlow."""
    create(make_job(folder, "local"))
    job = make_job(folder, "remote")
    remote = dataclasses.replace(
        job,
        names=tuple(f"file://{name}" for name in job.names),
        output_file=f"file://{job.output_file}",
        reservoir_file=f"file://{job.reservoir_file}",
    )

    create(remote)
    create(remote)

    assert shards(folder, "remote") == shards(folder, "local")
    assert not list(folder.glob(".tmp*"))


def test_two_runs_at_once_with_one_output_are_refused(folder):
    """Else the second one's manifest would stand beside the first's shards."""
    lock = make_job(folder).reservoir_file + ".lock"

    class Second(streaming.Worker):
        def make_shard(self, shard):
            with pytest.raises(UserError, match="Another run is writing"):
                create(make_job(folder, seed=2))
            assert os.path.exists(lock)
            return super().make_shard(shard)

    create(make_job(folder), worker=Second)
    create(make_job(folder, "alone"))
    assert shards(folder) == shards(folder, "alone")
    assert not os.path.exists(lock)


def test_lock_of_a_killed_run_is_no_hindrance(folder):
    job = make_job(folder)
    Path(job.reservoir_file + ".lock").touch()
    create(job)
    assert not os.path.exists(job.reservoir_file + ".lock")


def test_document_without_tokens_is_none_to_warn_of(folder, caplog):
    (folder / "text.txt").write_text("w1 w2\nw3\n\n\u200b\n")
    create(make_job(folder))
    assert "All text is one document" in caplog.text

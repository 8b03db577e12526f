"""Lines that are added and completed, whatever cuts or locks the file."""

import json
import os
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import pytest

from bert.files import json_log

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["", "file://"])
def path(request, tmp_path):
    """A local file; and one that is written as an object store's is."""
    if request.param:
        pytest.importorskip("tensorflow")
    return f"{request.param}{tmp_path / 'log.jsonl'}"


def test_an_object_is_completed_in_its_place(path):
    for name in "abc":
        json_log.append(path, {"id": name})
    json_log.complete(path, {"id": "b", "end": 1.5})
    json_log.complete(path, {"id": "d"})
    assert json_log.read(path) == (
        [{"id": "a"}, {"id": "b", "end": 1.5}, {"id": "c"}, {"id": "d"}],
        [],
    )


def test_what_a_full_disk_cut_stays_and_is_named(path, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b'{"id": "a"}\n{"id": "b", "x\n[1]\n{')
    json_log.append(path, {"id": "c"})
    assert json_log.read(path) == ([{"id": "a"}, {"id": "c"}], [2, 3, 4])
    json_log.complete(path, {"id": "a", "end": 1})
    assert json_log.read(path) == (
        [{"id": "a", "end": 1}, {"id": "c"}],
        [2, 3, 4],
    )


def test_a_file_without_a_last_line_end_is_read(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": "a"}')
    assert json_log.read(str(path)) == ([{"id": "a"}], [])


def test_any_text_comes_back(path):
    entry = {"id": "a", "text": "ü 中\u2028\n\udcff"}
    json_log.append(path, entry)
    assert json_log.read(path).entries == [entry]


def test_adding_is_one_write(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(os, "write", lambda _, data: written.append(data))
    json_log.append(str(tmp_path / "log.jsonl"), {"id": "a"})
    assert written == [b'{"id": "a"}\n']


def test_processes_lose_no_line_of_one_another(tmp_path):
    path = str(tmp_path / "log.jsonl")
    code = (
        "import sys; from bert.files import json_log\n"
        "for i in range(20):\n"
        "    entry = {'id': f'{sys.argv[2]}-{i}'}\n"
        "    json_log.append(sys.argv[1], entry)\n"
        "    json_log.complete(sys.argv[1], {**entry, 'end': True})\n"
    )
    with futures.ThreadPoolExecutor() as pool:
        for done in pool.map(
            lambda name: subprocess.run(
                [sys.executable, "-c", code, path, name], cwd=ROOT, check=False
            ),
            "abc",
        ):
            assert done.returncode == 0
    entries, broken = json_log.read(path)
    assert not broken
    assert all(entry["end"] for entry in entries)
    assert len({entry["id"] for entry in entries}) == len(entries) == 60


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_who_keeps_the_lock_is_not_waited_for_long(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(json_log, "_PATIENCE_SECONDS", 0.05)
    path = tmp_path / "log.jsonl"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            json_log.append(str(path), {"id": "a"})


def test_lines_are_json_of_one_line(path, tmp_path):
    json_log.append(path, {"id": "a", "text": "a\r\nb"})
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "a\r\nb"

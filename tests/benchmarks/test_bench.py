"""The coordinator, with contestants that have clocks of their own."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.peers import contestants, history
from benchmarks.peers.contestants import Contestant

PEERS = Path(contestants.__file__).parent
FAKE = f"""
import os
import sys
import time

sys.path.insert(0, {str(PEERS)!r})
import worker

now = 0.0
time.perf_counter = lambda: now


def forward(cell):
    print("this must not come between the answers")
    if cell["length"] == 384:
        raise ValueError("too long\\nfor me")

    def job(times):
        global now
        now += float(os.environ["TAKES"]) * times

    return job


def train_step(cell):
    os._exit(3)


if __name__ == "__main__":
    worker.serve({{"forward": forward, "train_step": train_step}}, ("pytest",))
"""


@pytest.fixture
def run_bench(tmp_path, monkeypatch):
    """Runs the benchmark with two fakes and one that is not installed."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    works = dict.fromkeys(("forward", "train_step"), str(script))
    chosen = [
        Contestant("ours", works, None, "fast", {"TAKES": "0.002"}),
        Contestant("slow", works, None, "takes long", {"TAKES": "0.02"}),
        Contestant("far", works, "far_away", "is not there"),
    ]
    monkeypatch.setattr(
        contestants, "CONTESTANTS", {one.name: one for one in chosen}
    )

    def run(*flags):
        arguments = [
            "--models=2x128",
            "--rounds=2",
            "--seconds=0.01",
            f"--output_dir={tmp_path / 'out'}",
            f"--peers_dir={tmp_path}",
            *flags,
        ]
        monkeypatch.setattr(sys, "argv", ["bench.py", *arguments])
        bench.main()
        content = json.loads((tmp_path / "out/bench.json").read_text())
        return content, (tmp_path / "out/bench.md").read_text()

    return run


def test_the_faster_one_is_faster_in_the_table(run_bench):
    content, markdown = run_bench("--work=forward", "--lengths=128")

    (table,) = content["tables"]
    ours, slow = table["rows"]
    assert (ours["name"], slow["name"]) == ("ours", "slow")
    assert slow["ours_times_faster"] == pytest.approx(10)
    assert ours["items_per_second"] == pytest.approx(32 / 0.002)
    assert len(table["rounds"]) == 2
    assert "### forward, 2x128, 32 x 128, classifier" in markdown
    assert "| slow |" in markdown


def test_the_page_has_a_bar_for_each_and_compares_with_an_earlier_run(
    run_bench, capsys, monkeypatch
):
    flags = ("--work=forward", "--lengths=128")
    monkeypatch.setattr(history, "commit", lambda _: "0000000")
    run_bench(*flags)
    first = capsys.readouterr().out.splitlines()
    run_bench(*flags)
    assert capsys.readouterr().out.splitlines() == first  # of the same commit
    monkeypatch.setattr(history, "commit", lambda _: "1111111")
    run_bench(*flags)
    later = capsys.readouterr().out.splitlines()

    start = first.index(
        "forward, 2x128, 32 x 128, classifier: examples/s, longer is better"
    )
    assert first[start + 1 : start + 5] == [
        f"  ours {'█' * 32} 1.6e+04",
        f"  slow {'█' * 3:32} 1,600    0.10 times ours",
        "",
        "Left out: far.",
    ]
    assert later[start + 1] == (
        f"  ours {'█' * 32} 1.6e+04  1.00 times 0000000's figure"
    )


def test_one_that_is_not_installed_is_listed(run_bench):
    content, markdown = run_bench("--work=forward", "--lengths=128")

    assert "python -m benchmarks.make_peers far_away" in markdown
    assert list(content["left_out"]) == ["far"]


def test_an_error_is_listed_and_the_next_cell_measured(run_bench):
    content, markdown = run_bench("--work=forward", "--lengths=384,128")

    long, short = content["tables"]
    assert long["refused"]["ours"] == "ValueError: too long"
    assert not long["rows"]
    assert len(short["rows"]) == 2
    assert "- ours failed: ValueError: too long" in markdown


def test_a_process_that_dies_is_listed(run_bench):
    content, _ = run_bench("--work=train_step", "--lengths=128")

    (table,) = content["tables"]
    assert "exit code 3" in table["refused"]["ours"]


def test_work_without_its_files_is_listed(run_bench):
    content, _ = run_bench("--work=tokenization,predict_mrpc")

    assert content["left_out"]["tokenization"] == (
        "not measured, for it needs --vocab_file, --text_file"
    )
    assert "--data_dir" in content["left_out"]["predict_mrpc"]


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--work=fly", "--work: expected forward,"),
        ("--peers=nobody", "--peers: expected ours, slow, far."),
        ("--models=big", "Expected a model as LAYERSxUNITS"),
        ("--models=0x128", "Expected a model as LAYERSxUNITS"),
        ("--rounds=0", "must be at least 1"),
        ("--lengths=128,0", "must be at least 1"),
        ("--rows=-1", "must be at least 1"),
        ("--vocab_file=/nowhere", "--vocab_file: there is no /nowhere"),
        ("--text_file=/", "--text_file: / is no file"),
        ("--python=foo", "expected ENVIRONMENT=PYTHON"),
        ("--output_dir=/dev/null/x", "Not a directory"),
    ],
)
def test_a_wrong_flag_is_refused(run_bench, capsys, flag, message):
    with pytest.raises(SystemExit):
        run_bench(flag)

    assert message in capsys.readouterr().err

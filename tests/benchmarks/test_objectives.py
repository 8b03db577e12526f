import pytest

from benchmarks import objectives


def test_every_20th_document_is_held_out(tmp_path):
    text = tmp_path / "all.txt"
    text.write_text("\n\n".join(f"{n} a\n{n} b" for n in range(41)) + "\n")

    objectives.divide(text, tmp_path)

    assert (tmp_path / "held_out.txt").read_text() == (
        "0 a\n0 b\n\n20 a\n20 b\n\n40 a\n40 b\n"
    )
    kept = (tmp_path / "text.txt").read_text().split("\n\n")
    assert len(kept) == 38
    assert kept[0] == "1 a\n1 b"


def test_the_rate_leaves_out_the_first_point(tmp_path):
    log = (
        "x\ny global_step/sec: 1.5\nz global_step/sec: 4\nglobal_step/sec: 5\n"
    )
    (tmp_path / "run.log").write_text(log)

    rate = objectives.steps_per_second(tmp_path / "run")

    assert rate == pytest.approx(4.5)

import math

import pytest

from benchmarks import gpu


@pytest.mark.slow
@pytest.mark.parametrize("precision", list(gpu.LIMITS))
def test_the_numbers_are_the_originals(precision, capsys):
    assert gpu.check(precision, use_xla=False)
    assert capsys.readouterr().out.endswith("| right |\n")


@pytest.mark.parametrize(
    ("outputs", "losses"), [((1e-3, 1.0), 0.0), ((0.0, 1.0), math.nan)]
)
def test_a_wrong_number_ends_it_with_1(outputs, losses, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "compare_outputs", lambda *_: outputs)
    monkeypatch.setattr(gpu, "compare_losses", lambda *_: losses)
    monkeypatch.setattr(
        "sys.argv", ["gpu.py", "--models=", "--precisions=float32"]
    )

    with pytest.raises(SystemExit, match="not the original's"):
        gpu.main()
    assert "WRONG" in capsys.readouterr().out

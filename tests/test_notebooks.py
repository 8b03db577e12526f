"""The notebooks run as they are printed, cell by cell, without Jupyter."""

import json
import os
import re
import subprocess
import sys

import pytest

from bert.modeling import checkpoint
from tests import manual
from tests.conversion import run_folder

FOLDER = manual.ROOT / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
# What the code of each prints on a tiny model.
PRINTED = {
    "first_steps.ipynb": [
        *("'is', 'lost', '.'", "eval_accuracy = ", "charged two times."),
    ],
    "movie_reviews.ipynb": [
        *("38 to train on, 16 to test with", "'eval_accuracy': "),
        "Absolutely fantastic!",
    ],
    "tour.ipynb": [
        *("2 layers of 3", "river → ", "of layer", "Open show.html"),
        r"She has money|0\.\d{3}",
    ],
}
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def cells_of(name, kind):
    """Returns the sources of a notebook's cells of a kind."""
    notebook = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 4)
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == kind
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A tiny model with pre-training heads, as a published one lies."""
    run = tmp_path_factory.mktemp("models") / "run"
    vocab = (manual.ROOT / "sample_data/vocab.txt").read_text().split()
    vocab += ["river", "three", "bank", "lost"]
    vocab = list(dict.fromkeys(vocab))
    config = run_folder.tiny_config(vocab_size=len(vocab))
    model = run_folder.make_model("pretraining", config)
    run.mkdir()
    (run / "vocab.txt").write_text("\n".join(vocab) + "\n")
    (run / "bert_config.json").write_text(config.to_json_string())
    checkpoint.write_files(
        str(run / "bert_model.ckpt"), run_folder.weights_of(model)
    )
    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(base, tmp_path, name):
    code = tmp_path / "cells.py"
    code.write_text("\n\n".join(cells_of(name, "code")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, code.name],
        cwd=tmp_path,
        env={
            **os.environ,
            "BERT_BASE_DIR": str(base),
            "BERT_SAMPLE_DATA": str(manual.ROOT / "sample_data"),
            "PYTHONPATH": str(manual.ROOT),
            "PYTHONUTF8": "1",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for text in PRINTED[name]:
        assert re.search(text, done.stdout), text


def test_all_notebooks_are_tested():
    assert sorted(PRINTED) == NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_says_what_it_needs_and_links_lead_somewhere(name):
    first, *others = cells_of(name, "markdown")
    assert "$BERT_BASE_DIR" in first
    assert "In real life take" in first
    for link in _LINK.findall("\n".join([first, *others])):
        file = link.partition("#")[0]
        assert "://" in link or (FOLDER / file).exists(), link


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_kept_small(name):
    assert (FOLDER / name).stat().st_size < 20_000
    notebook = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            assert output["output_type"] == "stream"
            assert len("".join(output["text"])) < 1000

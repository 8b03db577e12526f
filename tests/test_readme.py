"""What the README prints runs as it is printed."""

import os
import re
import shutil
from pathlib import Path

from tests.scripts.runner import ROOT, run

README = (ROOT / "README.md").read_text()


def test_the_python_example_runs(golden, tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copy(golden / "inputs/vocab.txt", tmp_path)
    for path in (golden / "model_base").glob("bert_*"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert "Loaded 55 weights" in capsys.readouterr().out
    assert names["outputs"]["pooled_output"].shape == (1, 32)


def test_the_commands_run_as_printed(tmp_path):
    (block,) = re.findall(r"```\n(python create.*?)```", README, re.DOTALL)
    model = ROOT / "sample_data"
    commands = [
        command.replace("\\\n", " ")
        .replace("/tmp/", f"{tmp_path}/")
        .replace("$BERT_BASE_DIR", str(model))
        .replace("./sample_data", str(model))
        .split()
        for command in block.split("\n\n")
    ]
    for _, script, *args in commands:
        # The sample data has no weights to start from.
        run(script, *(a for a in args if "init_checkpoint" not in a))
    assert (
        "global_step = 20"
        in Path(tmp_path / "pretraining_output/eval_results.txt").read_text()
    )
    assert os.path.getsize(tmp_path / "tf_examples.tfrecord") > 0

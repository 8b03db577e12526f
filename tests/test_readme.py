"""What the README prints runs as it is printed."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from bert.modeling import BertConfig, BertModel, checkpoint
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


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """What the fine-tuning commands read: a tiny model and tiny data."""
    folder = tmp_path_factory.mktemp("readme")
    base = folder / "base"
    base.mkdir()
    shutil.copy(golden / "inputs/vocab.txt", base)
    config = json.loads((golden / "model_base/bert_config.json").read_text())
    config |= {"max_position_embeddings": 512, "num_hidden_layers": 4}
    (base / "bert_config.json").write_text(json.dumps(config))
    model = BertModel(BertConfig(**config), init_seed=1)
    checkpoint.write_files(
        str(base / "bert_model.ckpt"), checkpoint.named_variables(model)
    )
    shutil.copytree(golden / "inputs/mrpc", folder / "glue/MRPC")
    shutil.copytree(golden / "inputs/squad", folder / "squad")
    (folder / "input.txt").write_text("Who was Jim? ||| Jim was a man .\n")
    return folder


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("run_classifier.py", "mrpc_output/eval_results.txt"),
        ("run_squad.py", "squad_base/predictions.json"),
        ("extract_features.py", "output.jsonl"),
    ],
)
def test_a_fine_tuning_command_runs_as_printed(folder, script, result):
    (command,) = re.findall(
        rf"```\npython {script} (.*?)```", README, re.DOTALL
    )
    args = (
        command.replace("\\\n", " ")
        .replace("/tmp/", f"{folder}/")
        .replace("$BERT_BASE_DIR", f"{folder}/base")
        .replace("$GLUE_DIR", f"{folder}/glue")
        .replace("$SQUAD_DIR", f"{folder}/squad")
        .split()
    )
    # Of the sample there are fewer rows than the original's batches have.
    few = ["--train_batch_size=4"] * ("train" in command)
    run(script, *args, *few)
    assert (folder / result).stat().st_size > 0


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

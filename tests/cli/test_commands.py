"""The command `bert`: what it lists, and that it runs what it lists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bert
from bert.cli import commands

ROOT = Path(__file__).parents[2]
# At the top, but imported by old code instead of run.
MODULES = {"__init__", "__main__", "errors", "optimization", "tokenization"}


def run(*args, cwd=ROOT, module=("-m", "bert")):
    return subprocess.run(
        [sys.executable, *module, *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def overview(monkeypatch, capsys, *args):
    monkeypatch.setattr(sys, "argv", ["bert", *args])
    commands.main()
    return capsys.readouterr().out


@pytest.mark.parametrize("args", [[], ["help"], ["--help"], ["-h"]])
def test_every_script_is_listed_once(monkeypatch, capsys, args):
    lines = overview(monkeypatch, capsys, *args).splitlines()

    listed = [m[1] for m in (re.match(r"  (\w+) +\S", x) for x in lines) if m]
    tools = ROOT / "tools"
    files = [*ROOT.glob("*.py"), *tools.glob("*.py")]
    assert sorted(listed) == sorted({f.stem for f in files} - MODULES)


def test_a_line_says_what_the_command_does(monkeypatch, capsys):
    assert (
        "\n  run_ner                   Fine-tunes BERT to label words: named "
        "entities, parts of speech.\n"
    ) in overview(monkeypatch, capsys)


@pytest.mark.parametrize("name", ["run_ner", "run_ner.py"])
def test_a_command_is_its_script(name):
    args = ["--output_dir=out", "--zzz"]
    by_name = run(name, *args)
    script = run(*args, module=["run_ner.py"])
    assert by_name.returncode == script.returncode == 1
    assert by_name.stderr == script.stderr != ""
    assert by_name.stdout == script.stdout


def test_help_of_a_command_is_that_of_its_script():
    by_name = run("create_pretraining_data", "--help")
    script = run("--help", module=["create_pretraining_data.py"])
    # Above the flags stands the path that was started.
    path = re.compile(r"^\S*create_pretraining_data\.py:$", re.MULTILINE)
    assert path.sub("", by_name.stdout) == path.sub("", script.stdout)
    assert by_name.returncode == script.returncode
    assert "--max_seq_length" in by_name.stdout


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("run_clasifier", "did you mean run_classifier?"),
        ("zzz", "bert lists them."),
        ("cli", "bert lists them."),
    ],
)
def test_unknown_command_is_one_line(monkeypatch, capsys, name, hint):
    monkeypatch.setattr(sys, "argv", ["bert", name])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        f"error: expected a command. Received: {name!r}; {hint}\n"
    )


def test_version(monkeypatch, capsys):
    assert overview(monkeypatch, capsys, "--version") == (
        f"{bert.__version__}\n"
    )


def test_it_runs_in_another_folder(tmp_path):
    for name in ("cli", "data", "errors", "tokenization"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('foreign')")

    listed = run(cwd=tmp_path)
    ran = run("predict", "--model_dir=none", cwd=tmp_path)

    assert listed.returncode == 0, listed.stderr
    assert "run_classifier" in listed.stdout
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr


def test_listing_needs_no_tensorflow():
    code = (
        "import sys; sys.argv = ['bert']\n"
        "from bert.cli import commands; commands.main()\n"
        "print([n for n in ('tensorflow', 'numpy', 'absl') "
        "if n in sys.modules])"
    )
    done = run(code, module=["-c"])
    assert done.stdout.splitlines()[-1] == "[]"

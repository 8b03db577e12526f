"""One import name, `bert`: installed, and in all ways that a clone is used."""

import email.parser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import bert
from tests.break_lines import known_files

ROOT = Path(__file__).parents[1]
if not (ROOT / ".git").exists():
    pytest.skip("git says what the package is", allow_module_level=True)
OUTSIDE = ("bert/", "benchmarks/", "examples/", "tests/")
MODULES = {
    name
    for name in known_files()
    if name.endswith((".py", ".js")) and not name.startswith(OUTSIDE)
}

# What all ways must have in common: a file is one module, under each of its
# names, and that module is also the attribute of its package.
CHECK = f"""
import os, sys
import bert, bert.data.text.tokenization, bert.modeling.config
import bert.tokenization

def check():
    found = {{}}
    root = os.path.dirname(os.path.realpath(bert.__file__)) + os.sep
    for name, module in list(sys.modules.items()):
        file = os.path.realpath(getattr(module, "__file__", None) or "")
        # A clone may hold its own environment, with the modules of others.
        is_ours = file.startswith(root)
        if is_ours and "site-packages" not in file[len(root):]:
            one = found.setdefault(file, module)
            assert one is module, f"{{file}} is loaded twice: {{name}}"
        if name.startswith("bert."):
            parent, _, last = name.rpartition(".")
            assert getattr(sys.modules[parent], last) is module, name
    assert bert.__version__ == {bert.__version__!r}
    assert bert.modeling.BertConfig is bert.modeling.config.BertConfig
    assert (bert.tokenization.FullTokenizer
            is bert.data.text.tokenization.FullTokenizer)
    assert len(found) > 5

check()
"""

# Runs the statements of the command line in every order, each in a process.
ORDERS = f"""
import itertools, os, sys, traceback
from absl import logging  # once for all
bad = 0
for order in itertools.permutations(sys.argv[1:]):
    child = os.fork()
    if child:
        bad |= os.waitpid(child, 0)[1]
        continue
    try:
        for statement in order:
            exec(statement, {{}})
        exec({CHECK!r}, {{}})
    except BaseException:
        traceback.print_exc()
        print(*order, sep="; ", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)
sys.exit(bad != 0)
"""

# What users of the package do, in a folder that has modules of our names.
INSTALLED = """
from bert import (
    create_pretraining_data, extract_features, modeling, run_classifier,
    run_pretraining, run_squad, tokenization,
)
from bert.serving.predictor import Predictor
from bert.modeling import BertModel
from bert.modeling.backbones.bert import BertModel as same
assert BertModel is same
from bert.run_squad import SquadExample
assert SquadExample("q", "Who?", ["a"]) is not None
assert create_pretraining_data.MaskedLmInstance(1, "a").label == "a"
assert extract_features.InputExample(1, "a", None).text_b is None
assert run_classifier.InputFeatures([1], [1], [0], 2).label_id == 2
assert run_squad.FLAGS.max_query_length == 64
"""


def run(*words, cwd, path=(), python=sys.executable, check=True):
    """Runs Python elsewhere, with a path of its own."""
    done = subprocess.run(
        [str(python), *map(str, words)],
        cwd=cwd,
        env={
            **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            **({"PYTHONPATH": os.pathsep.join(map(str, path))} if path else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A user's folder: each of our names is a module there, and a bad one."""
    folder = tmp_path_factory.mktemp("foreign")
    for name in {name.partition("/")[0] for name in MODULES}:
        if not name.startswith("__"):
            file = name if name.endswith(".py") else f"{name}/__init__.py"
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text("raise RuntimeError('not yours')")
    assert (folder / "errors.py").exists()
    assert (folder / "evaluation/__init__.py").exists()
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone called `bert`, alone in its parent."""
    folder = tmp_path_factory.mktemp("parent") / "bert"
    for name in {*MODULES, "bert/__init__.py"}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def environment(folder, *install):
    """Makes a new environment that sees the packages of the present one."""
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "present.pth").write_text(
        "\n".join({sysconfig.get_path(n) for n in ("purelib", "platlib")})
    )
    pip("--python", python, "install", "--no-index", *install)
    return python


def pip(*words):
    run("-m", "pip", "-q", "--disable-pip-version-check", *words, cwd=ROOT)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--no-deps", "-w", folder, ROOT)
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of an environment with the wheel."""
    return environment(tmp_path_factory.mktemp("installed"), "--no-deps", wheel)


@pytest.fixture(scope="module")
def editable(tmp_path_factory):
    """The Python of an environment with `pip install -e .`."""
    return environment(
        tmp_path_factory.mktemp("editable"),
        *("--no-deps", "--no-build-isolation", "-e", ROOT),
    )


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {name for name in names if ".dist-info/" not in name}
    assert modules == {f"bert/{name}" for name in MODULES}


def names_of(requirements):
    return {re.split(r"[<>=\[; ]", line)[0] for line in requirements}


def test_the_wheel_says_what_it_is_and_asks_what_the_requirements_do(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/METADATA"))
        text = archive.read(name).decode()
    found = email.parser.Parser().parsestr(text)
    assert found["Version"] == bert.__version__
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Summary"]
    assert found.get_payload().startswith("# BERT")
    files = {
        path.stem.removeprefix("requirements-"): path
        for path in ROOT.glob("requirements*.txt")
        if path.stem not in ("requirements-dev", "requirements-minilm")
    }
    asked = "".join(path.read_text() for path in files.values()).splitlines()
    assert names_of(found.get_all("Requires-Dist")) == names_of(
        line for line in asked if line and not line.startswith("#")
    )
    extras = set(found.get_all("Provides-Extra"))
    assert extras == set(files) - {"requirements"}


@pytest.mark.parametrize("way", ["installed", "editable"])
def test_an_installed_package_minds_no_modules_of_a_user(way, foreign, request):
    python = request.getfixturevalue(way)
    run("-c", INSTALLED + CHECK, cwd=foreign, python=python)


@pytest.mark.parametrize("way", ["installed", "editable"])
def test_the_console_command_runs_anywhere(way, foreign, request):
    python = request.getfixturevalue(way)
    command = python.with_name("bert")
    for words in ([command], ["-m", "bert"]):
        done = run(*words, "--version", cwd=foreign, python=python)
        assert done.stdout == f"{bert.__version__}\n"
    help_text = run(command, cwd=foreign, python=python).stdout
    assert "run_classifier" in help_text
    shown = run(
        *(command, "run_classifier", "--help"),
        cwd=foreign,
        python=python,
        check=False,  # absl's --help exits with 1
    )
    assert "--data_dir" in shown.stdout


def test_a_bare_name_is_not_ours_where_the_package_is_installed(
    installed, tmp_path
):
    done = run(
        *("-c", "import bert, tokenization"),
        cwd=tmp_path,
        python=installed,
        check=False,
    )
    assert done.stderr.endswith("No module named 'tokenization'\n")


STATEMENTS = (
    "import modeling, data.text",
    "import modeling.config",
    "from tokenization import FullTokenizer",
    "from bert.data.text import tokenization",
)


@pytest.mark.parametrize(
    "path",
    [
        ["clone"],
        ["parent", "clone"],
        ["clone", "parent"],
        ["link", "clone"],
        ["clone", "link"],
    ],
)
def test_a_module_is_one_in_any_order_of_its_names(clone, tmp_path, path):
    (tmp_path / "bert").symlink_to(clone)
    places = {"clone": clone, "parent": clone.parent, "link": tmp_path}
    run(
        *("-c", ORDERS, *STATEMENTS),
        cwd=tmp_path.parent,
        path=[places[name] for name in path],
    )


@pytest.mark.parametrize("first", ["tokenization", "bert.tokenization"])
def test_a_module_can_be_reloaded_under_each_name(clone, tmp_path, first):
    code = (
        f"import importlib, {first}, tokenization, bert.tokenization as ours; "
        "found = importlib.reload(tokenization); "
        "assert found is ours is tokenization"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_parent_of_a_clone_gives_the_package_and_no_bare_name(
    clone, tmp_path
):
    statements = (
        "from bert import tokenization",
        "import bert.modeling",
        "import bert.run_squad",
        "from bert.modeling import config",
    )
    run("-c", ORDERS, *statements, cwd=tmp_path, path=[clone.parent])
    done = run(
        *("-c", "import bert, tokenization"),
        cwd=tmp_path,
        path=[clone.parent],
        check=False,
    )
    assert done.stderr.endswith("No module named 'tokenization'\n")


@pytest.mark.parametrize("place", ["clone", "parent"])
def test_a_users_module_keeps_its_name_beside_a_clone(clone, tmp_path, place):
    for name in ("data", "errors"):
        (tmp_path / f"{name}.py").write_text("MINE = 1")
    bare = ["import modeling.config"] if place == "clone" else []
    run(
        *("-c", ORDERS, *bare, "from data import MINE", "import bert.errors"),
        "from errors import MINE",
        cwd=tmp_path,
        path=[clone if place == "clone" else clone.parent],
    )


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (".", ["{clone}/run_classifier.py"]),
        ("clone", ["run_classifier.py"]),
        ("clone", ["-m", "run_classifier"]),
        ("clone", ["-m", "bert", "run_classifier"]),
        ("clone", ["-m", "bert.run_classifier"]),
        ("parent", ["bert/run_classifier.py"]),
        ("parent", ["-m", "bert", "run_classifier"]),
        ("parent", ["-m", "bert.run_classifier"]),
    ],
)
def test_a_clones_script_starts_in_each_way(clone, foreign, place, words):
    cwd = {".": foreign, "clone": clone, "parent": clone.parent}[place]
    words = [word.format(clone=clone) for word in words]
    done = run(*words, "--help", cwd=cwd, check=False)
    assert "--data_dir" in done.stdout, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("place", ["clone", "parent"])
def test_a_clone_lists_its_commands(clone, place):
    cwd = clone if place == "clone" else clone.parent
    done = run("-m", "bert", cwd=cwd)
    assert "run_classifier" in done.stdout
    version = run("-m", "bert", "--version", cwd=cwd).stdout
    assert version == f"{bert.__version__}\n"


@pytest.mark.parametrize("way", ["script", "parent", "installed"])
def test_processes_start_whichever_way_the_script_did(
    clone, foreign, golden, tmp_path, way, request
):
    words = {
        "script": [clone / "create_pretraining_data.py"],
        "parent": ["-m", "bert", "create_pretraining_data"],
        "installed": ["-m", "bert", "create_pretraining_data"],
    }[way]
    run(
        *words,
        f"--input_file={golden}/inputs/corpus_b.txt",
        f"--vocab_file={golden}/inputs/vocab.txt",
        f"--output_file={tmp_path}/out",
        *("--num_workers=2", "--dupe_factor=1"),
        cwd=clone.parent if way == "parent" else foreign,
        python=request.getfixturevalue("installed")
        if way == "installed"
        else sys.executable,
    )
    assert any(file.stat().st_size for file in tmp_path.iterdir())


@pytest.mark.downloads
def test_pip_installs_the_package_and_all_that_it_needs(
    foreign, golden, tmp_path
):
    """`make test-install`: some minutes, and 2 GB."""
    venv.create(tmp_path / "venv", symlinks=True, with_pip=True)
    python = tmp_path / "venv/bin/python"
    run("-m", "pip", "install", ROOT, cwd=foreign, python=python)
    run("-m", "pip", "check", cwd=foreign, python=python)
    run("-c", INSTALLED + CHECK, cwd=foreign, python=python)
    run(
        *(python.with_name("bert"), "convert_checkpoint"),
        *("--from=original", "--to=huggingface"),
        f"--input_dir={golden}/model_base",
        f"--vocab_file={golden}/inputs/vocab.txt",
        f"--output_dir={tmp_path}/out",
        cwd=foreign,
        python=python,
    )
    assert (tmp_path / "out/model.safetensors").stat().st_size > 0

"""Imports point one way, and what must start fast starts without TensorFlow.

scripts -> tasks.multitask -> tasks.finetune -> serving, conversion -> tasks ->
model_folder -> training -> modeling, cli; tasks, serving, conversion -> data.
modeling, data, evaluation and pages import none of the others, all may import
errors and files, nothing imports a script (but SCRIPTS_OF) or a tool. Only
scripts import compat, which is for old code. All say `bert.` in front. FLAGS
ends in the scripts and tools.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert.tasks.spec import SPECS
from tests.scripts.runner import run_code

ROOT = Path(__file__).parent.parent

# What all may import.
LEAVES = {"errors", "files", "tasks.spec"}
# What each room may import of the others; itself always. A room is a package or
# module at the top, or a module of a package that has a line of its own. A
# module at the top that is not here is a script.
MAY_IMPORT = {
    "errors": set(),
    "files": {"errors"},
    "tasks.spec": set(),
    "cli": LEAVES,
    "modeling": LEAVES,
    "data": LEAVES,
    "evaluation": LEAVES,
    "pages": LEAVES,
    "training": {*LEAVES, "cli", "modeling"},
    "model_folder": {*LEAVES, "data", "modeling", "training"},
    "tasks": {
        *LEAVES,
        *("cli", "data", "evaluation", "modeling", "model_folder", "pages"),
        "training",
    },
    "conversion": {
        *LEAVES,
        *("data", "modeling", "model_folder", "tasks", "training"),
    },
    "serving": {
        *LEAVES,
        *("cli", "data", "evaluation", "modeling", "model_folder", "tasks"),
        *("pages", "training"),
    },
    "compat": {*LEAVES, "data", "tasks"},
    "tokenization": {"data"},
    "optimization": {"training"},
}
ANYTHING = {*MAY_IMPORT, "tasks.finetune", "tasks.multitask"}
# The pipelines.
MAY_IMPORT["tasks.finetune"] = ANYTHING
MAY_IMPORT["tasks.multitask"] = ANYTHING
# Commands, as the scripts at the top are.
MAY_IMPORT["tools"] = ANYTHING
# As in the original: the same pipeline, with other files to begin with.
SCRIPTS_OF = {"run_classifier_with_tfhub": {"run_classifier"}}
# Not of the package: they drive the scripts and the library as a user does.
OUTSIDE = {"benchmarks", "tests"}
# The package itself, where it is a clone, and its command.
NO_ROOM = {"__init__", "__main__", "bert"}

FAST_TO_IMPORT = [
    "cli.command_line",
    "data.corpus.instances",
    "data.text.tokenization",
    "model_folder.task_files",
    "modeling.config",
    "optimization",
    "tasks.finetune",
    "tokenization",
]
HEAVY = ["keras", "numpy", "tensorflow", "tensorflow_text"]
# What answers by other runtimes, which start in a fraction of TensorFlow's
# time.
WITHOUT_TENSORFLOW = [
    "serving.predictor",
    "serving.http_models",
    *(row.inference.partition(":")[0].removeprefix("bert.") for row in SPECS),
]


def _top_level_names(root: Path) -> set[str]:
    """Packages and modules at the top of the tree."""
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    modules = {path.stem for path in root.glob("*.py")}
    return (packages | modules) - NO_ROOM


def _scripts(root: Path) -> list[str]:
    modules = {path.stem for path in root.glob("*.py")}
    return sorted(modules - set(MAY_IMPORT) - NO_ROOM)


def _room(module: str) -> str:
    """Returns the room of a dotted name, which lacks `bert.`."""
    two = ".".join(module.split(".")[:2])
    return two if two in MAY_IMPORT else module.partition(".")[0]


def _source_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yields (room, file) of what we keep."""
    for name in _top_level_names(root) - OUTSIDE:
        package = root / name
        files = package.rglob("*.py") if package.is_dir() else [f"{name}.py"]
        for path in sorted(root / file for file in files):
            parts = path.relative_to(root).with_suffix("").parts
            yield _room(".".join(parts)), path


def _imported_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields (line, dotted name) of each absolute import.

    Those in functions and under TYPE_CHECKING count: they are arrows too.
    """
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            name = getattr(node.args[0], "value", None)
            if called in ("import_module", "__import__"):
                names = [name] if isinstance(name, str) else []
        for name in names:
            yield node.lineno, name


def wrong_imports(root: Path) -> list[str]:
    """Lists `file:line` of each import that points the wrong way."""
    ours = _top_level_names(root) | {_room(n) for n in MAY_IMPORT} | OUTSIDE
    found = []
    for room, path in _source_files(root):
        allowed = MAY_IMPORT.get(room, ANYTHING) | {room}
        allowed |= SCRIPTS_OF.get(room, set())
        for line, name in _imported_names(ast.parse(path.read_bytes())):
            where = f"{path.relative_to(root)}:{line} imports {name}"
            if name.startswith("bert."):
                imported = _room(name.removeprefix("bert."))
                if imported in ours - allowed:
                    found.append(where)
            elif name.partition(".")[0] in ours:
                found.append(f"{where} without bert.")
    return found


def flags_out_of_place(root: Path) -> list[str]:
    """Lists `file:line` of FLAGS outside scripts and cli/."""
    found = []
    for room, path in _source_files(root):
        if room in _scripts(root) or room in ("cli", "tools"):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            named = (
                getattr(node, "id", None),  # FLAGS
                getattr(node, "attr", None),  # flags.FLAGS
                getattr(node, "name", None),  # from ... import FLAGS
            )
            if "FLAGS" in named:
                found.append(f"{path.relative_to(root)}:{node.lineno}")
    return found


def unknown_packages(root: Path) -> set[str]:
    """Packages for which no rule says what they may import."""
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    return packages - {_room(n) for n in MAY_IMPORT} - OUTSIDE - NO_ROOM


def _write(root: Path, file: str, source: str) -> None:
    path = root / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    if path.parent != root:
        (path.parent / "__init__.py").touch()


def test_imports_point_one_way():
    assert wrong_imports(ROOT) == []


def test_flags_stay_in_scripts_and_cli():
    assert flags_out_of_place(ROOT) == []


def test_every_package_has_a_rule():
    assert unknown_packages(ROOT) == set()


def test_package_without_a_rule_is_found(tmp_path):
    _write(tmp_path, "helpers/text.py", "")

    assert unknown_packages(tmp_path) == {"helpers"}


@pytest.mark.parametrize(
    ("file", "source", "imported"),
    [
        ("errors.py", "import bert.data.rows", "bert.data.rows"),
        ("modeling/a.py", "import bert.training.b", "bert.training.b"),
        ("modeling/a.py", "from bert.data import records", "bert.data.records"),
        ("data/a.py", "import bert.modeling", "bert.modeling"),
        ("data/a.py", "from bert import training", "bert.training"),
        ("training/a.py", "from bert.data import text", "bert.data.text"),
        ("training/a.py", "import bert.serving.b", "bert.serving.b"),
        ("evaluation/a.py", "import bert.data.text", "bert.data.text"),
        ("evaluation/a.py", "import bert.modeling.b", "bert.modeling.b"),
        ("conversion/a.py", "import bert.serving.b", "bert.serving.b"),
        ("serving/a.py", "import bert.conversion.b", "bert.conversion.b"),
        ("serving/a.py", "import bert.run_it", "bert.run_it"),
        (
            "serving/a.py",
            "from bert.tasks import finetune",
            "bert.tasks.finetune",
        ),
        ("tasks/task.py", "import bert.serving.b", "bert.serving.b"),
        ("tasks/spec.py", "from bert import errors", "bert.errors"),
        ("run_other.py", "from bert.run_it import main", "bert.run_it.main"),
        ("data/a.py", "def f():\n import bert.modeling", "bert.modeling"),
        ("data/a.py", "import os, bert.modeling.b as c", "bert.modeling.b"),
        ("data/a.py", "importlib.import_module('bert.cli')", "bert.cli"),
        ("run_other.py", "import tests.b", "tests.b without bert."),
        ("run_other.py", "from data import text", "data.text without bert."),
        ("data/a.py", "import data.b", "data.b without bert."),
    ],
)
def test_wrong_import_is_found(tmp_path, file, source, imported):
    _write(tmp_path, "run_it.py", "")
    _write(tmp_path, file, source)

    line = source.count("\n") + 1
    assert wrong_imports(tmp_path) == [f"{file}:{line} imports {imported}"]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("run_it.py", "import bert.data.text, bert.modeling, bert.serving"),
        ("serving/export.py", "from bert import data, modeling, training"),
        ("training/loop.py", "import bert.modeling.bert, bert.errors, numpy"),
        ("data/a.py", "from bert.data import packing\nfrom . import squad"),
        ("data/a.py", "from bert.tasks import spec"),
    ],
)
def test_right_import_passes(tmp_path, file, source):
    _write(tmp_path, file, source)

    assert wrong_imports(tmp_path) == []


@pytest.mark.parametrize(
    "source",
    [
        "x = FLAGS.learning_rate",
        "x = flags.FLAGS.learning_rate",
        "from absl.flags import FLAGS as settings",
    ],
)
def test_flags_in_a_library_are_found(tmp_path, source):
    _write(tmp_path, "cli/flags.py", source)
    _write(tmp_path, "run_it.py", source)
    _write(tmp_path, "training/loop.py", source)

    assert flags_out_of_place(tmp_path) == ["training/loop.py:1"]


@pytest.mark.parametrize("module", FAST_TO_IMPORT + _scripts(ROOT))
def test_imports_without_tensorflow(module):
    """Also what keeps `--help` fast: scripts import it only when they run."""
    code = (
        f"import sys; from absl import flags; import bert.{module} as module; "
    )
    if module in _scripts(ROOT):
        code += "module.define_flags(flags.FlagValues()); "
    code += f"print(*[name for name in {HEAVY} if name in sys.modules])"
    ran = run_code(code)

    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, "", "")


def test_answers_by_other_runtimes_need_no_tensorflow():
    names = ", ".join(f"bert.{name}" for name in WITHOUT_TENSORFLOW)
    ran = run_code(f"import sys, {names}; print('tensorflow' in sys.modules)")

    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, "False", "")

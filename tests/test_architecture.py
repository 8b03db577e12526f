"""Imports point one way, and what must start fast starts without TensorFlow.

scripts -> serving, conversion -> training -> modeling; scripts, serving ->
data. modeling, data and evaluation import none of the others, anyone may
import errors, nothing imports a script (but SCRIPTS_OF). FLAGS ends in the
scripts.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What all may import.
LEAVES = {"atomic_files", "errors"}
# What each package or module at the top may import of the others; itself
# always. A module at the top that is not here is a script.
MAY_IMPORT = {
    **{leaf: set() for leaf in LEAVES},
    "modeling": LEAVES,
    "data": LEAVES,
    "evaluation": LEAVES,
    "training": {*LEAVES, "modeling"},
    "conversion": {*LEAVES, "modeling", "training"},
    "serving": {*LEAVES, "data", "modeling", "training"},
    "tokenization": {"data"},
    "finetuning": {*LEAVES, "data", "modeling", "serving", "training"},
}
LIBRARY = set(MAY_IMPORT)
# As in the original: the same pipeline, with other files to begin with.
SCRIPTS_OF = {"run_classifier_with_tfhub": {"run_classifier"}}
# They drive the scripts and the library as a user does; nothing imports them.
OUTSIDE = {"benchmarks", "tests"}

FAST_TO_IMPORT = [
    "data.pretraining",
    "data.tokenization",
    "finetuning",
    "modeling.config",
    "tokenization",
    "training.task_files",
    "training.flags",
]
HEAVY = ["keras", "numpy", "tensorflow", "tensorflow_text"]


def _top_level_names(root: Path) -> set[str]:
    """Packages and modules that `import` finds at the root."""
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    return packages | {path.stem for path in root.glob("*.py")}


def _scripts(root: Path) -> list[str]:
    return sorted(
        path.stem for path in root.glob("*.py") if path.stem not in LIBRARY
    )


def _source_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yields (package, script or module at the top; file) of what we keep."""
    for name in _top_level_names(root) - OUTSIDE:
        package = root / name
        files = package.rglob("*.py") if package.is_dir() else [f"{name}.py"]
        for path in sorted(files):
            yield name, root / path


def _imported_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields (line, first part of the name) of each absolute import.

    Those in functions and under TYPE_CHECKING count: they are arrows too.
    """
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            name = getattr(node.args[0], "value", None)
            if called in ("import_module", "__import__"):
                names = [name] if isinstance(name, str) else []
        for name in names:
            yield node.lineno, name.partition(".")[0]


def wrong_imports(root: Path) -> list[str]:
    """Lists `file:line` of each import that points the wrong way."""
    ours = _top_level_names(root) | LIBRARY | OUTSIDE
    anything = LIBRARY - {"tokenization"}
    found = []
    for name, path in _source_files(root):
        more = SCRIPTS_OF.get(name, set())
        allowed = MAY_IMPORT.get(name, anything) | {name} | more
        for line, imported in _imported_names(ast.parse(path.read_bytes())):
            if imported in ours - allowed:
                file = path.relative_to(root)
                found.append(f"{file}:{line} imports {imported}")
    return found


def flags_out_of_place(root: Path) -> list[str]:
    """Lists `file:line` of FLAGS outside scripts and training/flags.py."""
    found = []
    for name, path in _source_files(root):
        file = path.relative_to(root).as_posix()
        if name in _scripts(root) or file == "training/flags.py":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            named = (
                getattr(node, "id", None),  # FLAGS
                getattr(node, "attr", None),  # flags.FLAGS
                getattr(node, "name", None),  # from ... import FLAGS
            )
            if "FLAGS" in named:
                found.append(f"{file}:{node.lineno}")
    return found


def unknown_packages(root: Path) -> set[str]:
    """Packages for which no rule says what they may import."""
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    return packages - LIBRARY - OUTSIDE


def _write(root: Path, file: str, source: str) -> None:
    path = root / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    if path.parent != root:
        (path.parent / "__init__.py").touch()


def test_imports_point_one_way():
    assert wrong_imports(ROOT) == []


def test_flags_stay_in_scripts_and_training_flags():
    assert flags_out_of_place(ROOT) == []


def test_every_package_has_a_rule():
    assert unknown_packages(ROOT) == set()


def test_package_without_a_rule_is_found(tmp_path):
    _write(tmp_path, "helpers/text.py", "")

    assert unknown_packages(tmp_path) == {"helpers"}


@pytest.mark.parametrize(
    ("file", "source", "imported"),
    [
        ("errors.py", "import data.records", "data"),
        ("modeling/bert.py", "import training.loop", "training"),
        ("modeling/bert.py", "from data import records", "data"),
        ("data/records.py", "import modeling", "modeling"),
        ("data/records.py", "from training import flags", "training"),
        ("training/loop.py", "from data import records", "data"),
        ("training/loop.py", "import serving.export", "serving"),
        ("evaluation/squad.py", "import data.squad", "data"),
        ("evaluation/squad.py", "import modeling.config", "modeling"),
        ("conversion/onnx.py", "import data.records", "data"),
        ("conversion/onnx.py", "import serving.export", "serving"),
        ("serving/export.py", "import conversion.onnx", "conversion"),
        ("serving/export.py", "import run_it", "run_it"),
        ("run_other.py", "from run_it import main", "run_it"),
        ("run_other.py", "import tests.conftest", "tests"),
        ("data/records.py", "def f():\n import modeling", "modeling"),
        ("data/records.py", "import os, modeling.bert as b", "modeling"),
        ("data/a.py", "importlib.import_module('modeling.a')", "modeling"),
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
        ("run_it.py", "import data.records, modeling, training, serving"),
        ("serving/export.py", "import data.records, modeling, training"),
        ("training/loop.py", "import modeling.bert, errors, numpy"),
        ("data/records.py", "from data import packing\nfrom . import squad"),
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
    _write(tmp_path, "training/flags.py", source)
    _write(tmp_path, "run_it.py", source)
    _write(tmp_path, "training/loop.py", source)

    assert flags_out_of_place(tmp_path) == ["training/loop.py:1"]


@pytest.mark.parametrize("module", FAST_TO_IMPORT + _scripts(ROOT))
def test_imports_without_tensorflow(module):
    """Also what keeps `--help` fast: scripts import it only when they run."""
    code = f"import sys, {module}; from absl import flags; "
    if module in _scripts(ROOT):
        code += f"{module}.define_flags(flags.FlagValues()); "
    code += f"print(*[name for name in {HEAVY} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )

    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, "", "")

"""What the benchmarks import of the package is there."""

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: str(file.relative_to(ROOT))
)
def test_a_benchmark_imports_what_is_there(file):
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("bert."):
                    importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.partition(".")[0] != "bert":
                continue
            for alias in node.names:
                found = hasattr(importlib.import_module(module), alias.name)
                inner = f"{module}.{alias.name}"
                assert found or importlib.util.find_spec(inner), inner

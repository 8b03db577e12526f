"""The command `bert`: lists all commands, and runs one of them.

bert                         # or: python -m bert
bert run_classifier --help   # or: python run_classifier.py --help
"""

import ast
import difflib
import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[1]

# All commands: files at the top, else in tools/.
GROUPS: Mapping[str, Sequence[str]] = {
    "Make data": (
        "prepare_text",
        "learn_vocabulary",
        "make_config",
        "make_student",
        "create_pretraining_data",
    ),
    "Train": sorted(path.stem for path in _ROOT.glob("run_*.py")),
    "Compare": ("runs", "sweep", "check_bfloat16"),
    "Use a model": (
        *("predict", "fill_mask", "serve", "extract_features", "show"),
    ),
    "Export and convert": (
        "extend_vocabulary",
        "export_model",
        "compress_model",
        "convert_checkpoint",
    ),
}
_HELP = ("help", "-h", "--help", "-help", "--helpfull")


def main() -> None:
    """Runs the command that the first word of the command line names."""
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    if name in _HELP:
        print("\n".join(_overview()))
        return
    if name == "--version":
        import bert

        print(bert.__version__)
        return
    known = [each for names in GROUPS.values() for each in names]
    name = name.removesuffix(".py")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "bert lists them."
        print(
            f"error: expected a command. Received: {name[:80]!a}; {hint}",
            file=sys.stderr,
        )
        sys.exit(1)
    del sys.argv[1]
    runpy.run_module(_module(name), run_name="__main__", alter_sys=True)


def _module(name: str) -> str:
    is_at_top = (_ROOT / f"{name}.py").exists()
    return f"bert.{name}" if is_at_top else f"bert.tools.{name}"


def _overview() -> Iterator[str]:
    """Yields the lines of the list of commands."""
    yield "Usage: bert COMMAND --flag=value …    (bert COMMAND --help)"
    for group, names in GROUPS.items():
        yield f"\n{group}:"
        for name in names:
            yield f"  {name:26}{_summary(name)}"


def _summary(name: str) -> str:
    """Returns the first line of a command's docstring."""
    file = _ROOT.joinpath(*_module(name).split(".")[1:]).with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_bytes())) or ""
    return text.partition("\n")[0]

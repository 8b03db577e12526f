"""Links of the pages lead somewhere, and what they name is there."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests import manual

_LINK = re.compile(r"\[[^][]*\]\(([^()\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
# `data/text/tokenization.py`, `docs/`, `run_squad.py:main`.
_PATH = re.compile(r"([\w.-]+/)*[\w.-]+(/|\.(py|md|sh|toml|csv))")
_STEP = re.compile(r"`([\w/]+\.py):([\w.]+)`")


def _anchor(heading: str) -> str:
    """Returns the name that GitHub gives to a heading."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return plain.strip().replace(" ", "-")


def _anchors(page: str) -> set[str]:
    text = manual.without_blocks(page)
    return {_anchor(line) for line in re.findall(r"^#+ (.*)$", text, re.M)}


def dead_links(page: str) -> list[str]:
    """Returns the relative links of a page that lead nowhere."""
    folder = (manual.ROOT / page).parent
    dead = []
    for link in _LINK.findall(manual.without_blocks(page)):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        path = (folder / file).resolve() if file else manual.ROOT / page
        is_there = path.exists() and path.is_relative_to(manual.ROOT)
        if is_there and anchor:
            is_there = anchor in _anchors(str(path.relative_to(manual.ROOT)))
        if not is_there:
            dead.append(link)
    return dead


def missing_files(page: str) -> list[str]:
    """Returns the paths of our own that a page names and that do not exist."""
    tops = {path.name for path in manual.ROOT.iterdir()}
    missing = []
    for code in _CODE.findall(manual.without_blocks(page)):
        path = code.partition(":")[0].partition(" ")[0]
        if not _PATH.fullmatch(path):
            continue
        first = PurePosixPath(path).parts[0]
        # What begins with another folder is somebody else's.
        is_ours = first in tops or path.endswith(".py")
        folders = (manual.ROOT, (manual.ROOT / page).parent)
        if is_ours and not any((each / path).exists() for each in folders):
            missing.append(code)
    return missing


def missing_functions(page: str) -> list[str]:
    """Returns each `path.py:function` of a page that does not exist."""
    missing = []
    for path, name in _STEP.findall(manual.text_of(page)):
        file = manual.ROOT / path
        if not file.exists() or name not in _names(file.read_text()):
            missing.append(f"{path}:{name}")
    return missing


def _names(source: str) -> set[str]:
    """Returns the functions, classes and methods (`Class.method`) of a file."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, kinds):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if isinstance(each, kinds))
            names |= {f"{node.name}.{each.name}" for each in inner}
    return names


@pytest.mark.parametrize("page", manual.pages())
def test_links_lead_somewhere(page):
    assert dead_links(page) == []


@pytest.mark.parametrize("page", manual.pages())
def test_files_that_are_named_are_there(page):
    assert missing_files(page) == []


@pytest.mark.parametrize("page", manual.pages())
def test_functions_that_are_named_are_there(page):
    assert missing_functions(page) == []


def test_the_walk_visits_no_function_twice():
    walks = manual.text_of("docs/architecture.md").split("\n### ")[1:]
    assert len(walks) == 3
    for walk in walks:
        steps = _STEP.findall(walk)
        assert len(steps) == len(set(steps)) > 5


def test_every_page_is_in_the_index():
    index = manual.text_of("docs/README.md")
    linked = {link.partition("#")[0] for link in _LINK.findall(index)}
    names = {page.removeprefix("docs/") for page in manual.pages()}
    assert {n for n in names if "/" not in n} - {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    } <= linked


def test_faults_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(manual, "ROOT", tmp_path)
    (tmp_path / "run.py").write_text("class A:\n    def b(self): pass\n")
    (tmp_path / "x.md").write_text(
        "# One `two`, three\n[a](y.md) [b](#one-two-three) [c](#four)\n"
        "`run.py` `gone.py` `run.py:A.b` `run.py:A.c` `run.py:a`\n"
        "```sh\ncat `none.py` [d](z.md)\n```\n"
    )

    assert dead_links("x.md") == ["y.md", "#four"]
    assert missing_files("x.md") == ["gone.py"]
    assert missing_functions("x.md") == ["run.py:A.c", "run.py:a"]

"""The pages (*.md) of this project, as tests read them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# What a page may print in a block. `sh` and `python` run as printed.
LANGUAGES = {"sh", "python", "text", "json", "dockerfile", "ini"}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        language: what the fence says it is.
        text: its lines.
    """

    language: str
    text: str

    @property
    def needs(self) -> str | None:
        """What a block says that it needs, in its first line; None: nothing."""
        found = re.match(r"# needs (.*)\n", self.text)
        return found and found[1]


def pages() -> list[str]:
    """Returns the paths of all pages, from the root of the project."""
    folders = (ROOT, ROOT / "docs", ROOT / "sample_data", ROOT / "tests/golden")
    found = (path for folder in folders for path in folder.glob("*.md"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


def text_of(page: str) -> str:
    """Returns a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """Returns the fenced blocks of a page, in order."""
    return [Block(*found) for found in _BLOCK.findall(text_of(page))]


def without_blocks(page: str) -> str:
    """Returns a page without its fenced blocks."""
    return _BLOCK.sub("", text_of(page))

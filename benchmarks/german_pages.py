"""German text of Debian packages: pages of help and books, by their subject.

Real text of a language that capitalizes its nouns, 6 MB, whose licences allow
to use it: the help of LibreOffice, and five books on Debian.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """A Debian package with German pages.

    Attributes:
        name: of the package.
        folder: where its pages are.
        licence: of its text.
    """

    name: str
    folder: str
    licence: str


PACKAGES = (
    Package(
        "libreoffice-help-de", "usr/share/libreoffice/help/de/text", "MPL-2.0"
    ),
    Package("debian-reference-de", "usr/share/debian-reference", "GPL-2+"),
    Package("debian-faq-de", "usr/share/doc/debian/FAQ/de", "its own, free"),
    Package(
        "developers-reference-de", "usr/share/developers-reference/de", "GPL-2+"
    ),
    Package(
        "installation-guide-amd64",
        "usr/share/doc/installation-guide-amd64/de",
        "GPL-2",
    ),
    Package("maint-guide-de", "usr/share/doc/maint-guide-de/html", "GPL-2+"),
)
# Pages of the help that are of no program alone.
_SHARED = "shared"
# What stands around a page's text, and code.
_NO_TEXT = {"script", "style", "nav", "header", "footer", "aside", "head"} | {
    "button",
    "pre",
}
_IN_A_LINE = {"a", "abbr", "b", "code", "em", "i", "img", "kbd", "span"} | {
    *("strong", "sub", "sup", "tt", "u", "var")
}


class Page(NamedTuple):
    """A page.

    Attributes:
        lines: its paragraphs, each once.
        label: what it is about: a program of LibreOffice (`scalc`), or a book
            on Debian; None where it is about several programs.
    """

    lines: list[str]
    label: str | None


def pages(folder: Path) -> list[Page]:
    """Returns all pages with text, in a fixed order.

    Args:
        folder: where the packages are; what is missing is downloaded there.

    Raises:
        CalledProcessError: a package cannot be downloaded or unpacked.
    """
    found = []
    for package in PACKAGES:
        root = unpacked(package, folder) / package.folder
        for path in sorted(root.rglob("*.html")):
            label = package.name
            if package is PACKAGES[0]:
                label = path.relative_to(root).parts[0]
            lines = page_lines(path.read_text(encoding="utf-8"))
            if lines:
                found.append(Page(lines, None if label == _SHARED else label))
    return found


def unpacked(package: Package, folder: Path) -> Path:
    """Returns the folder of a package's files."""
    target = folder / package.name
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if not list(folder.glob(f"{package.name}_*.deb")):
            command = ["apt-get", "download", "--quiet", package.name]
            subprocess.run(command, cwd=folder, check=True)
        archive = next(folder.glob(f"{package.name}_*.deb"))
        partly = target.with_name(f"{package.name}.partly")
        command = ["dpkg-deb", "--extract", str(archive), str(partly)]
        subprocess.run(command, check=True)
        partly.rename(target)
    return target


def page_lines(html: str) -> list[str]:
    """Returns the paragraphs of a page that have three words or more."""
    reader = _Reader()
    reader.feed(html)
    lines = (" ".join(line.split()) for line in reader.text().splitlines())
    return list(dict.fromkeys(line for line in lines if line.count(" ") > 1))


def divided(found: Iterable[Page], every: int) -> tuple[list[Page], list[Page]]:
    """Returns the pages to learn from, and every so many-th, held out."""
    kept: list[Page] = []
    held_out: list[Page] = []
    for number, page in enumerate(found):
        (kept if number % every else held_out).append(page)
    return kept, held_out


def passages(lines: Iterable[str], least_chars: int = 200) -> Iterator[str]:
    """Yields runs of lines, each of so many characters or a few more."""
    held = ""
    for line in lines:
        held = f"{held} {line}".strip()
        if len(held) >= least_chars:
            yield held
            held = ""


def write(work: Path, packages: Path, every: int) -> None:
    """Writes the pages as JSON lines, and passages with their subjects.

    Args:
        work: where to: pages.jsonl and held_out.jsonl for prepare_text,
            train_rows.jsonl and dev_rows.jsonl for run_classifier.py.
        packages: where the packages are.
        every: of so many pages one is held out.
    """
    if (work / "dev_rows.jsonl").exists():
        return
    kept, held_out = divided(pages(packages), every)
    write_jsonl(work / "pages.jsonl", map(document, kept))
    write_jsonl(work / "held_out.jsonl", map(document, held_out))
    rows = subjects(kept)
    write_jsonl(work / "train_rows.jsonl", rows)
    known = {row["text"] for row in rows}
    write_jsonl(
        work / "dev_rows.jsonl",
        [row for row in subjects(held_out) if row["text"] not in known],
    )


def document(page: Page) -> dict[str, str]:
    """Returns a page as a document of prepare_text."""
    return {"text": "\n".join(page.lines)}


def subjects(pages: Iterable[Page]) -> list[dict[str, str]]:
    """Returns passages of pages with a subject, as rows of a classifier."""
    return [
        {"text": text, "label": page.label}
        for page in pages
        if page.label
        for text in passages(page.lines)
    ]


def write_jsonl(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """Writes an object a line."""
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def leave_out_known(held_out: Path, text: Path) -> None:
    """Takes out of a held-out text the sentences that another has, too.

    Help repeats itself: what was learnt by heart must not count.
    """
    known = set(text.read_text(encoding="utf-8").splitlines()) - {""}
    lines = held_out.read_text(encoding="utf-8").splitlines()
    held_out.write_text(
        "".join(f"{line}\n" for line in lines if line not in known),
        encoding="utf-8",
    )


def write_masked(source: Path, target: Path, number: int = 100) -> None:
    """Writes sentences in which the word in the middle is [MASK]."""
    words = map(str.split, source.read_text(encoding="utf-8").splitlines())
    chosen = [each for each in words if 8 <= len(each) <= 30][:number]
    for each in chosen:
        each[len(each) // 2] = "[MASK]"
    lines = "".join(" ".join(each) + "\n" for each in chosen)
    target.write_text(lines, encoding="utf-8")


class _Reader(HTMLParser):
    """Takes the text out of a page."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        # Elements that are open in one that is left out; 0: none is.
        self._left_out = 0

    def handle_starttag(self, tag: str, attrs: list) -> None:
        # The help has a key's name on a Mac beside its other name.
        is_mac = tag == "span" and ("class", "MAC") in attrs
        if self._left_out:
            self._left_out += tag in _NO_TEXT | {"span"}
        elif tag in _NO_TEXT or is_mac:
            self._left_out = 1
        elif tag not in _IN_A_LINE:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._left_out:
            self._left_out -= tag in _NO_TEXT | {"span"}
        elif tag not in _IN_A_LINE:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self._parts.append(re.sub(r"\s", " ", data))

    def text(self) -> str:
        """Returns what was read; a paragraph a line."""
        return "".join(self._parts)

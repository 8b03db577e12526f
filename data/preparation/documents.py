"""Files of raw text → documents, one after the other, of any size.

A document is a text, or the source of a page (wikitext). What is left out here
is counted, by its reason.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from absl import logging

from bert.data.text import plain_text
from bert.errors import UserError
from bert.files import text_input

# Of text: what is a document.
UNITS = ("blank_lines", "lines", "files")
# Longer than any text that a person wrote.
_MOST_CHARS = 2**25
# Numbers of MediaWiki's namespaces: articles, and what links show or sort.
_ARTICLES = "0"
_NO_TEXT = ("6", "14")  # files and categories
_NOT_UTF_8 = "bytes that are no UTF-8"


class RawDocument(NamedTuple):
    """A document as it stands in a file.

    Attributes:
        text: the text or wikitext.
        no_text: prefixes of wikitext's links that show no text, in lower case.
    """

    text: str
    no_text: tuple[str, ...] = ()


def read_text(
    paths: Sequence[str], unit: str, left_out: Counter[str]
) -> Iterator[RawDocument]:
    """Yields the documents of plain text.

    Args:
        paths: the files.
        unit: what a document is: what stands between `blank_lines`, each of
            the `lines`, or each of the `files`.
        left_out: counts bytes that are no UTF-8.

    Raises:
        UserError: a document has more than 32 million characters, or a file
            is of another format.
    """
    for path in paths:
        lines: list[str] = []
        num_chars = 0
        source = _lines(path, left_out)
        head = list(itertools.islice(source, plain_text.HEAD_LINES))
        _check_is_text(path, head)
        for number, line in enumerate(itertools.chain(head, source), 1):
            is_blank = not line.strip()
            if is_blank and unit == "blank_lines":
                yield from _joined(lines)
                num_chars = 0
                continue
            lines.append(line)
            num_chars += len(line)
            if unit == "lines":
                yield from _joined(lines)
                num_chars = 0
            elif num_chars > _MOST_CHARS:
                raise UserError(
                    f"{path}, line {number}: expected documents of at most "
                    f"{_MOST_CHARS} characters. Received: a longer one; give "
                    "--documents_are=lines, or blank lines between documents."
                )
        yield from _joined(lines)


def _check_is_text(path: str, head: Sequence[str]) -> None:
    """Raises UserError where the first lines are of another format."""
    if found := plain_text.format_of(head):
        raise UserError(
            f"{path}: expected text. Received: {found[1]}; say "
            f"--input_format={found[0]}."
        )


def read_jsonl(
    paths: Sequence[str], key: str, left_out: Counter[str]
) -> Iterator[RawDocument]:
    """Yields the texts of JSON objects, one a line.

    Args:
        paths: the files.
        key: of the text.
        left_out: counts bytes that are no UTF-8.

    Raises:
        UserError: a line is no JSON object with such a text.
    """
    for path in paths:
        for number, line in enumerate(_lines(path, left_out), 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(
                    f"{path}, line {number}: expected a JSON object. Received "
                    f"no JSON: {error}."
                ) from error
            text = value.get(key) if isinstance(value, dict) else None
            if not isinstance(text, str):
                raise UserError(
                    f'{path}, line {number}: expected {{"{key}": "…"}}, a text '
                    f"(--text_key). Received: {line[:80].strip()!r}."
                )
            yield RawDocument(text)


def read_wiki_xml(
    paths: Sequence[str], left_out: Counter[str]
) -> Iterator[RawDocument]:
    """Yields the articles of MediaWiki's dumps (pages-articles.xml.bz2).

    Args:
        paths: the files.
        left_out: counts pages of other namespaces, and redirects.

    Raises:
        UserError: a file is no such XML.
    """
    for path in paths:
        no_text: tuple[str, ...] = ()
        num_pages = 0
        with text_input.reader(path) as file:
            try:
                events = ElementTree.iterparse(file, ("start", "end"))
                root = next(events)[1]
                for event, element in events:
                    name = _local(element.tag)
                    if event == "start" or name not in ("page", "siteinfo"):
                        continue
                    if name == "siteinfo":
                        no_text = _prefixes(element)
                    else:
                        num_pages += 1
                        page = {_local(x.tag): x for x in element.iter()}
                        yield from _article(page, no_text, left_out)
                    root.clear()  # else all pages stay in memory
            except ElementTree.ParseError as error:
                raise UserError(
                    f"{path}: expected XML as MediaWiki exports it. Received: "
                    f"{error}."
                ) from error
        if not num_pages:
            raise UserError(
                f"{path}: expected pages as MediaWiki exports them "
                "(pages-articles.xml). Received: XML without any."
            )


def _article(
    page: dict[str, ElementTree.Element],
    no_text: tuple[str, ...],
    left_out: Counter[str],
) -> Iterator[RawDocument]:
    text = page["text"].text if "text" in page else None
    if "ns" in page and (page["ns"].text or "").strip() != _ARTICLES:
        left_out["pages that are no articles"] += 1
    elif "redirect" in page:
        left_out["redirects"] += 1
    else:
        yield RawDocument(text or "", no_text)


def _prefixes(siteinfo: ElementTree.Element) -> tuple[str, ...]:
    """Returns what links to files and categories begin with in this wiki."""
    names = {"file", "image", "category", "media"}
    for element in siteinfo.iter():
        is_one = element.get("key") in _NO_TEXT
        if _local(element.tag) == "namespace" and is_one and element.text:
            names.add(element.text.strip().lower())
    return tuple(sorted(names))


def _local(tag: str) -> str:
    """Returns a name without its XML namespace, which has a version."""
    return tag.rpartition("}")[2]


def _lines(path: str, left_out: Counter[str]) -> Iterator[str]:
    with text_input.reader(path) as file:
        for number, line in enumerate(file, 1):
            text = line.decode("utf-8", "ignore")
            if num_bad := len(line) - len(text.encode()):
                if _NOT_UTF_8 not in left_out:
                    logging.warning(
                        "Expected UTF-8 text. Received other bytes, which are "
                        "left out (the first: %s, line %d); convert the text "
                        "to UTF-8.",
                        *(path, number),
                    )
                left_out[_NOT_UTF_8] += num_bad
            yield text.removeprefix("\ufeff")


def _joined(lines: list[str]) -> Iterator[RawDocument]:
    """Yields the lines as a document, if they have text, and empties them."""
    text = "".join(lines)
    lines.clear()
    if text.strip():
        yield RawDocument(text)

"""Documents → clean sentences.

Cleaning knows no language: NFC, no control characters, single spaces, no lines
without a letter.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from bert.data.preparation import wikitext
from bert.data.preparation.documents import RawDocument

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# With what is half of a pair: no UTF-8 has one, but JSON may.
_CONTROL = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd\ufeff]"
)
# sentencex takes all of a line from a bullet on for one item of a list. What is
# longer than a sentence can be is cut before it gets the parts.
_MOST_CHARS = 2000
_PART = re.compile(
    r".{500,}?(?:[.!?…۔।؟]+[\"'»”’)]*\s|[。！？]+)|.+", re.DOTALL
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")


class Document(NamedTuple):
    """A document that is ready.

    Attributes:
        sentences: a line each.
        left_out: lines that are left out, by their reason.
    """

    sentences: list[str]
    left_out: Counter[str]


class Splitter:
    """Cleans documents and cuts them into sentences; the work of a process.

    Args:
        language: its code of ISO 639, such as `de`.
        is_wikitext: what the documents are.
    """

    def __init__(self, language: str, is_wikitext: bool):
        self._language = language
        self._is_wikitext = is_wikitext

    def split(self, batch: tuple[int, list[RawDocument]]) -> list[Document]:
        """Returns each document, one without a sentence too.

        Args:
            batch: its number, and documents.
        """
        return [self._split(document) for document in batch[1]]

    def _split(self, document: RawDocument) -> Document:
        left_out: Counter[str] = Counter()
        text = document.text
        if self._is_wikitext:
            text = wikitext.passages(text, document.no_text, left_out)
        found: list[str] = []
        for paragraph in _paragraphs(text, left_out):
            found += self._sentences(paragraph)
        return Document(found, left_out)

    def _sentences(self, paragraph: str) -> Iterator[str]:
        """Yields sentences; what has no letter belongs to the one before."""
        held = ""
        for part in self._parts(paragraph):
            part = part.strip()
            if not part:
                continue
            if held and _has_letter(part):
                yield held
                held = part
            else:
                held = f"{held} {part}".strip()
        if held:
            yield held

    def _parts(self, text: str) -> Iterator[str]:
        """Yields sentences as sentencex cuts them, none of them endless."""
        import sentencex  # requirements-text.txt

        for found in sentencex.segment(self._language, text):
            if len(found) <= _MOST_CHARS:
                yield found
                continue
            for part in _PART.findall(found):
                yield from sentencex.segment(self._language, part)


def _paragraphs(text: str, left_out: Counter[str]) -> Iterator[str]:
    text = _BREAK.sub("\n", text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text))
    for line in text.splitlines():
        line = " ".join(line.split())
        if _has_letter(line):
            yield line
        elif line:
            left_out["lines without a letter"] += 1


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))

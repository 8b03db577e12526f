"""Text → documents: a sentence a line, a blank line after each document."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from absl import logging

from bert.errors import UserError


@dataclasses.dataclass
class Documents:
    """Documents of sentences of ids, one after the other.

    Attributes:
        ids: of all sentences.
        bounds: sentence s is ids[bounds[s] : bounds[s + 1]].
        firsts: document d has the sentences firsts[d] to firsts[d + 1] - 1.
    """

    # Lists while documents are added; later also arrays or memoryviews.
    ids: Any = dataclasses.field(default_factory=list)
    bounds: Any = dataclasses.field(default_factory=lambda: [0])
    firsts: Any = dataclasses.field(default_factory=lambda: [0])

    def __len__(self) -> int:
        return len(self.firsts) - 1

    def add_sentence(self, ids: Iterable[int]) -> None:
        """Adds a sentence, not empty, to the document that is being read."""
        self.ids += ids
        self.bounds.append(len(self.ids))

    def end_document(self) -> bool:
        """Ends the document that is being read; False where it is empty."""
        num_sentences = len(self.bounds) - 1
        if num_sentences == self.firsts[-1]:
            return False
        self.firsts.append(num_sentences)
        return True


def line_text(line: bytes) -> tuple[str, bool]:
    """Returns a line's text, stripped, and whether it was sound UTF-8.

    As in the original a carriage return is no part of it, wherever it stands.
    Bytes that are not UTF-8 are left out. A line without text is blank: it
    ends a document.
    """
    line = line.replace(b"\r", b"")
    try:
        return line.decode("utf-8").strip(), True
    except UnicodeDecodeError:
        return line.decode("utf-8", "ignore").strip(), False


def read_documents(
    files: Iterable[tuple[str, Iterable[bytes]]],
    encode: Callable[[str], list[int]],
) -> Documents:
    """Reads text: a sentence a line, a blank line after each document.

    The end of a file ends no document. Bytes that are not UTF-8 are left out,
    with one warning.

    Args:
        files: pairs of a name and the lines in it.
        encode: text → ids.

    Returns:
        The documents that have a sentence, without the sentences that have no
        ids.
    """
    documents = Documents()
    num_bad, first_bad = 0, ""
    for name, lines in files:
        for number, line in enumerate(lines, start=1):
            text, is_sound = line_text(line)
            if not is_sound:
                num_bad += 1
                first_bad = first_bad or f"{name}, line {number}"
            if not text:
                documents.end_document()
            elif ids := encode(text):
                documents.add_sentence(ids)
    documents.end_document()
    warn_of_bad_lines(num_bad, first_bad)
    return documents


def warn_of_bad_lines(num_bad: int, first_bad: str) -> None:
    """Warns where lines were no sound UTF-8; `first_bad` is where one is."""
    if num_bad:
        logging.warning(
            "Expected UTF-8 text. Received %d lines with other bytes, which "
            "are left out (the first: %s); convert the text to UTF-8.",
            num_bad,
            first_bad,
        )


def no_text(files: Sequence[str]) -> UserError:
    """Returns what to raise where there is no document."""
    return UserError(
        f"Expected text in the --input_file. Received: {names_of(files)}, "
        "without a line that holds a token."
    )


def names_of(files: Sequence[str]) -> str:
    """Returns the first files, as messages list them."""
    return ", ".join(files[:3]) + ", ..." * (len(files) > 3)

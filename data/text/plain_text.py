"""Is a file text, or does it begin as one of another format?

Only what is certain counts: a text may speak of a format.
"""

import itertools
import json
import os
import re
from collections.abc import Iterable, Sequence

from absl import logging

from bert.errors import UserError
from bert.files import text_input

# So many lines, blank ones aside, show what a file is.
HEAD_LINES = 5
_MOST_BYTES = 2**20  # of a line
# A tag alone in its line, or before another one.
_DUMP = re.compile(r"<mediawiki(\s+[\w:]+=.*|>\s*(<.*)?)")
_PAGE = re.compile(r"<page>\s*(<title>.*</title>.*)?")


def check(paths: Iterable[str]) -> None:
    """Looks at the beginning of texts.

    JSON objects are refused where they have texts, by the usual key; of others
    a log line tells, as somebody may want to learn of them.

    Args:
        paths: the files, plain or packed; a pipe is left alone.

    Raises:
        UserError: one is no text, or is of another format.
    """
    for path in paths:
        if "://" not in path and not os.path.isfile(path):
            continue
        with text_input.reader(path) as file:
            lines = iter(lambda: file.readline(_MOST_BYTES), b"")
            filled = (line for line in lines if line.strip())
            head = list(itertools.islice(filled, HEAD_LINES))
        texts = [line.decode("utf-8", "ignore") for line in head]
        found = format_of(texts)
        if not found:
            continue
        message = (
            f"{path}: expected text, a sentence a line. Received: {found[1]}; "
            "make text of it first (bert prepare_text "
            f"--input_format={found[0]})."
        )
        if found[0] == "jsonl" and not all(map(_has_text, texts)):
            logging.warning("%s", message)
        else:
            raise UserError(message)


def format_of(lines: Sequence[str]) -> tuple[str, str] | None:
    """Returns which --input_format of prepare_text a file has, and its name.

    Args:
        lines: the first ones.

    Returns:
        None where it is text.
    """
    filled = [line.strip("\ufeff \t\r\n") for line in lines]
    filled = [line for line in filled if line]
    of_xml = bool(filled) and filled[0].startswith("<?xml")
    first, second = (*filled[of_xml:], "", "")[:2]
    is_page = _PAGE.fullmatch(first)
    if _DUMP.fullmatch(first) or (
        is_page and (of_xml or is_page[1] or second.startswith("<title>"))
    ):
        return "wiki_xml", "a dump of MediaWiki"
    if filled and all(_object(line) is not None for line in filled):
        return "jsonl", "JSON objects"
    return None


def _has_text(line: str) -> bool:
    return isinstance((_object(line) or {}).get("text"), str)


def _object(line: str) -> dict[str, object] | None:
    """Returns the JSON object that a line is; None: it is none."""
    if not line.lstrip("\ufeff \t").startswith("{"):
        return None
    try:
        value = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

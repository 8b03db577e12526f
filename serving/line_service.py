"""Lines from a file or a pipe → answers, a line each, as they come.

A pipe that is still open is answered with what has arrived; a file is read
many lines at a time, so that its rows can be sorted by length. Imports
TensorFlow for remote files only.
"""

import contextlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.files import atomic_files, text_input
from bert.files.text_input import TextStream
from bert.serving import answering
from bert.serving.answering import Failures, Item

_STANDARD_INPUT = "standard input"
_CHUNK_BYTES = 2**16
_DECIMALS = 6
# What a shell says of a program that this signal has ended.
_EXIT_OF_SIGPIPE = 128 + 13


class Service(NamedTuple):
    """What is done with lines.

    Attributes:
        read: line → request; None for a line that asks nothing. Raises
            UserError for one that it cannot take, with its place.
        answer: requests → an answer each, in order, as they are computed.
        file_lines: how many lines of a file are answered together.
        stream_lines: how many of a pipe at most.
        failures: what becomes of lines that cannot be answered.
        copied: what the answer to such a line has beside the error.
    """

    read: Callable[[Place], Any]
    answer: Callable[[Sequence[Any]], Iterable[Any]]
    file_lines: int
    stream_lines: int
    failures: Failures = Failures.STOP
    copied: Callable[[Place], dict[str, Any]] = lambda place: {}


class Input(NamedTuple):
    """Lines that are still to be read.

    Attributes:
        name: of the file, for messages.
        is_stream: whether more may come while we wait.
        read: (most bytes) → those that are there, b"" at the end.
    """

    name: str
    is_stream: bool
    read: Callable[[int], bytes]


@contextlib.contextmanager
def open_input(path: str | None) -> Iterator[Input]:
    """Opens a file of lines.

    Args:
        path: local (a pipe, too), or what TensorFlow reads; may be packed.
            None: standard input.

    Raises:
        UserError: it cannot be read.
    """
    if path == "":
        raise UserError(
            "--input_file must name a file. Received: an empty name; leave "
            "the flag out to read standard input."
        )
    try:
        file = _open(path)
    except OSError as error:
        name = f"--input_file={path}" if path else _STANDARD_INPUT
        raise UserError(
            f"Cannot read {name}: {error.strerror or error}. Expected a text "
            "file or a pipe, one request a line."
        ) from error
    with file:
        yield Input(path or _STANDARD_INPUT, file.is_pipe, file.read)


def open_output() -> BinaryIO:
    """Returns standard output; raises UserError where it is closed."""
    if sys.stdout is None:
        raise UserError(
            "Expected an open standard output for the answers. Received: a "
            "closed one (>&-); send it to a file (> answers.jsonl) or a pipe."
        )
    return sys.stdout.buffer


def run(path: str | None, make_service: Callable[[], Service]) -> None:
    """Answers the lines of a file on standard output.

    Args:
        path: see `open_input`.
        make_service: called once the file is open: it may take its time.

    Raises:
        UserError: a file is missing or wrong, or a line cannot be answered.
    """
    out = open_output()
    with open_input(path) as source:
        serve(source, make_service(), out)


def serve(source: Input, service: Service, out: BinaryIO) -> None:
    """Answers lines with lines of JSON, in their order.

    Each is written and flushed as soon as it is computed. A line that cannot
    be answered ends it, after those before it have been; or, with
    `Failures.ANSWER`, is answered by an object with `error`.

    Args:
        source: the lines, in UTF-8; a byte-order mark and CRLF do no harm.
        service: what is done with them.
        out: gets the answers.

    Raises:
        UserError: a line cannot be answered; the message names it. With
            `Failures.ANSWER`, at the end.
        SystemExit: nobody reads the answers any more (`| head -1`); as
            filters end then, without a word.
    """
    summary = answering.Summary(service.failures)
    for lines in _batches(source, service):
        items = _items(source.name, lines, service)
        for place, answer in summary.answered(items, service.answer):
            if isinstance(answer, UserError):
                answer = {**service.copied(place), "error": str(answer)}
            write(out, to_json(answer) + "\n")
    summary.check()


def to_json(answer: object) -> str:
    """Returns a line of JSON; numbers of arrays are rounded to six places."""
    return json.dumps(answer, ensure_ascii=False, default=_rounded)


def _rounded(array: np.ndarray) -> list:
    return array.astype(np.float64).round(_DECIMALS).tolist()


def write(out: BinaryIO, line: str) -> None:
    """Writes a line at once; see `serve` for where nobody reads it."""
    try:
        with atomic_files.naming("standard output"):
            out.write(line.encode())
            out.flush()
    except BrokenPipeError:
        # Else Python flushes it again when it exits, and says so at length.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        raise SystemExit(_EXIT_OF_SIGPIPE) from None


def _open(path: str | None) -> TextStream:
    """Returns a file whose `read` gives what there is, and does not wait."""
    if path:
        return text_input.stream(path)
    if sys.stdin is None:
        raise UserError(
            "Expected lines to answer. Received: neither --input_file nor an "
            "open standard input."
        )
    file = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
    return text_input.stream(file, _STANDARD_INPUT)


def _batches(
    source: Input, service: Service
) -> Iterator[list[tuple[bytes, int]]]:
    """Yields (line, number from 1) of the lines to answer together."""
    most = service.stream_lines if source.is_stream else service.file_lines
    number = itertools.count(1)
    arrived: Iterable[Iterable[bytes]] = _arrived(source)
    if not source.is_stream:
        arrived = [itertools.chain.from_iterable(arrived)]
    for lines in arrived:
        # Lines first: at their end, zip must not have taken a number.
        numbered = zip(lines, number, strict=False)
        while batch := list(itertools.islice(numbered, most)):
            yield batch


def _arrived(source: Input) -> Iterator[list[bytes]]:
    """Yields the lines of each chunk that comes, as soon as they are whole."""
    parts: list[bytes] = []  # of a line that is not whole
    while chunk := source.read(_CHUNK_BYTES):
        first, *others = chunk.split(b"\n")
        parts.append(first)
        if others:
            yield [b"".join(parts), *others[:-1]]
            parts = [others[-1]]
    if rest := b"".join(parts):
        yield [rest]


def _items(
    name: str, lines: Iterable[tuple[bytes, int]], service: Service
) -> Iterator[Item]:
    """Yields each line that asks something, and its request or its fault."""
    for line, number in lines:
        place, request = Place(name, number, ""), None
        try:
            place = _place(name, number, line)
            request = service.read(place)
        except UserError as error:
            request = error
        if request is not None:
            yield Item(place, request)


def _place(name: str, number: int, line: bytes) -> Place:
    """Returns a line that knows where it stands; UserError if it is no text."""
    line = line.removesuffix(b"\r")
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name}, line {number}: expected text in UTF-8. Received: the "
            f"byte 0x{line[error.start]:02x}, which is no UTF-8 "
            f"({error.reason}); convert the text to UTF-8."
        ) from error
    return Place(name, number, text)

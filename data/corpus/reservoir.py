"""The documents that random next sentences come from.

A corpus of any size does not fit into memory; a few thousand documents do. They
are those with the smallest hash of (seed, offset): drawn evenly, and the same
in whatever order the text is read. Of a long document a window is kept.
"""

import hashlib
import heapq
import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bert.data.corpus.documents import Documents, line_text
from bert.data.corpus.text_blocks import TextFiles
from bert.files import atomic_files
from bert.files.file_bytes import is_remote, reader, writer

# With fewer documents their sentences would be repeated so often that a model
# could learn which sentences never follow.
_NUM_DOCUMENTS = 2**14
# Ids of a document that are kept: some 900 English words.
_WINDOW_IDS = 1200
_MAX_IDS = 2**25  # 128 MB


def size_for(max_seq_length: int) -> tuple[int, int]:
    """Returns how much to keep for sequences of a length.

    Returns:
        How many documents at most, and how many ids of each.
    """
    window = max(_WINDOW_IDS, 2 * max_seq_length)
    return min(_NUM_DOCUMENTS, _MAX_IDS // window), window


class Candidate(NamedTuple):
    """A document that may be kept; they are ordered by their hashes.

    Attributes:
        hash: of (seed, offset).
        offset: where it begins.
        num_bytes: how long it is.
    """

    hash: bytes
    offset: int
    num_bytes: int


class Scan(NamedTuple):
    """What a first look at some of the text finds.

    Attributes:
        candidates: those with the smallest hashes, ascending.
        num_documents: how many documents there are.
        bad_lines: how many lines are no UTF-8.
        first_bad: where the first document with such a line begins.
    """

    candidates: list[Candidate]
    num_documents: int
    bad_lines: int
    first_bad: int | None


def scan(files: TextFiles, block: int, seed: int, limit: int) -> Scan:
    """Looks at a block, without tokenizing it.

    Args:
        files: the text.
        block: which of its blocks.
        seed: of everything that is drawn.
        limit: candidates at most.

    Raises:
        UserError: a line is longer than a block.
    """
    candidates, bad_lines, first_bad = [], 0, None
    for offset, num_bytes, lines in files.documents(block):
        key = hashlib.blake2b(b"%d %d" % (seed, offset), digest_size=8)
        candidates.append(Candidate(key.digest(), offset, num_bytes))
        if not line_text(b"".join(lines))[1]:
            bad_lines += sum(not line_text(line)[1] for line in lines)
            first_bad = offset if first_bad is None else first_bad
    count = len(candidates)
    candidates = heapq.nsmallest(limit, candidates)
    return Scan(candidates, count, bad_lines, first_bad)


def merged(limit: int, scans: Iterable[Scan]) -> Scan:
    """Returns what all scans found, whatever their order and grouping.

    Args:
        limit: candidates at most.
        scans: of parts of the text.
    """
    whole = Scan([], 0, 0, None)
    for one in scans:
        firsts = (whole.first_bad, one.first_bad)
        whole = Scan(
            heapq.nsmallest(limit, [*whole.candidates, *one.candidates]),
            whole.num_documents + one.num_documents,
            whole.bad_lines + one.bad_lines,
            min((f for f in firsts if f is not None), default=None),
        )
    return whole


class Reservoir(NamedTuple):
    """Documents, and where each is from.

    Attributes:
        documents: the documents, windows of the long ones.
        offsets: of each, in the bytes of all files.
    """

    documents: Documents
    offsets: Sequence[int]

    def save(self, path: str) -> None:
        """Writes a file for `load`."""
        documents = self.documents
        parts = [
            np.array(part, np.int64)
            for part in (self.offsets, documents.firsts, documents.bounds)
        ]
        with (
            atomic_files.replacing(path) as temporary,
            writer(temporary) as file,
        ):
            file.write(np.array([len(p) for p in parts], np.int64).tobytes())
            for part in parts:
                file.write(part.tobytes())
            file.write(np.array(documents.ids, np.int32).tobytes())

    @classmethod
    def load(cls, path: str) -> "Reservoir":
        """Reads what `save` wrote; processes share the memory of local files.

        Raises:
            OSError: it cannot be read.
        """
        if is_remote(path):
            with reader(path) as file:
                data = np.frombuffer(file.read(), np.uint8)
        else:
            data = np.memmap(path, np.uint8, mode="r")
        lengths = data[:24].view(np.int64)
        parts, start = [], 24
        for length in lengths.tolist():
            stop = start + 8 * length
            # Python numbers, one by one: quicker here than NumPy's.
            parts.append(data[start:stop].view(np.int64).data)
            start = stop
        offsets, firsts, bounds = parts
        ids = data[start:].view(np.int32)
        return cls(Documents(ids, bounds, firsts), offsets)


def tokenized(
    files: TextFiles,
    candidates: Iterable[Candidate],
    encode: Callable[[str], list[int]],
    window_ids: int,
) -> Reservoir:
    """Reads documents, in their order; those without ids are left out."""
    documents = Documents()
    offsets: list[int] = []
    for candidate in candidates:
        room = window_ids
        for line in _window(files, candidate, 4 * window_ids):
            ids = encode(line_text(line)[0])[:room]
            if ids:
                documents.add_sentence(ids)
                room -= len(ids)
        if documents.end_document():
            offsets.append(candidate.offset)
    documents.ids = np.array(documents.ids, np.int32)
    return Reservoir(documents, offsets)


def collected(lists: Iterable[list]) -> list:
    """Returns what is in all lists."""
    return list(itertools.chain.from_iterable(lists))


def joined(parts: Iterable[Reservoir]) -> Reservoir:
    """Returns the documents of all parts, in their order."""
    bounds, firsts = [0], [0]
    ids: list[np.ndarray] = [np.zeros(0, np.int32)]
    offsets: list[int] = []
    for documents, places in parts:
        bounds += [bounds[-1] + bound for bound in documents.bounds[1:]]
        firsts += [firsts[-1] + first for first in documents.firsts[1:]]
        ids.append(documents.ids)
        offsets += places
    return Reservoir(Documents(np.concatenate(ids), bounds, firsts), offsets)


def _window(
    files: TextFiles, candidate: Candidate, num_bytes: int
) -> Iterable[bytes]:
    """Yields lines of a document: about num_bytes of it, from anywhere."""
    key, start, length = candidate
    lines = []
    if length > num_bytes:
        start += random.Random(key).randrange(length - num_bytes)
        lines = [line for _, line in files.lines(start, start + num_bytes)]
    # Also where the window is in the middle of one long line.
    start = candidate.offset
    return lines or [
        line for _, line in files.lines(start, start + min(length, num_bytes))
    ]

"""Text files as blocks of lines, which hold whole documents.

The files together are one sequence of bytes, cut into blocks of BLOCK_BYTES. A
block begins at the first blank line that begins in its bytes. So its content
depends on the text alone, and to read it takes the bytes of two blocks at most.
A document that fills a whole block, which then has no blank line, is cut at the
first line that begins in the block.
"""

import bisect
import itertools
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bert.data.corpus.documents import line_text
from bert.errors import UserError
from bert.files import file_bytes

BLOCK_BYTES = 2**19


class TextDocument(NamedTuple):
    """A document as it stands in the files.

    Attributes:
        offset: where it begins in the bytes of all files; tells documents
            apart.
        num_bytes: how long it is.
        lines: its lines, none blank.
    """

    offset: int
    num_bytes: int
    lines: list[bytes]


class TextFiles:
    """Text files, read in blocks.

    Args:
        names: their paths, in order.
        sizes: their lengths in bytes.
        block_bytes: length of a block.
        copies: by name, where a file is read instead; messages name the file.
    """

    def __init__(
        self,
        names: Sequence[str],
        sizes: Sequence[int],
        block_bytes: int = BLOCK_BYTES,
        copies: Mapping[str, str] = types.MappingProxyType({}),
    ) -> None:
        self._names = names
        self._paths = [copies.get(name, name) for name in names]
        self._ends = list(itertools.accumulate(sizes))
        self._block_bytes = block_bytes

    @property
    def num_bytes(self) -> int:
        """Length of all files together."""
        return self._ends[-1]

    @property
    def num_blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.num_bytes // self._block_bytes)

    def documents(self, block: int) -> Iterator[TextDocument]:
        """Yields the documents of a block.

        Raises:
            UserError: a line is longer than a block.
        """
        lines: list[bytes] = []
        offset = 0
        start, stop = self._boundary(block), self._boundary(block + 1)
        for place, line in self.lines(start, stop):
            if not _is_blank(line):
                offset = offset if lines else place
                lines.append(line)
            elif lines:
                yield TextDocument(offset, place - offset, lines)
                lines = []
        if lines:
            yield TextDocument(offset, stop - offset, lines)

    def lines(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yields the lines that begin from start on, before stop."""
        index = bisect.bisect_right(self._ends, start)
        while index < len(self._ends):
            origin = self._ends[index - 1] if index else 0
            if origin >= stop:
                return
            with file_bytes.reader(self._paths[index]) as file:
                offset = max(start, origin)
                if offset > origin:
                    # Skips the rest of the line that begins before.
                    file.seek(offset - origin - 1)
                    offset += _skip_line(file) - 1
                while offset < stop:
                    line = file.readline(self._block_bytes + 1)
                    if len(line) > self._block_bytes:
                        raise UserError(
                            f"{self.place(offset)}: expected a sentence a "
                            f"line. Received: a line of more than "
                            f"{self._block_bytes:,} bytes; split the text "
                            "into sentences."
                        )
                    if not line:
                        break
                    yield offset, line
                    offset += len(line)
            index += 1

    def place(self, offset: int) -> str:
        """Says which file and byte an offset is; for messages."""
        index = bisect.bisect_right(self._ends, offset)
        origin = self._ends[index - 1] if index else 0
        return f"{self._names[index]}, byte {offset - origin}"

    def _boundary(self, block: int) -> int:
        """Returns where a block's first line begins."""
        start = block * self._block_bytes
        if start == 0 or start >= self.num_bytes:
            return min(start, self.num_bytes)
        stop = min(start + self._block_bytes, self.num_bytes)
        first = None
        for offset, line in self.lines(start, stop):
            if _is_blank(line):
                return offset
            first = offset if first is None else first
        return stop if first is None else first


def _skip_line(file) -> int:
    skipped = 0
    while piece := file.readline(2**16):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _is_blank(line: bytes) -> bool:
    # Quick for nearly all lines: they begin with a visible character.
    return not b"!" <= line[:1] <= b"~" and not line_text(line)[0]

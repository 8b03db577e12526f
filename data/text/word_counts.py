"""How often each word of a text occurs, however many there are.

Words are what `BasicTokenizer` makes. Counts are kept in memory; where there
are too many they go to files, sorted, and those are merged at the end.
"""

import functools
import heapq
import itertools
import operator
import os
import tempfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple, Self

from absl import logging

from bert.data.corpus import worker_pool
from bert.data.text import plain_text
from bert.data.text.tokenization import BasicTokenizer
from bert.data.text.word_memory import DROPPED_SEPARATORS
from bert.files import file_bytes, text_input

BLOCK_BYTES = 2**22
# Distinct words in memory: about 200 bytes each.
_MOST_IN_MEMORY = 1_000_000
# One line in so many is held back.
_HELD_BACK = 100


class Counts(NamedTuple):
    """Words of a part of a text.

    Attributes:
        learnt: how often each occurs in the lines to learn from.
        held_back: how often in the lines that are held back.
        bad_bytes: how many bytes are left out, as they are no UTF-8.
    """

    learnt: Mapping[str, int]
    held_back: Mapping[str, int]
    bad_bytes: int = 0


def blocks(paths: Iterable[str]) -> Iterator[bytes]:
    """Yields whole lines of the files, about BLOCK_BYTES of them at a time.

    A line that is longer is cut at a space, if it has one.
    """
    for path in paths:
        rest = b""
        with text_input.reader(path) as file:
            while block := file.read(BLOCK_BYTES):
                block = rest + block
                end = block.rfind(b"\n") + 1
                if not end and len(block) >= 2 * BLOCK_BYTES:
                    end = block.rfind(b" ") + 1 or len(block)
                yield block[:end]
                rest = block[end:]
        yield rest


class WordCounter:
    """Counts the words of blocks; the work of a process.

    Args:
        do_lower_case: of the tokenizer.
        holds_back: whether a hundredth of the lines is held back. A line's
            own bytes decide, so that equal lines stay together.
    """

    def __init__(self, do_lower_case: bool, holds_back: bool):
        self._tokenizer = BasicTokenizer(do_lower_case)
        self._holds_back = holds_back

    def count(self, block: bytes) -> Counts:
        """Returns the words of a block of UTF-8; other bytes are left out."""
        sound = block.decode("utf-8", "ignore").encode()
        bad_bytes = len(block) - len(sound)
        if not self._holds_back:
            return Counts(self._words(block), {}, bad_bytes)
        held_back = [
            line
            for line in block.splitlines()
            if zlib.crc32(line) % _HELD_BACK == 0
        ]
        aside = self._words(b"\n".join(held_back))
        learnt = self._words(block)
        for word, count in aside.items():
            learnt[word] -= count
        return Counts(+learnt, aside, bad_bytes)

    def _words(self, block: bytes) -> Counter[str]:
        """Tokenizes each distinct word once; equally frequent ones at once."""
        text = block.decode("utf-8", "ignore")
        found = Counter(DROPPED_SEPARATORS.sub("", text).split())
        by_count: defaultdict[int, list[str]] = defaultdict(list)
        for word, count in found.items():
            by_count[count].append(word)
        words: Counter[str] = Counter()
        for count, some in by_count.items():
            tokens = self._tokenizer.tokenize(" ".join(some))
            if count == 1:
                words.update(tokens)
                continue
            for word in tokens:
                words[word] += count
        return words


class WordCounts:
    """Adds up counts; use it as a context manager.

    Args:
        most_in_memory: distinct words that are kept in memory.

    Attributes:
        held_back: how often each held back word occurs.
        total: words so far, those that are held back too.
        bad_bytes: as `Counts`'.
    """

    def __init__(self, most_in_memory: int = _MOST_IN_MEMORY):
        self._most = most_in_memory
        self._counts: Counter[str] = Counter()
        self._folder = tempfile.TemporaryDirectory(prefix="bert-words-")
        self._files: list[str] = []
        self.held_back: Counter[str] = Counter()
        self.total = 0
        self.bad_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, counts: Counts) -> None:
        """Adds the words of a block."""
        self._counts.update(counts.learnt)
        self.held_back.update(counts.held_back)
        self.total += sum(counts.learnt.values())
        self.total += sum(counts.held_back.values())
        self.bad_bytes += counts.bad_bytes
        if len(self._counts) > self._most:
            self._write(sorted(self._counts.items()))
            self._counts.clear()

    def frequent(self) -> tuple[dict[str, int], int]:
        """Returns how often words occur, and how many distinct ones there are.

        Where there are more than fit into memory, the rarest are left out: all
        that are as rare as the first one that does not fit.
        """
        if not self._files:
            return dict(self._counts), len(self._counts)
        self._write(sorted(self._counts.items()))
        self._counts.clear()
        merged = self._write(self._merged())
        num_by_count = Counter(count for _, count in _read(merged))
        least, room = max(num_by_count) + 1, self._most
        while num_by_count[least - 1] <= room and least > 1:
            least -= 1
            room -= num_by_count[least]
        kept = {word: count for word, count in _read(merged) if count >= least}
        return kept, num_by_count.total()

    def _merged(self) -> Iterator[tuple[str, int]]:
        runs = heapq.merge(*map(_read, self._files))
        for word, same in itertools.groupby(runs, operator.itemgetter(0)):
            yield word, sum(count for _, count in same)

    def _write(self, words: Iterable[tuple[str, int]]) -> str:
        path = os.path.join(self._folder.name, f"{len(self._files)}.txt")
        with _open(path, "w") as file:
            file.writelines(f"{word}\t{count}\n" for word, count in words)
        self._files.append(path)
        return path


class FileCounts(NamedTuple):
    """Words of files; see `Counts`.

    Attributes:
        learnt: how often each occurs, of those that are frequent enough to
            fit into memory.
        held_back: how often in the lines that are held back.
        num_distinct: how many there are to learn from.
        total: how many there are.
    """

    learnt: Mapping[str, int]
    held_back: Mapping[str, int]
    num_distinct: int
    total: int


def count_files(
    paths: Sequence[str],
    do_lower_case: bool,
    num_workers: int | None,
    *,
    holds_back: bool = False,
    report: Callable[[int], None] = lambda _: None,
) -> FileCounts:
    """Counts the words of files, in several processes.

    Args:
        paths: the files, plain or packed.
        do_lower_case: of the tokenizer.
        num_workers: processes; None: one a core, at most four.
        holds_back: see `WordCounter`.
        report: called with the length of each block that is done.

    Raises:
        UserError: a file is no text.
    """
    plain_text.check(paths)
    num_bytes = sum(file_bytes.size_and_time(path)[0] for path in paths)
    most = 1 + num_bytes // BLOCK_BYTES
    workers = min(worker_pool.num_workers(num_workers), most)
    make_worker = functools.partial(WordCounter, do_lower_case, holds_back)
    with (
        worker_pool.WorkerPool(workers, make_worker) as pool,
        WordCounts() as counts,
    ):
        for block, found in pool.run("count", blocks(paths)):
            counts.add(found)
            report(len(block))
        learnt, num_distinct = counts.frequent()
    if counts.bad_bytes:
        logging.warning(
            "Expected UTF-8 text. Received %d other bytes, which are left "
            "out; convert the text to UTF-8.",
            counts.bad_bytes,
        )
    return FileCounts(learnt, counts.held_back, num_distinct, counts.total)


def _open(path: str, mode: str) -> IO[str]:
    # A word has no tab and no line's end, but may have a U+2028.
    return open(path, mode, encoding="utf-8", newline="\n")


def _read(path: str) -> Iterator[tuple[str, int]]:
    with _open(path, "r") as file:
        for line in file:
            word, _, count = line.rstrip("\n").partition("\t")
            yield word, int(count)

"""Text of any size → shards of pre-training records.

The rules are those of `instances`; random numbers are drawn for each document
and each pass on its own. So a shard depends on the text, the seed and its
number alone, and little of the text is in memory at a time.

A shard holds blocks from all over the text, in all passes. Its records are
shuffled in memory, as many at a time as there is room for.
"""

import dataclasses
import functools
import os
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bert.data.corpus import instance_rows, reservoir
from bert.data.corpus.documents import Documents, line_text
from bert.data.corpus.draws import seeded, shuffle
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.corpus.text_blocks import BLOCK_BYTES, TextFiles
from bert.data.corpus.text_pairs import TextPair, text_pairs
from bert.data.records import record_bytes
from bert.data.records.record_output import Writer, frame_writer
from bert.data.text import special_tokens
from bert.data.text.tokenization import FullTokenizer, checked_tokenizer
from bert.files import file_bytes, text_input

# Blocks of a shard. More would mix more, fewer leave more to do in parallel.
_SHARD_BLOCKS = 4
# Bytes of records that are shuffled at a time.
_SHUFFLE_BYTES = 2**25
# Ids of the rows that are made at a time: about what a cache holds.
_BATCH_IDS = 2**16


@dataclasses.dataclass(frozen=True)
class Job:
    """What to make.

    Attributes:
        names: of the text files.
        sizes: of the text files, in bytes; of packed ones of no use.
        vocab_file: the vocabulary.
        do_lower_case: of the tokenizer.
        settings: what instances to make.
        seed: of everything that is drawn.
        output_file: what the shards' names begin with.
        compression: see `record_output`.
        reservoir_file: where the documents for random next sentences are, once
            they are found.
        block_bytes: see `text_blocks`.
        packed: of each text file, whether it is read from an unpacked copy.
    """

    names: Sequence[str]
    sizes: Sequence[int]
    vocab_file: str
    do_lower_case: bool
    settings: InstanceSettings
    seed: int
    output_file: str
    compression: str
    reservoir_file: str
    block_bytes: int = BLOCK_BYTES
    packed: Sequence[bool] = ()

    @classmethod
    def of(cls, names: Sequence[str], output_file: str, **values: Any) -> "Job":
        """Makes a job: looks at the files, names the reservoir's file.

        Raises:
            UserError: a file is no text.
        """
        sizes = [file_bytes.size_and_time(name)[0] for name in names]
        folder, name = os.path.split(output_file)
        return cls(
            names=tuple(names),
            sizes=tuple(sizes),
            packed=tuple(map(text_input.is_packed, names)),
            output_file=output_file,
            reservoir_file=os.path.join(folder, f".tmp-bert-{name}.others"),
            **values,
        )

    @property
    def copies(self) -> dict[str, str]:
        """The unpacked copies of packed text files, by the files' names."""
        folder, name = os.path.split(self.output_file)
        return {
            text: os.path.join(folder, f".tmp-bert-{name}.text-{number}")
            for number, text in enumerate(self.names)
            if self.packed and self.packed[number]
        }

    @functools.cached_property
    def text(self) -> TextFiles:
        """The text files; their copies must be there by now."""
        copies = self.copies
        sizes = [
            file_bytes.size_and_time(copies[name])[0]
            if name in copies
            else size
            for name, size in zip(self.names, self.sizes, strict=True)
        ]
        return TextFiles(self.names, sizes, self.block_bytes, copies)

    @property
    def num_shards(self) -> int:
        """How many shards there are."""
        return -(-self.text.num_blocks // _SHARD_BLOCKS)

    def shard_file(self, shard: int) -> str:
        """Returns the name of a shard."""
        return f"{self.output_file}-{shard:05}-of-{self.num_shards:05}"

    def shard_blocks(self, shard: int) -> range:
        """Returns the blocks of a shard."""
        return range(shard, self.text.num_blocks, self.num_shards)

    def shard_bytes(self, shard: int) -> int:
        """Returns how much text a shard has, about."""
        return len(self.shard_blocks(shard)) * self.block_bytes

    @property
    def reservoir_size(self) -> tuple[int, int]:
        """How many documents random next sentences come from, and their ids."""
        return reservoir.size_for(self.settings.max_seq_length)


@functools.lru_cache(1)
def tokenizer(job: Job) -> FullTokenizer:
    """Returns the job's tokenizer; a process has one, and its warnings once.

    Raises:
        UserError: the vocabulary cannot be read, or lacks special tokens.
    """
    made = checked_tokenizer(job.vocab_file, job.do_lower_case)
    made.require_tokens(special_tokens.of(made.vocab).mask)
    return made


class Worker:
    """Does the parts of a job; a process has one.

    Args:
        job: the same for all workers.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    @functools.cached_property
    def _instances(self) -> "_Instances":
        return _Instances(
            self._job.settings,
            Vocabulary.from_vocab(tokenizer(self._job).vocab),
            reservoir.Reservoir.load(self._job.reservoir_file),
            self._job.seed,
        )

    def scan(self, blocks: Sequence[int]) -> reservoir.Scan:
        """Looks at blocks, without tokenizing them: see `reservoir.scan`."""
        text, seed = self._job.text, self._job.seed
        limit, _ = self._job.reservoir_size
        return reservoir.merged(
            limit,
            (reservoir.scan(text, block, seed, limit) for block in blocks),
        )

    def tokenize(
        self, part: tuple[int, Sequence[reservoir.Candidate]]
    ) -> list[tuple[int, reservoir.Reservoir]]:
        """Reads documents for random next sentences.

        Args:
            part: a number, which comes back, and the documents.
        """
        number, candidates = part
        documents = reservoir.tokenized(
            self._job.text,
            candidates,
            tokenizer(self._job).encode,
            self._job.reservoir_size[1],
        )
        return [(number, documents)]

    def make_shard(self, shard: int) -> int:
        """Writes a shard; returns how many records it has."""
        job = self._job
        documents, offsets = self._read(shard)
        rng = seeded(job.seed, "shard", shard)
        path = job.shard_file(shard)
        with frame_writer(path, job.compression) as file:
            records = _Shuffled(file, rng)
            for frames in self._instances.frames(documents, offsets):
                records.add(frames)
            records.flush()
        return records.count

    def _read(self, shard: int) -> tuple[Documents, list[int]]:
        """Returns a shard's documents, and the offset of each."""
        text, encode = self._job.text, tokenizer(self._job).encode
        documents, offsets = Documents(), []
        for block in self._job.shard_blocks(shard):
            for document in text.documents(block):
                for line in document.lines:
                    if ids := encode(line_text(line)[0]):
                        documents.add_sentence(ids)
                if documents.end_document():
                    offsets.append(document.offset)
        return documents, offsets


class _Instances:
    """Documents → records of their instances, in all passes."""

    def __init__(
        self,
        settings: InstanceSettings,
        vocabulary: Vocabulary,
        others: reservoir.Reservoir,
        seed: int,
    ) -> None:
        self._settings = settings
        self._vocabulary = vocabulary
        self._others = others.documents
        self._places = {
            offset: place for place, offset in enumerate(others.offsets)
        }
        self._seed = seed
        self._fields = pretraining_fields(
            settings.max_seq_length,
            settings.max_predictions_per_seq,
            settings.pack_sequences,
        )

    def frames(
        self, documents: Documents, offsets: Sequence[int]
    ) -> Iterator[list[bytes]]:
        """Yields the frames of records, a batch at a time."""
        ids = np.array(documents.ids, np.int32)
        pairs: list[TextPair] = []
        random_bytes: list[bytes] = []
        size = instance_rows.num_random_bytes(self._settings)
        batch_size = max(1, _BATCH_IDS // self._settings.max_seq_length)
        for number in range(self._settings.dupe_factor):
            for index, offset in enumerate(offsets):
                rng = seeded(self._seed, number, offset)
                found = self._pairs(documents, index, offset, rng)
                pairs += found
                random_bytes.append(rng.randbytes(size * len(found)))
                if len(pairs) >= batch_size:
                    yield self._encoded(pairs, ids, b"".join(random_bytes))
                    pairs, random_bytes = [], []
        if pairs:
            yield self._encoded(pairs, ids, b"".join(random_bytes))

    def _pairs(
        self,
        documents: Documents,
        index: int,
        offset: int,
        rng: random.Random,
    ) -> list[TextPair]:
        own = self._places.get(offset, -1)
        return list(
            text_pairs(
                documents,
                index,
                self._others,
                range(len(self._others)),
                own,
                self._settings,
                rng,
            )
        )

    def _encoded(
        self,
        pairs: list[TextPair],
        ids: np.ndarray,
        random_bytes: bytes,
    ) -> list[bytes]:
        rows = instance_rows.pack(
            pairs,
            ids,
            self._others.ids,
            self._vocabulary.special,
            self._settings.max_seq_length,
        )
        values = instance_rows.features(
            rows,
            np.array([pair.label for pair in pairs]),
            random_bytes,
            self._settings,
            self._vocabulary,
        )
        made = instance_rows.together(values, self._settings)
        return record_bytes.frames(self._fields, made)


class _Shuffled:
    """Writes records in random order: shuffles as many as fit into memory.

    Attributes:
        count: records so far.
    """

    def __init__(self, file: Writer, rng: random.Random) -> None:
        self.count = 0
        self._file = file
        self._rng = rng
        self._frames: list[bytes] = []
        self._num_bytes = 0

    def add(self, frames: list[bytes]) -> None:
        self._frames += frames
        self._num_bytes += sum(map(len, frames))
        if self._num_bytes >= _SHUFFLE_BYTES:
            self.flush()

    def flush(self) -> None:
        shuffle(self._frames, self._rng)
        for frame in self._frames:  # remote files have no `writelines`
            self._file.write(frame)
        self.count += len(self._frames)
        self._frames, self._num_bytes = [], 0

"""A streaming job from end to end: a first pass over the text, then shards.

The parts are done by processes here (`worker_pool`) or by Apache Beam
(`beam_pool`). The shards are the same.
"""

import contextlib
import functools
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from absl import logging

from bert.data.corpus import (
    reservoir,
    shard_manifest,
    streaming,
    text_shape,
)
from bert.data.corpus.documents import (
    no_text,
    warn_of_bad_lines,
)
from bert.data.corpus.streaming import Job
from bert.data.corpus.worker_pool import Pool, Work
from bert.data.text import special_tokens
from bert.files import file_bytes, run_lock, text_input

# What one call of a worker does in the first pass.
_SCAN_BLOCKS = 16
_TOKENIZE_DOCUMENTS = 512
_COPY_BYTES = 2**20


def create(
    job: Job,
    make_pool: Callable[[], AbstractContextManager[Pool]],
    progress: Callable,
) -> None:
    """Makes the shards that are not there yet.

    Args:
        job: what to make.
        make_pool: makes the pool that runs the parts; called once the text
            is unpacked.
        progress: as `cli.progress.Progress`: a context manager made of a
            total and what is counted, with `update(count)`.

    Raises:
        UserError: there is no text, a line is too long, the files there are
            of another job, or another run is making them.
    """
    lock = job.reservoir_file + ".lock"
    output = f"--output_file={job.output_file}"
    with run_lock.alone(lock, output), _unpacked(job):
        if not job.text.num_blocks:
            raise no_text(job.names)
        logging.info("*** Writing to output files ***")
        logging.info("  %s to %05d", job.shard_file(0), job.num_shards - 1)
        _create(job, make_pool, progress)


@contextlib.contextmanager
def _unpacked(job: Job) -> Iterator[None]:
    """Makes the copies of packed files: a block can be read from them."""
    try:
        for name, copy in job.copies.items():
            logging.info("Unpacking %s to %s", name, copy)
            with text_input.reader(name) as file, file_bytes.writer(copy) as to:
                shutil.copyfileobj(file, to, _COPY_BYTES)
        yield
    finally:
        for copy in job.copies.values():
            if file_bytes.exists(copy):
                file_bytes.remove(copy)


def _create(
    job: Job,
    make_pool: Callable[[], AbstractContextManager[Pool]],
    progress: Callable,
) -> None:
    has_begun = shard_manifest.check(job)
    shards = [
        shard
        for shard in range(job.num_shards)
        if not file_bytes.exists(job.shard_file(shard))
    ]
    if has_begun:
        logging.info(
            "%d of %d shards are there already",
            job.num_shards - len(shards),
            job.num_shards,
        )
    if not shards:
        # Left by a run that was killed after its last shard.
        if file_bytes.exists(job.reservoir_file):
            file_bytes.remove(job.reservoir_file)
        return
    with make_pool() as pool:
        if not (has_begun and file_bytes.exists(job.reservoir_file)):
            with progress(job.text.num_blocks, "blocks looked at") as shown:
                find_others(job, pool, shown.update)
            shard_manifest.write(job)
        total = sum(map(job.shard_bytes, range(job.num_shards)))
        done = total - sum(map(job.shard_bytes, shards))
        with progress(total, "bytes of text", start=done) as shown:
            count = pool.combine(
                Work(
                    "make_shard",
                    shards,
                    sum,
                    lambda shard: shown.update(job.shard_bytes(shard)),
                )
            )
    file_bytes.remove(job.reservoir_file)
    logging.info("Wrote %d total instances to %d shards", count, len(shards))


def find_others(job: Job, pool: Pool, report: Callable[[int], None]) -> None:
    """First pass: finds and keeps the documents for random next sentences.

    Args:
        job: what to make.
        pool: runs the parts.
        report: called with the number of blocks that are done.

    Raises:
        UserError: there is no text, or a line is too long.
    """
    blocks = range(job.text.num_blocks)
    scan: reservoir.Scan = pool.combine(
        Work(
            "scan",
            [blocks[i : i + _SCAN_BLOCKS] for i in blocks[::_SCAN_BLOCKS]],
            functools.partial(reservoir.merged, job.reservoir_size[0]),
            lambda blocks: report(len(blocks)),
        )
    )
    parts = pool.combine(
        Work(
            "tokenize",
            [
                (start, scan.candidates[start : start + _TOKENIZE_DOCUMENTS])
                for start in range(0, len(scan.candidates), _TOKENIZE_DOCUMENTS)
            ],
            reservoir.collected,
            lambda part: None,
        )
    )
    others = reservoir.joined(part for _, part in sorted(parts))
    if not len(others.documents):
        raise no_text(job.names)
    if scan.first_bad is not None:
        place = job.text.place(scan.first_bad)
        warn_of_bad_lines(scan.bad_lines, f"after {place}")
    text_shape.check(others.documents, job.settings, job.names)
    vocab = streaming.tokenizer(job).vocab
    text_shape.warn_of_unknown(
        others.documents,
        vocab[special_tokens.of(vocab).unk],
        *(job.vocab_file, job.names),
    )
    others.save(job.reservoir_file)

"""Makes of raw text what create_pretraining_data.py reads.

A sentence a line, blank lines between documents; without duplicates. Reads
plain text, JSON lines and MediaWiki's dumps. See docs/own_language.md.
"""

import dataclasses
import functools
import heapq
import importlib.util
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from absl import flags, logging

from bert.cli import command_line, shared_flags
from bert.cli.config import FlagConfig
from bert.cli.progress import Progress
from bert.data.preparation import documents as raw
from bert.data.preparation import languages
from bert.errors import UserError
from bert.files import atomic_files, file_bytes, flag_paths, text_input

if TYPE_CHECKING:
    from bert.data.preparation.documents import RawDocument
    from bert.data.preparation.sentences import Document

# Characters of the documents that a process gets at a time.
_BATCH_CHARS = 2**18
_FORMATS = ("text", "jsonl", "wiki_xml")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        input_file="Files or glob patterns, separated by commas; plain, or "
        "packed by gzip, bz2 or xz.",
        output_file="Where to write the sentences. Beside it, with .report."
        "json: what was left out, and why.",
        language="Whose sentences: a code of ISO 639, such as en, de, zh.",
    )
    for name, values, text in (
        (
            "input_format",
            _FORMATS,
            "text; jsonl: a JSON object a line; wiki_xml: a dump of MediaWiki "
            "(pages-articles.xml.bz2), whose articles are documents.",
        ),
        (
            "documents_are",
            raw.UNITS,
            "Of text: what a document is: what is between blank lines, each "
            "line, or each file.",
        ),
    ):
        flags.DEFINE_enum(
            name, values[0], values, text, flag_values=flag_values
        )
    flags.DEFINE_string(
        "text_key",
        "text",
        "Of jsonl: key of the text.",
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "near_duplicates",
        None,
        "Leaves out documents that share so much with one before: 0.8 of "
        "their runs of five words. This takes memory for each document. "
        "Default: only equal ones are left out.",
        lower_bound=0.1,
        upper_bound=1.0,
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "max_memory",
        1.0,
        "GB that --near_duplicates may take.",
        lower_bound=0.001,
        upper_bound=1e6,
        flag_values=flag_values,
    )
    shared_flags.define_text_flags(flag_values)


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig):
    """The values of the flags, by their names."""

    input_file: str
    output_file: str
    language: str
    input_format: str
    documents_are: str
    text_key: str
    near_duplicates: float | None
    max_memory: float
    num_workers: int | None
    overwrite: bool

    def __post_init__(self):
        languages.check(self.language)
        for name, default, kind in (
            ("documents_are", raw.UNITS[0], "text"),
            ("text_key", "text", "jsonl"),
        ):
            if getattr(self, name) != default and self.input_format != kind:
                raise UserError(
                    f"--{name} is for --input_format={kind}. Received: "
                    f"{self.input_format}."
                )
        if self.max_memory != 1 and self.near_duplicates is None:
            raise UserError(
                "--max_memory is for --near_duplicates, which alone takes "
                f"memory. Received: --max_memory={self.max_memory} without it."
            )

    @property
    def report_file(self) -> str:
        """Where the report is written."""
        return f"{self.output_file}.report.json"


def prepare_text(config: Config) -> None:
    """Raw text → documents → clean sentences → file.

    Raises:
        UserError: a package or a file is missing, a file is in the way, or is
            not of its format.
    """
    check_packages(config)
    files = flag_paths.matching_files(config.input_file, "input_file")
    for path in (config.output_file, config.report_file):
        flag_paths.check_new_file(path, "output_file", config.overwrite, files)
    for path in files:
        text_input.is_packed(path)  # refuses what is no text
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    with (
        atomic_files.replacing(config.output_file) as temporary,
        file_bytes.writer(temporary) as out,
        Progress(None, "documents") as progress,
    ):
        for sentences in kept(config, files, counts, left_out):
            lines = "".join(f"{sentence}\n" for sentence in sentences)
            first = counts["documents written"] == 0
            out.write((lines if first else "\n" + lines).encode("utf-8"))
            counts["documents written"] += 1
            counts["sentences written"] += len(sentences)
            progress.update(1)
        if not counts["documents written"]:
            raise UserError(
                f"--input_file: expected text. Received: {config.input_file}, "
                "where no document has a sentence."
            )
    report = {**counts, "left out": dict(left_out.most_common())}
    atomic_files.write_text(
        config.report_file, json.dumps(report, indent=2) + "\n"
    )
    logging.info(
        "Wrote %s: %s",
        config.output_file,
        ", ".join(f"{value:,} {name}" for name, value in counts.items()),
    )
    for reason, count in left_out.most_common():
        logging.info("Left out: %s %s", f"{count:,}", reason)


def kept(
    config: Config,
    files: Sequence[str],
    counts: Counter[str],
    left_out: Counter[str],
) -> Iterator[list[str]]:
    """Yields the sentences of each document that stays, and counts all."""
    from bert.data.preparation import duplicates

    nearly = None
    if config.near_duplicates is not None:
        max_bytes = int(config.max_memory * 1e9)
        nearly = duplicates.NearlySeen(config.near_duplicates, max_bytes)
    with duplicates.Seen() as seen:
        for document in split(config, read(config, files, left_out)):
            counts["documents read"] += 1
            left_out.update(document.left_out)
            sentences = document.sentences
            if not sentences:
                left_out["documents without a sentence"] += 1
            elif not seen.add(duplicates.digest(sentences)):
                left_out["documents that were there before"] += 1
            elif nearly and not nearly.add(sentences):
                left_out["documents nearly as one before"] += 1
            else:
                yield sentences


def read(
    config: Config, files: Sequence[str], left_out: Counter[str]
) -> Iterator["RawDocument"]:
    """Yields all documents, in the order of the files."""
    if config.input_format == "jsonl":
        return raw.read_jsonl(files, config.text_key, left_out)
    if config.input_format == "wiki_xml":
        return raw.read_wiki_xml(files, left_out)
    return raw.read_text(files, config.documents_are, left_out)


def split(
    config: Config, documents: Iterable["RawDocument"]
) -> Iterator["Document"]:
    """Yields the documents' sentences, in their order."""
    from bert.data.corpus import worker_pool
    from bert.data.preparation.sentences import Splitter

    make_worker = functools.partial(
        Splitter,
        languages.code_of(config.language),
        config.input_format == "wiki_xml",
    )
    # Of what was done out of turn: number and result.
    waiting: list[tuple[int, list[Document]]] = []
    due = 0
    workers = worker_pool.num_workers(config.num_workers)
    with worker_pool.WorkerPool(workers, make_worker) as pool:
        for batch, found in pool.run("split", batches(documents)):
            heapq.heappush(waiting, (batch[0], found))
            while waiting and waiting[0][0] == due:
                yield from heapq.heappop(waiting)[1]
                due += 1


def batches(
    documents: Iterable["RawDocument"],
) -> Iterator[tuple[int, list["RawDocument"]]]:
    """Yields numbered lists of documents."""
    number, batch, num_chars = 0, [], 0
    for document in documents:
        batch.append(document)
        num_chars += len(document.text)
        if num_chars >= _BATCH_CHARS:
            yield number, batch
            number, batch, num_chars = number + 1, [], 0
    yield number, batch


def check_packages(config: Config) -> None:
    """Raises UserError where a package is missing."""
    needed = ["sentencex"]
    if config.input_format == "wiki_xml":
        needed.append("mwparserfromhell")
    if config.near_duplicates is not None:
        needed.append("rensa")
    for name in needed:
        if importlib.util.find_spec(name) is None:
            raise UserError(
                f"prepare_text needs {name}, which is not installed; pip "
                "install -r requirements-text.txt."
            )


def main() -> None:
    """Flags → sentences."""
    prepare_text(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

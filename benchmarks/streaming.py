"""Times create_pretraining_data.py's streaming mode; measures its memory.

    python -m benchmarks.streaming --input_file=text.txt --vocab_file=vocab.txt

Makes corpora of the given sizes by repeating the text, then records of them
with 1 and with 2 workers, in turns, and of the text itself by the original's
stream. The first pass over the text and start-up are counted. Memory is that of
all processes together (Pss, which counts shared pages once), looked at ten
times a second.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# Of the original, on a core of the machine of docs/performance_log.md; measured
# once, not by this script: words tokenized, instances created and records
# written a second.
_ORIGINAL_WORDS, _ORIGINAL_CREATED, _ORIGINAL_WRITTEN = 120_000, 2800, 7800
_LARGE_CORPUS_WORDS, _LARGE_MACHINE_CORES = 3e9, 16


class Run(NamedTuple):
    """What a command took."""

    records: int
    seconds: float
    cpu_seconds: float
    megabytes: float


def main() -> None:
    """Corpora → records, timed → a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input_file", required=True, type=Path)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--dupe_factor", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", default="100,1000")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument(
        "--work_dir",
        type=Path,
        help="where to write; in memory (/dev/shm) a slow disk tells nothing",
    )
    args = parser.parse_args()
    text = args.input_file.read_bytes().rstrip(b"\n") + b"\n\n"
    words = len(text.split())
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        original = run(args, args.input_file, Path(folder), 0)
        print(row("original's stream", original, words * args.dupe_factor))
        for index, megabytes in enumerate(args.megabytes.split(",")):
            copies = max(1, round(int(megabytes) * 1e6 / len(text)))
            corpus = Path(folder, "corpus.txt")
            with open(corpus, "wb") as file:
                for _ in range(copies):
                    file.write(text)
            compare(
                args,
                corpus,
                words * copies,
                # Larger ones are there for their memory alone.
                args.rounds if index == 0 else 1,
            )


def compare(
    args: argparse.Namespace, corpus: Path, words: int, rounds: int
) -> None:
    """Prints what each number of workers takes for a corpus."""
    size = corpus.stat().st_size
    numbers = [int(number) for number in args.workers.split(",")]
    runs: dict[int, list[Run]] = {number: [] for number in numbers}
    for _ in range(rounds):
        for number in numbers:
            runs[number].append(run(args, corpus, corpus.parent, number))
    passed = words * args.dupe_factor
    print(f"{size / 1e6:.0f} MB, {words / 1e6:.1f} million words:")
    for number in numbers:
        print(row(f"{number} workers", median(runs[number]), passed))
    if numbers == [1, 2]:
        ratio = statistics.median(
            one.seconds / two.seconds
            for one, two in zip(runs[1], runs[2], strict=True)
        )
        print(f"  2 workers against 1: {ratio:.2f} times")
    last = median(runs[numbers[-1]])
    a_record = 1 / _ORIGINAL_CREATED + 1 / _ORIGINAL_WRITTEN
    original = a_record + words / last.records / _ORIGINAL_WORDS
    times = last.records / last.seconds * original
    print(f"  against the original's {1 / original:,.0f}/s: {times:.1f} times")
    rate = words / last.seconds / numbers[-1] * _LARGE_MACHINE_CORES
    hours = _LARGE_CORPUS_WORDS / rate / 3600
    print(
        f"  3 billion words on 16 cores, extrapolated: {hours:.1f} h for "
        f"{args.dupe_factor} passes"
    )


def row(name: str, made: Run, words: int) -> str:
    """Returns a line of the table; words count once in each pass."""
    return (
        f"  {name}: {made.records / made.seconds:,.0f} records/s, "
        f"{words / made.seconds:,.0f} words/s, {made.seconds:.1f} s "
        f"({made.cpu_seconds:.1f} s of processors), "
        f"{made.megabytes:.0f} MB at most"
    )


def median(runs: Sequence[Run]) -> Run:
    """Returns the median of each figure."""
    return Run(
        *(statistics.median(values) for values in zip(*runs, strict=True))
    )


def run(
    args: argparse.Namespace, corpus: Path, folder: Path, workers: int
) -> Run:
    """Runs the script once; its records are removed."""
    output = folder / "records"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    command = [
        *(sys.executable, "create_pretraining_data.py"),
        f"--input_file={corpus}",
        f"--vocab_file={args.vocab_file}",
        f"--output_file={output}/out",
        f"--dupe_factor={args.dupe_factor}",
        f"--num_workers={workers}",
    ]
    with tempfile.TemporaryFile("w+") as log:
        begun, used = time.monotonic(), cpu_seconds()
        process = subprocess.Popen(command, cwd=ROOT, stderr=log)
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid))
            time.sleep(0.1)
        seconds = time.monotonic() - begun
        used = cpu_seconds() - used
        log.seek(0)
        text = log.read()
    shutil.rmtree(output)
    if process.returncode:
        sys.exit(text)
    found = re.search(r"Wrote (\d+) total instances", text)
    return Run(int(found[1]), seconds, used, peak / 1e6)


def cpu_seconds() -> float:
    """Returns what all processes that have ended took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def memory_of(process: int) -> int:
    """Returns the bytes of a process and its children."""
    children = {process}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = Path(f"/proc/{name}/stat").read_text()
        except OSError:
            continue
        if int(status.rpartition(")")[2].split()[1]) == process:
            children.add(int(name))
    total = 0
    for child in children:
        try:
            rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
        except OSError:
            continue
        found = re.search(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
        total += int(found[1]) * 1024 if found else 0
    return total


if __name__ == "__main__":
    main()

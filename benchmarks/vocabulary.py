"""Times learn_vocabulary beside Hugging Face's trainer (Rust), in turns.

    python -m benchmarks.vocabulary --input_file=text.txt

Each round learns once with 1 and with 2 processes, and once by the trainer of
`tokenizers`; whole commands are timed, their start included. Printed are the
medians of seconds and of the round's ratio, whether 1 and 2 processes wrote the
same bytes, and how many pieces both programs have.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import make_peers
from benchmarks.fine_tuning import ROOT

_PEER = str(ROOT / "benchmarks/peers/hf_vocabulary.py")
_TRAINER = "tokenizers' trainer"


def main() -> None:
    """Learns in turns; prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input_file", required=True, type=Path)
    parser.add_argument("--vocab_size", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    make_peers.define_torch(parser)
    args = parser.parse_args()
    make_peers.check_torch(args.peer_python)
    with tempfile.TemporaryDirectory() as folder:
        commands = make_commands(args, Path(folder))
        rounds = [
            {name: seconds(command) for name, command in commands.items()}
            for _ in range(args.rounds)
        ]
        one, two, peer = (
            Path(folder, name).read_bytes() for name in ("1", "2", "peer")
        )
    for line in table(rounds):
        print(line)
    print(f"1 and 2 processes write the same bytes: {one == two}")
    print(
        f"pieces of both: {len({*one.split()} & {*peer.split()}):,} of "
        f"{len(one.split()):,} and {len(peer.split()):,}"
    )
    sys.exit(one != two)


def make_commands(
    args: argparse.Namespace, folder: Path
) -> dict[str, list[str]]:
    """Returns what is timed, by its name."""
    flags = [
        f"--input_file={args.input_file.resolve()}",
        f"--vocab_size={args.vocab_size}",
    ]
    ours = [sys.executable, "-m", "bert", "learn_vocabulary", *flags]
    return {
        **{
            f"learn_vocabulary --num_workers={number}": [
                *(*ours, "--num_unused=0", "--overwrite"),
                f"--num_workers={number}",
                f"--output_file={folder / str(number)}",
            ]
            for number in (1, 2)
        },
        _TRAINER: [
            *(str(args.peer_python), _PEER, *flags),
            f"--output_file={folder / 'peer'}",
        ],
    }


def seconds(command: Sequence[str]) -> float:
    """Returns what a command takes."""
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return time.monotonic() - begun


def table(rounds: Sequence[dict[str, float]]) -> list[str]:
    """Returns a Markdown table of each round's seconds by name."""
    lines = ["| | seconds | to the trainer's |", "|---|---|---|"]
    for name in rounds[0]:
        median = statistics.median(each[name] for each in rounds)
        ratio = statistics.median(
            each[name] / each[_TRAINER] for each in rounds
        )
        lines.append(f"| {name} | {median:.1f} | {ratio:.2f} |")
    return lines


if __name__ == "__main__":
    main()

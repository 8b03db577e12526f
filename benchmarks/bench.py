r"""Times us and other implementations on the same work, in one run.

Each contestant is a process of its own, in an environment of its own
(benchmarks/make_peers.py makes them; what is not there is left out, and
listed). All stay warm; in every round each does its part of the work once, in
another order each time, so that a noisy machine slows all alike. Writes
bench.md and bench.json: medians, ratios of one round's times, and shares of
the machine's own peak in matrix products, timed between the others.

    make bench
    python -m benchmarks.bench --work=train_step --models=6x384 \
        --lengths=128 --rounds=5 --peers=ours,products,hf_torch
"""

import argparse
import random
import sys
import time
from pathlib import Path

from benchmarks.peers import contestants, machine, report, sizes
from benchmarks.peers.contestants import Contestant, Refused

ROOT = Path(__file__).parents[1]
# Rows of a batch by layers and length: a step takes seconds on two cores, and
# several contestants' models fit into memory together.
ROWS = {"12x768": {128: 8, 384: 2}}
DEFAULT_ROWS = {32: 1, 128: 32, 384: 8}
WORK = ("forward", "train_step")


def main() -> None:
    """Measures what the flags say; writes the tables."""
    args = parse(sys.argv[1:])
    args.output_dir.mkdir(parents=True, exist_ok=True)
    found = report.Report(args.output_dir, machine.describe())
    chosen = contestants.choose(args.peers.split(","), args)
    for name, reason in chosen.missing.items():
        found.leave_out(name, reason)
    for work in args.work.split(","):
        for cell in cells(work, args):
            measure(cell, chosen.present, args, found)
            found.write()
    print(found.markdown())


def parse(arguments: list[str]) -> argparse.Namespace:
    """Returns the flags' values, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", default=",".join(WORK))
    parser.add_argument("--models", default="2x128,6x384,12x768")
    parser.add_argument("--lengths", default="128,384")
    parser.add_argument("--rows", type=int, help="of a batch; by model if not given")
    parser.add_argument(
        "--head", choices=("classifier", "pretraining"), default="classifier"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds",
        type=float,
        default=1.0,
        help="a contestant's part of a round lasts about so long, or one step",
    )
    parser.add_argument("--peers", default=",".join(contestants.CONTESTANTS))
    parser.add_argument(
        "--peers_dir",
        type=Path,
        default=ROOT / ".peers",
        help="environments that make_peers.py made",
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="ENVIRONMENT=PYTHON",
        help="another Python for an environment, such as torch=/x/bin/python",
    )
    parser.add_argument(
        "--output_dir", type=Path, default=ROOT / "bench_output"
    )
    args = parser.parse_args(arguments)
    for name in args.work.split(","):
        if name not in WORK:
            parser.error(f"--work: expected {', '.join(WORK)}; not {name}")
    for name in args.peers.split(","):
        if name not in contestants.CONTESTANTS:
            parser.error(
                f"--peers: expected {', '.join(contestants.CONTESTANTS)}; "
                f"not {name}"
            )
    try:
        for name in args.models.split(","):
            sizes.model(name)
        args.pythons = dict(pair.split("=", 1) for pair in args.python)
        args.all_lengths = [int(length) for length in args.lengths.split(",")]
    except ValueError as error:
        parser.error(str(error))
    return args


def cells(work: str, args: argparse.Namespace):
    """Yields the pieces of a kind of work."""
    for model in args.models.split(","):
        for length in args.all_lengths:
            rows = args.rows or ROWS.get(model, {}).get(length)
            yield {
                "work": work,
                "model": model,
                "length": length,
                "rows": rows or DEFAULT_ROWS.get(length, max(1, 4096 // length)),
                "head": args.head,
            }


def measure(cell, present: list[Contestant], args, found) -> None:
    """Times a piece of work in rounds, by all who can do it."""
    print(f"\n{describe(cell)}", file=sys.stderr)
    running = {}
    try:
        for contestant in present:
            try:
                running[contestant.name] = start(contestant, cell, args)
            except Refused as reason:
                found.refuse(cell, contestant.name, str(reason))
                print(f"  {contestant.name}: {reason}", file=sys.stderr)
        peaks = {
            f"peak, {name}": contestants.Process(
                contestants.CONTESTANTS[name], args
            )
            for name in ("products", "hf_torch")
            if name in running
        }
        for process in peaks.values():
            process.prepare({**cell, "work": "peak"})
            process.run(2)
        running |= {
            name: (process, 5) for name, process in peaks.items()
        }
        found.add(cell, rounds(running, args.rounds))
    finally:
        for process, _ in running.values():
            process.quit()


def start(contestant: Contestant, cell, args):
    """Starts a contestant; returns it with the steps of a round."""
    if cell["work"] not in contestant.works:
        raise Refused("does not do this work")
    process = contestants.Process(contestant, args)
    try:
        process.prepare(cell)
        process.run(1)  # compiles
        process.run(1)
        seconds = process.run(1)["seconds"]
    except Refused:
        process.quit()
        raise
    print(f"  {contestant.name}: {seconds:.3f} s warm", file=sys.stderr)
    return process, max(1, min(200, round(args.seconds / seconds)))


def rounds(running, count: int) -> list[dict]:
    """Lets all do their part in every round; returns what each measured."""
    measured = []
    for number in range(count):
        order = list(running)
        random.Random(number).shuffle(order)
        results = {}
        for name in order:
            process, times = running[name]
            others = [p for n, (p, _) in running.items() if n != name]
            before = machine.snapshot([p.pid for p in others], process.pid)
            begun = time.perf_counter()
            try:
                results[name] = process.run(times)
            except Refused as reason:
                print(f"  {name}: {reason}", file=sys.stderr)
                continue
            after = machine.snapshot([p.pid for p in others], process.pid)
            results[name] |= machine.shares(
                before, after, time.perf_counter() - begun
            )
        measured.append(results)
        line = ", ".join(
            f"{name} {result['seconds']:.3f}"
            for name, result in results.items()
        )
        print(f"  round {number + 1}: {line}", file=sys.stderr)
    return measured


def describe(cell) -> str:
    """Returns a piece of work in words."""
    return (
        f"{cell['work']}, {cell['model']}, {cell['rows']} x {cell['length']}, "
        f"{cell['head']}"
    )


if __name__ == "__main__":
    main()

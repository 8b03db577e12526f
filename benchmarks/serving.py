"""Load on serve.py, beside predict.py and a pipeline of transformers.

    python -m benchmarks.serving --vocab_file=/tmp/minilm/vocab.txt \
        --data_dir=data --work_dir=/tmp/serving

Clients of this machine's loopback ask a classifier of 6 layers of 384 units
(random weights) for rows of IMDb, which are cut to 128 tokens: `--clients` of
them, each one request after the other. Every round each contestant has its
turn of `--seconds`, in another order each time; the others sleep. predict.py's
rate is that of its later rows: a file of many rows less one of few. The
clients' processor time is on the same cores as the server's. Prints a Markdown
table: medians of the rounds, and ratios of one round's rates.

    python -m benchmarks.serving … --model=2x128 --soak=100000

sends so many requests of one short row, and prints serve.py's memory at the
first tenth and at the end.

--data_dir has imdb/test.tsv. transformers: `make bench-peers`; without its
environment its rows are left out.
"""

import argparse
import asyncio
import contextlib
import csv
import http.client
import itertools
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import make_peers

ROOT = Path(__file__).parents[1]
_PEERS = ROOT / "benchmarks" / "peers"
_FEW, _MANY = 64, 1664  # rows of predict.py's two files
_START_SECONDS = 120


class Load(NamedTuple):
    """What clients saw.

    Attributes:
        rate: rows a second.
        seconds: of each request.
    """

    rate: float
    seconds: list[float]


def main() -> None:
    """Starts the servers, asks them in turns, prints the table."""
    args = parse()
    texts = read_texts(args.data_dir)
    folder = make_model(args)
    if args.soak:
        soak(folder / "run", texts, args)
        return
    turns: dict[str, Callable[[], Load]] = {
        "predict.py, a file": lambda: predict(folder / "run", texts, args)
    }
    with contextlib.ExitStack() as stack:
        for name, command, rows in contestants(args, folder):
            port, _ = stack.enter_context(server(command))
            for count in rows:
                turns[f"{name}, {count} rows a request"] = (
                    lambda port=port, count=count: ask(port, texts, count, args)
                )
        found: dict[str, list[Load]] = {name: [] for name in turns}
        for number in range(args.rounds):
            order = list(turns)
            random.Random(number).shuffle(order)
            for name in order:
                found[name].append(turns[name]())
                print(f"{name}: {found[name][-1].rate:.1f} rows/s", flush=True)
    print("\n".join(table(found)))


def parse() -> argparse.Namespace:
    """Returns the flags' values."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--model", default="6x384")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=int, default=0)
    make_peers.define_torch(parser)
    return parser.parse_args()


def read_texts(data_dir: Path) -> list[str]:
    """Returns the reviews of IMDb's test set."""
    with open(data_dir / "imdb/test.tsv", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["sentence"] for row in rows]


def make_model(args: argparse.Namespace) -> Path:
    """Writes the model in both formats; returns the folder of both."""
    folder = args.work_dir.resolve()
    for kind in ("run", "huggingface"):
        if not (folder / kind).is_dir():
            command = [
                *(sys.executable, str(_PEERS / "make_model.py")),
                *(f"--model={args.model}", f"--folder={folder}"),
                *(f"--vocab_file={args.vocab_file}", f"--kind={kind}"),
            ]
            subprocess.run(command, check=True)
    return folder


def contestants(
    args: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, list[str], list[int]]]:
    """Yields name, command and rows of a request of each server."""
    ours = [str(ROOT / "serve.py"), f"--model_dir={folder / 'run'}"]
    yield "serve.py", [sys.executable, *ours], [8, 1]
    if not args.peer_python.exists():
        print(f"transformers is left out: no {args.peer_python}")
        return
    theirs = [str(args.peer_python), str(_PEERS / "hf_server.py")]
    theirs.append(f"--model={folder / 'huggingface'}")
    yield "pipeline, batch_size=1 (default)", theirs, [8]
    yield "pipeline, batch_size=8", [*theirs, "--batch_size=8"], [8]


@contextlib.contextmanager
def server(command: list[str]) -> Iterator[tuple[int, int]]:
    """Runs a server; yields its port and process id once it is healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [*command, f"--port={port}"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(port, process)
            yield port, process.pid
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Returns when a server says that it is healthy."""
    for _ in range(10 * _START_SECONDS):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"no server: {process.args}")


def predict(run: Path, texts: list[str], args: argparse.Namespace) -> Load:
    """Returns the rate of predict.py's later rows."""
    seconds = []
    for count in (_FEW, _MANY):
        file = args.work_dir / "rows.txt"
        lines = itertools.islice(itertools.cycle(texts), count)
        file.write_text("".join(f"{line}\n" for line in lines))
        start = time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                str(ROOT / "predict.py"),
                f"--model_dir={run}",
                f"--input_file={file}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds.append(time.perf_counter() - start)
    return Load((_MANY - _FEW) / (seconds[1] - seconds[0]), [])


def ask(
    port: int, texts: list[str], rows: int, args: argparse.Namespace
) -> Load:
    """Lets all clients ask at once; their requests are made before."""
    bodies = requests(texts, rows)
    # The first ones are not counted: graphs are traced, caches filled.
    asyncio.run(clients(port, bodies, args.clients, args.seconds / 6))
    start = time.perf_counter()
    times = asyncio.run(clients(port, bodies, args.clients, args.seconds))
    return Load(
        rows * len(times) / (time.perf_counter() - start), sorted(times)
    )


def requests(texts: list[str], rows: int) -> list[bytes]:
    """Returns a request of HTTP for each `rows` texts."""
    bodies = []
    for start in range(0, len(texts) - rows + 1, rows):
        body = json.dumps({"instances": texts[start : start + rows]}).encode()
        head = (
            "POST /v1/models/model:predict HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}"
            "\r\n\r\n"
        )
        bodies.append(head.encode() + body)
    return bodies


def soak(run: Path, texts: list[str], args: argparse.Namespace) -> None:
    """Prints how much memory serve.py takes after many requests."""
    bodies = requests([" ".join(text.split()[:16]) for text in texts], 1)
    with server(
        [sys.executable, str(ROOT / "serve.py"), f"--model_dir={run}"]
    ) as (
        port,
        process,
    ):
        each = args.soak // (10 * args.clients)
        for tenth in range(1, 11):
            asyncio.run(clients(port, bodies, args.clients, count=each))
            done = tenth * each * args.clients
            print(f"{done} requests: {resident(process):.1f} MiB", flush=True)


def resident(process: int) -> float:
    """Returns the memory that a process and its children hold, in MiB."""
    root = Path("/proc")
    children = (root / f"{process}/task/{process}/children").read_text()
    status = (root / f"{process}/status").read_text()
    [own] = [x for x in status.splitlines() if x.startswith("VmRSS:")]
    return int(own.split()[1]) / 1024 + sum(
        resident(int(child)) for child in children.split()
    )


async def clients(
    port: int,
    bodies: list[bytes],
    clients: int,
    seconds: float = math.inf,
    count: int | None = None,
) -> list[float]:
    """Asks until the time is over, or so often each; returns the seconds."""
    end = time.perf_counter() + seconds
    each = [
        _client(port, bodies[number::clients], end, count)
        for number in range(clients)
    ]
    return list(itertools.chain(*await asyncio.gather(*each)))


async def _client(
    port: int, bodies: list[bytes], end: float, count: int | None
) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for body in itertools.islice(itertools.cycle(bodies), count):
        start = time.perf_counter()
        if start > end:
            break
        writer.write(body)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head)
        [length] = (
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        times.append(time.perf_counter() - start)
    writer.close()
    return times


def table(found: dict[str, list[Load]]) -> Iterator[str]:
    """Yields the lines of a Markdown table."""
    yield "| | rows/s | of predict.py's | p50 | p99 |"
    yield "|---|---|---|---|---|"
    base = [load.rate for load in next(iter(found.values()))]
    for name, loads in found.items():
        rates = [load.rate for load in loads]
        ratio = statistics.median(
            a / b for a, b in zip(rates, base, strict=True)
        )
        spots = ["", ""]
        if loads[0].seconds:
            spots = [
                f"{1e3 * float(statistics.median(at)):.0f} ms"
                for at in zip(
                    *(np.percentile(load.seconds, [50, 99]) for load in loads),
                    strict=True,
                )
            ]
        yield (
            f"| {name} | {statistics.median(rates):.1f} | {ratio:.2f} | "
            f"{spots[0]} | {spots[1]} |"
        )
    yield f"\n{os.cpu_count()} cores; {len(base)} rounds."


if __name__ == "__main__":
    main()

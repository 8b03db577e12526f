"""Servers and their clients: serve.py, and a pipeline of transformers.

BENCH_SERVER says which; the latter runs in its own environment.
"""

import asyncio
import atexit
import contextlib
import itertools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import sizes
import worker

from benchmarks import serving

_CLIENTS = 16
_TEXTS = 512
_RUNNING = contextlib.ExitStack()
atexit.register(_RUNNING.close)


def serve(cell):
    """Makes the answers to one text a request, of clients side by side."""
    folder = Path(cell["model_dir"])
    if os.environ.get("BENCH_SERVER") == "hf":
        script, model = Path(__file__).with_name("hf_server.py"), "huggingface"
        flag = "model"
    else:
        script, model, flag = serving.ROOT / "serve.py", "run", "model_dir"
    command = [sys.executable, str(script), f"--{flag}={folder / model}"]
    port, _ = _RUNNING.enter_context(serving.server(command))
    texts = list(itertools.islice(sizes.texts(cell), _TEXTS))
    bodies = serving.requests(texts, 1)

    def run(times):
        asyncio.run(serving.clients(port, bodies, _CLIENTS, count=times))
        return {"items": _CLIENTS}

    return run


WORKS = {"serving": serve}

if __name__ == "__main__":
    worker.serve(WORKS, ())

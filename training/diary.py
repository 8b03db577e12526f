"""The diary of an output_dir: runs.jsonl, a line for each start.

The line is there as soon as the work begins, with `status: started`; what takes
a while to find out (hashes of the data) joins it from a thread, how the run
ended at its end. A line that stays `started` is of a run that goes on, or was
killed. No run reads it. Nothing secret is in it: no flag takes a secret, and
the environment is left out.

Imports without TensorFlow.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import math
import os
import platform
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from absl import logging

import bert
from bert.cli.config import TrainingConfig
from bert.errors import MOST_CHARS, one_line
from bert.files import file_bytes, json_log

if TYPE_CHECKING:
    import tensorflow as tf

FILE_NAME = "runs.jsonl"
DataFile = tuple[str, str, int | None]
_ROOT = Path(__file__).parents[1]
# Larger files, and remote ones, are hashed at both ends.
_LARGE_BYTES = 100 * 10**6
_END_BYTES = 2**20
# How long the end of a run waits for the hashes.
_PATIENCE_SECONDS = 10.0


class Diary:
    """A context manager: the line of one run.

    What goes wrong here is one warning, and never the end of the run.

    Args:
        config: the values of the flags; output_dir exists.
        data_files: returns the files of examples that the run reads: the name
            of a set, its file, the rows of it in the set (None: not known).
        strategy: what the run works under.
        is_chief: other workers write nothing.

    Attributes:
        figures: what the run's evaluation gives; the run puts it here.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data_files: Callable[[], Sequence[DataFile]],
        strategy: "tf.distribute.Strategy",
        is_chief: bool = True,
    ):
        self.figures: dict[str, Any] = {}
        self._output_dir = config.output_dir
        self._config = config
        self._data_files = data_files
        self._replicas = strategy.num_replicas_in_sync
        self._is_chief = is_chief
        self._lock = threading.Lock()
        self._has_warned = False
        self._entry: dict[str, Any] = {}

    def __enter__(self) -> Self:
        if not self._is_chief:
            return self
        self._begun = time.monotonic()
        self._entry = {
            "id": secrets.token_hex(8),
            "status": "started",
            "start": _now(),
            "command": list(sys.argv),
            "folder": os.path.realpath(self._output_dir),
            "flags": dataclasses.asdict(self._config),
            "versions": _versions(),
            "devices": _devices(self._replicas),
        }
        self._write(json_log.append)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: Any):
        if not self._is_chief:
            return
        self._thread.join(_PATIENCE_SECONDS if error is None else 1.0)
        more = {
            "end": _now(),
            "seconds": round(time.monotonic() - self._begun, 1),
            "peak_rss_mib": _peak_rss_mib(),
            **_checkpoint(self._output_dir),
            **_ending(error),
            "figures": {k: _plain(v) for k, v in self.figures.items()},
        }
        self._write(json_log.complete, more)

    def _look(self) -> None:
        """Finds out what takes its time."""
        try:
            files = self._data_files()
            known = {path: described(path) for _, path, _ in files}
            data = [
                {"set": name, "file": path, "rows": rows, **known[path]}
                for name, path, rows in files
            ]
        except Exception as error:  # of a task of one's own, too
            self._warn(error)
            data = []
        self._write(json_log.complete, {"data": data, **_commit()})

    def _write(
        self,
        write: Callable[[str, Mapping[str, Any]], None],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        with self._lock:
            self._entry.update(more or {})
            try:
                write(os.path.join(self._output_dir, FILE_NAME), self._entry)
            except OSError as error:
                self._warn(error)

    def _warn(self, error: Exception) -> None:
        if not self._has_warned:
            self._has_warned = True
            logging.warning(
                "%s has no full line of this run (%s); the run goes on.",
                os.path.join(self._output_dir, FILE_NAME),
                one_line(error, 120),
            )


def described(path: str) -> dict[str, Any]:
    """Returns a file's size, time and hash.

    Args:
        path: of up to 100 MB, and local: all of it is hashed (`sha256`). Else
            its first and last MiB, one after the other (`sha256_of_ends`).

    Raises:
        OSError: it cannot be read.
    """
    with file_bytes.os_errors(path):
        size, changed = file_bytes.size_and_time(path)
    when = datetime.datetime.fromtimestamp(changed / 1e9).astimezone()
    digest = hashlib.sha256()
    is_large = size > _LARGE_BYTES or file_bytes.is_remote(path)
    with file_bytes.reading(path) as file:
        if is_large:
            digest.update(file.read(_END_BYTES))
            file.seek(max(size - _END_BYTES, 0))
        while block := file.read(_END_BYTES):
            digest.update(block)
    return {
        "bytes": size,
        "changed": when.isoformat(timespec="seconds"),
        "sha256_of_ends" if is_large else "sha256": digest.hexdigest(),
    }


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def _versions() -> dict[str, str]:
    """Returns the versions of what decides a run's numbers."""
    import keras
    import numpy as np
    import tensorflow as tf

    return {
        "bert": bert.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def _commit() -> dict[str, str]:
    """Returns the commit of a clone, -dirty where files differ from it."""
    if not (_ROOT / ".git").exists():
        return {}
    # Without locks: the user's own git may be at work.
    command = ["git", "--no-optional-locks", "-C", str(_ROOT), "describe"]
    options = ["--always", "--dirty", "--exclude=*", "--abbrev=40"]
    try:
        done = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return {}  # no git here, or the clone is another user's
    return {"commit": done.stdout.strip()}


def _devices(replicas: int) -> dict[str, Any]:
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return {
        "cpus": os.cpu_count(),
        "gpus": [
            details(gpu).get("device_name", gpu.name)
            for gpu in tf.config.list_physical_devices("GPU")
        ],
        "replicas": replicas,
    }


def _peak_rss_mib() -> int | None:
    """Returns the most memory that this process had, in MiB."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (2**20 if sys.platform == "darwin" else 2**10)


def _checkpoint(output_dir: str) -> dict[str, Any]:
    """Returns the newest checkpoint of a folder, and the seed of its run."""
    from bert.modeling import checkpoint_reader
    from bert.training import checkpointing

    found: dict[str, Any] = {"checkpoint": None, "seed": None}
    # A damaged one is no matter of ours.
    with contextlib.suppress(OSError, ValueError):
        if newest := checkpointing.newest(output_dir):
            found["checkpoint"] = os.path.basename(newest)
            state = checkpointing.read_state(checkpoint_reader.Reader(newest))
            found["seed"] = state.seed if state else None
    return found


def _ending(error: BaseException | None) -> dict[str, str]:
    """Returns how a run ended."""
    if error is None:
        return {"status": "finished"}
    number = 128 + signal.SIGINT
    if isinstance(error, SystemExit):
        number = error.code if isinstance(error.code, int) else 1
    if isinstance(error, SystemExit | KeyboardInterrupt) and number > 128:
        name = signal.Signals(number - 128).name
        return {"status": "stopped", "signal": name}
    text = str(error)
    if not isinstance(error, ValueError):
        text = f"{type(error).__name__}: {text}"
    return {"status": "failed", "error": one_line(text, MOST_CHARS)}


def _plain(value: Any) -> Any:
    """Returns a figure as eval_results.txt has it, for JSON."""
    if isinstance(value, str | int):
        return value
    number = float(str(value))  # 0.9, of a float32 that is nearly that
    return number if math.isfinite(number) else str(number)

"""Puts a process of its own before standard error, which reads each line.

TensorFlow's C++ code writes to file descriptor 2 as soon as it is loaded, long
before anything can be set. No thread of ours could read that: C++ holds
Python's lock while it writes, and waits where a pipe is full.
"""

import contextlib
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from bert.cli import relay_process

# Imported where it is used, so that --help is not slower.
if TYPE_CHECKING:
    import subprocess


class Relay:
    """Sends what is written to standard error through `cli/relay_process.py`.

    Where no process can be started, all stays as it is.

    Args:
        kind: "native": without TensorFlow's notes of its start; "json": each
            line is a JSON object.
    """

    def __init__(self, kind: str):
        self._process = _started(kind)
        if self._process is None:
            return
        sys.stderr.flush()
        self._before = os.dup(2)
        os.dup2(self._input, 2)

    @property
    def _input(self) -> int:
        assert self._process
        assert self._process.stdin
        return self._process.stdin.fileno()

    def sync(self) -> None:
        """Returns when all that was written so far has been passed on."""
        sys.stderr.flush()
        if self._process and self._process.stdout:
            # A relay that was killed reads and says nothing.
            with contextlib.suppress(OSError):
                os.write(self._input, relay_process.SYNC)
                self._process.stdout.read(len(relay_process.READY))

    def stop(self) -> None:
        """Writes to standard error itself again."""
        self.sync()
        if self._process is None:
            return
        os.dup2(self._before, 2)
        os.close(self._before)
        # It ends now, unless a child of this process writes on.
        for file in (self._process.stdin, self._process.stdout):
            if file:
                file.close()
        self._process = None


def _started(kind: str) -> "subprocess.Popen | None":
    """Returns the process when it reads; None where that cannot be."""
    import subprocess

    if os.name != "posix" or not sys.executable:
        return None
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", relay_process.__file__, kind],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not for it
        )
    except OSError:
        return None
    assert process.stdout
    is_ready = process.stdout.read(1) == relay_process.READY
    process.wait()  # what reads is its child
    return process if is_ready else None


def hide_native_lines() -> None:
    """Hides what TensorFlow's C++ code writes when it is imported, if it is.

    For scripts. Who asks for such lines gets them: TF_CPP_MIN_LOG_LEVEL of 0 or
    1 in the environment.
    """
    if _QuietTensorFlow not in sys.meta_path:
        sys.meta_path.insert(0, _QuietTensorFlow)


class _QuietTensorFlow:
    """Finds TensorFlow where it is, with a quiet loader."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "tensorflow" or os.environ.get("TF_CPP_MIN_LOG_LEVEL") in (
            "0",
            "1",
        ):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = _QuietLoader(spec.loader)
        return spec


class _QuietLoader(importlib.abc.Loader):
    """Loads as another loader does, but for the notes that come with it."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__:
            module.__spec__.loader = self._loader
        with _quiet():
            self._loader.exec_module(module)
            # Later it would say then that it finds no GPU.
            with contextlib.suppress(Exception):
                module.config.list_physical_devices()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    relay = Relay("native")
    try:
        yield
    finally:
        relay.stop()

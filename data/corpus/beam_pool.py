"""A pool that runs the parts of a job by Apache Beam, on any machines.

The workers are `streaming.Worker`s, as everywhere: they write the shards
themselves, so their machines must reach the files by the same names. They need
this code and NumPy, and TensorFlow for names such as gs:// alone.
"""

import contextlib
import importlib.util
import io
import os
import pickle
import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any, Self

from bert.data.corpus.worker_pool import Work
from bert.errors import UserError
from bert.files import atomic_files, file_bytes

try:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
except ImportError as error:
    raise UserError(
        "--beam_runner needs Apache Beam: pip install -r requirements-beam.txt "
        f"({error})."
    ) from error


# The folder that `import bert` needs on the path.
_SPEC = importlib.util.find_spec("bert")
_ROOT = os.path.dirname(os.path.dirname(str(_SPEC and _SPEC.origin)))


class BeamPool:
    """See `worker_pool.Pool`.

    Args:
        runner: Beam's name of it.
        options: for Beam, as on a command line.
        result_file: where results are handed over; workers must reach it.
        make_worker: makes a worker, in its process; must pickle.
    """

    def __init__(
        self,
        runner: str,
        options: str,
        result_file: str,
        make_worker: Callable[[], Any],
    ) -> None:
        # A wrong option is an error here, before any work starts.
        self._options = _parsed(runner, options)
        self._result_file = result_file
        self._make_worker = make_worker

    def __enter__(self) -> Self:
        # Beam's own processes on this machine find this code there.
        paths = [_ROOT, os.environ.get("PYTHONPATH")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return self

    def __exit__(self, *_: object) -> None:
        if file_bytes.exists(self._result_file):
            file_bytes.remove(self._result_file)

    def combine(self, work: Work) -> Any:
        """Runs a pipeline. Beam shows progress its own way: no reports."""
        try:
            with beam.Pipeline(options=self._options) as pipeline:
                _ = (
                    pipeline
                    | beam.Create(list(work.arguments))
                    | beam.Reshuffle()
                    | work.method
                    >> beam.ParDo(_Call(self._make_worker, work.method))
                    | beam.CombineGlobally(work.merge)
                    | beam.Map(_hand_over, self._result_file)
                )
        except Exception as error:
            raise _users(error) or error from None
        return pickle.loads(file_bytes.read(self._result_file))


class _Call(beam.DoFn):
    """Calls a method of a worker, which each of Beam's processes has."""

    def __init__(self, make_worker: Callable[[], Any], method: str) -> None:
        self._make_worker = make_worker
        self._method = method

    def setup(self) -> None:
        self._worker = self._make_worker()

    def process(self, argument: Any) -> Iterable[Any]:
        yield getattr(self._worker, self._method)(argument)


def _hand_over(result: Any, path: str) -> None:
    with (
        atomic_files.replacing(path) as temporary,
        file_bytes.writer(temporary) as file,
    ):
        pickle.dump(result, file)


def _parsed(runner: str, options: str) -> PipelineOptions:
    said = io.StringIO()
    try:
        words = [*shlex.split(options), f"--runner={runner}"]
        with contextlib.redirect_stderr(said):
            parsed = PipelineOptions(words)
            parsed.get_all_options()  # checks all of them
    except (SystemExit, ValueError) as error:
        reason = said.getvalue().strip().rpartition("error: ")[2] or error
        raise UserError(
            "--beam_options must be options of Apache Beam, as on a command "
            f"line. Received: {options!r} ({reason})."
        ) from error
    return parsed


def _users(error: Exception) -> UserError | None:
    """Returns what a worker told the user, which Beam wraps in its own."""
    found = re.search(
        r"(?:errors\.UserError|OSError): (.*?)(?: \[while running|$)",
        str(error),
        re.MULTILINE,
    )
    if isinstance(error, UserError):
        found = re.match(r"(.*?)(?: \[while running|$)", str(error))
    return UserError(found[1]) if found else None

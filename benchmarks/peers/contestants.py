"""Who takes part, and the coordinator's end of the pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
# What decides how fast a process is: the same for all, but where a contestant
# says otherwise.
_SCRUBBED = ("TF_ENABLE_ONEDNN_OPTS", "PYTHONPATH")
_STEPS = ("forward", "train_step")


class Refused(Exception):
    """A contestant cannot do a piece of work; the text says why."""


class Contestant(NamedTuple):
    """Who takes part.

    Attributes:
        name: of a row in the tables.
        file: what its process runs.
        environment: the folder of its Python under --peers_dir; None: the one
            that runs us.
        works: what it does.
        note: what exactly it does; for the tables.
        variables: of its environment, beside the user's.
    """

    name: str
    file: str
    environment: str | None
    works: tuple[str, ...]
    note: str
    variables: tuple[tuple[str, str], ...] = ()


_ONEDNN = (("TF_ENABLE_ONEDNN_OPTS", "1"),)
_NO_ONEDNN = (("TF_ENABLE_ONEDNN_OPTS", "0"),)
_LEGACY = (("TF_USE_LEGACY_KERAS", "1"),)
_KERAS_HUB = (
    "BertTextClassifier, compile(AdamW, global_clipnorm=1), train_on_batch; "
    "predict_on_batch. XLA where Keras chooses it (jit_compile='auto')"
)
_MODEL_GARDEN = (
    "BertClassifier on BertEncoder, compile(create_optimizer('adamw')), "
    "train_on_batch; predict_on_batch"
)
CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant(
            "ours",
            "ours.py",
            None,
            _STEPS,
            "environment.prepare, compile_train_step with clipping to norm 1 "
            "and weight decay, batches by tf.data; loop.Forward",
        ),
        Contestant(
            "ours-onednn",
            "ours.py",
            None,
            _STEPS,
            "the same with TF_ENABLE_ONEDNN_OPTS=0",
            _NO_ONEDNN,
        ),
        Contestant(
            "products",
            "products.py",
            None,
            _STEPS,
            "the matrix products of the same step alone, in TensorFlow set up "
            "as for ours",
        ),
        Contestant(
            "hf_torch",
            "hf_torch.py",
            "torch",
            _STEPS,
            "transformers, BertForSequenceClassification (BertForPreTraining), "
            "sdpa, model.train(), clip_grad_norm_, fused AdamW; model.eval(), "
            "inference_mode",
        ),
        Contestant("keras_hub", "kerashub.py", "keras_hub", _STEPS, _KERAS_HUB),
        Contestant(
            "keras_hub+onednn",
            "kerashub.py",
            "keras_hub",
            _STEPS,
            "the same with TF_ENABLE_ONEDNN_OPTS=1",
            _ONEDNN,
        ),
        Contestant(
            "model_garden",
            "model_garden.py",
            "model_garden",
            _STEPS,
            _MODEL_GARDEN,
            _LEGACY,
        ),
        Contestant(
            "model_garden+onednn",
            "model_garden.py",
            "model_garden",
            _STEPS,
            "the same with TF_ENABLE_ONEDNN_OPTS=1",
            _LEGACY + _ONEDNN,
        ),
    )
}


class Chosen(NamedTuple):
    """Who takes part, and why others do not."""

    present: list[Contestant]
    missing: dict[str, str]


def python_of(environment: str | None, args) -> str:
    """Returns the Python of an environment."""
    if environment is None:
        return sys.executable
    given = args.pythons.get(environment)
    return given or str(args.peers_dir / environment / "bin" / "python")


def choose(names: list[str], args) -> Chosen:
    """Looks which contestants are installed."""
    chosen = Chosen([], {})
    for name in names:
        contestant = CONTESTANTS[name]
        python = python_of(contestant.environment, args)
        if os.path.exists(python):
            chosen.present.append(contestant)
        else:
            chosen.missing[name] = (
                f"not installed (no {python}): python -m "
                f"benchmarks.make_peers {contestant.environment}"
            )
    return chosen


class Process:
    """A contestant's process, waiting for orders.

    Args:
        contestant: whose.
        args: the flags' values.

    Attributes:
        hello: what it said first: versions, and its memory after the imports.

    Raises:
        Refused: it does not start.
    """

    def __init__(self, contestant: Contestant, args):
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in _SCRUBBED
        }
        environment |= {"CUDA_VISIBLE_DEVICES": "-1"}
        environment |= dict(contestant.variables)
        name = contestant.name.replace(" ", "_").replace(",", "")
        self._log = args.output_dir / f"{name}.log"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [
                    python_of(contestant.environment, args),
                    str(HERE / contestant.file),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )
        self.pid = self._process.pid
        self.hello = self._hear()

    def prepare(self, cell: dict[str, Any]) -> None:
        """Makes what a piece of work needs."""
        self._ask({"do": "prepare", "cell": cell})

    def run(self, times: int) -> dict[str, Any]:
        """Does the work so often; returns what was measured."""
        return self._ask({"do": "run", "times": times})

    def quit(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise Refused(f"has ended; see {self._log}") from error
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise Refused(
                f"ended with exit code {self._process.returncode}: "
                f"{self._last_words()} (all of it: {self._log})"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing said"

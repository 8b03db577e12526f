"""Who takes part, and the coordinator's end of the pipes."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peers import sizes

HERE = Path(__file__).parent
# What decides how fast a process is: the same for all, but where a contestant
# says otherwise.
_SCRUBBED = ("TF_ENABLE_ONEDNN_OPTS", "PYTHONPATH")


class RefusedError(Exception):
    """A contestant cannot do a piece of work; the text says why."""


class Contestant(NamedTuple):
    """Who takes part.

    Attributes:
        name: of a row in the tables.
        works: what it does, and the file that does it.
        environment: the folder of its Python under --peers_dir; None: the one
            that runs us.
        note: what exactly it does; for the tables.
        variables: of its environment, beside the user's.
    """

    name: str
    works: dict[str, str]
    environment: str | None
    note: str
    variables: dict[str, str] = {}  # noqa: RUF012 (never changed)


def _all(file: str, *works: str) -> dict[str, str]:
    return dict.fromkeys(works, file)


_STEPS = ("forward", "train_step")
_PREDICTIONS = ("predict_mrpc", "predict_squad")
_TEXT = ("tokenization", "tokenization_cold")
_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}
_LEGACY = {"TF_USE_LEGACY_KERAS": "1"}
_SAME = "the same with TF_ENABLE_ONEDNN_OPTS=1"
_ALL_CONTESTANTS = (
    Contestant(
        "ours",
        {
            **_all("ours.py", *_STEPS, *_PREDICTIONS, "latency", "packing"),
            **_all("ours_text.py", *_TEXT),
            **_all("servers.py", "serving"),
        },
        None,
        "environment.prepare, compile_train_step with clipping to norm 1 and "
        "weight decay, batches by tf.data; Forward; finetuning.Rows; "
        "Predictor; serve.py; FullTokenizer.encode, a line a call",
    ),
    Contestant(
        "ours-onednn",
        _all("ours.py", *_STEPS),
        None,
        "ours with TF_ENABLE_ONEDNN_OPTS=0",
        {"TF_ENABLE_ONEDNN_OPTS": "0"},
    ),
    Contestant(
        "ours-bfloat16",
        _all("ours.py", *_STEPS),
        None,
        "ours with --precision=bfloat16",
        {"BENCH_PRECISION": "bfloat16"},
    ),
    *(
        Contestant(
            f"ours-{name}",
            _all("ours_runtime.py", "forward", "latency"),
            "runtimes",
            f"ours with --runtime={name}, on what compress_model.py writes",
            {"BENCH_RUNTIME": name},
        )
        for name in sizes.FORMATS
    ),
    Contestant(
        "ours-packed",
        _all("ours.py", "packing"),
        None,
        "ours with --pack_sequences",
        {"BENCH_WAY": "packed"},
    ),
    Contestant(
        "ours-padded",
        _all("ours.py", *_PREDICTIONS),
        None,
        "ours with every row padded to the full length, in file order",
        {"BENCH_PADDED": "1"},
    ),
    Contestant(
        "products",
        _all("products.py", *_STEPS),
        None,
        "the matrix products of the same step alone, in TensorFlow set up as "
        "for ours",
    ),
    Contestant(
        "hf_torch",
        _all("hf_torch.py", *_STEPS, *_PREDICTIONS, "latency"),
        "torch",
        "transformers on PyTorch, random weights, sdpa: model.train(), "
        "clip_grad_norm_, AdamW (fused); model.eval(), inference_mode; rows "
        "in file order, padded to the full length as in its examples; of "
        "SQuAD logits only",
    ),
    Contestant(
        "hf_torch-dynamic",
        _all("hf_torch.py", *_PREDICTIONS),
        "torch",
        "the same, padded to the longest row of a batch",
        {"BENCH_PADDING": "longest"},
    ),
    Contestant(
        "hf_pipeline",
        _all("servers.py", "serving"),
        "torch",
        "a text-classification pipeline behind the same server, a text at a "
        "time (its default)",
        {"BENCH_SERVER": "hf"},
    ),
    Contestant(
        "keras_hub",
        _all("kerashub.py", *_STEPS, "latency"),
        "keras_hub",
        "BertTextClassifier, compile(AdamW, global_clipnorm=1), "
        "train_on_batch; predict_on_batch. jit_compile='auto', "
        "which on a CPU is no XLA",
    ),
    Contestant(
        "keras_hub+onednn",
        _all("kerashub.py", *_STEPS, "latency"),
        "keras_hub",
        _SAME,
        _ONEDNN,
    ),
    Contestant(
        "model_garden",
        _all("model_garden.py", *_STEPS),
        "model_garden",
        "BertClassifier on BertEncoder, compile(create_optimizer('adamw')), "
        "train_on_batch; predict_on_batch",
        _LEGACY,
    ),
    Contestant(
        "model_garden+onednn",
        _all("model_garden.py", *_STEPS),
        "model_garden",
        _SAME,
        _LEGACY | _ONEDNN,
    ),
    Contestant(
        "onnx_runtime",
        _all("onnx_runtime.py", "forward", "latency"),
        "runtimes",
        "the model.onnx that compress_model.py writes, default options, HF "
        "tokenizers",
    ),
    *(
        Contestant(
            f"hf_tokenizers-{road}",
            _all("hf_tokenizers.py", *_TEXT),
            "torch",
            f"BertWordPieceTokenizer.{road} on one thread",
            {"BENCH_ROAD": road},
        )
        for road in ("encode", "encode_batch", "encode_batch_fast")
    ),
)
CONTESTANTS = {contestant.name: contestant for contestant in _ALL_CONTESTANTS}


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


def environment(variables: dict[str, str]) -> dict[str, str]:
    """Returns the environment of a contestant's process."""
    own = {k: v for k, v in os.environ.items() if k not in _SCRUBBED}
    return {**own, "CUDA_VISIBLE_DEVICES": "-1", **variables}


class Process:
    """A contestant's process, waiting for orders.

    Args:
        contestant: whose.
        work: what it is to do.
        args: the flags' values.

    Attributes:
        hello: what it said first: versions, and its memory after the imports.

    Raises:
        RefusedError: it does not start.
    """

    def __init__(self, contestant: Contestant, work: str, args):
        self.contestant = contestant
        self._log = args.output_dir / f"{contestant.name}.log"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [
                    python_of(contestant.environment, args),
                    str(HERE / contestant.works[work]),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(contestant.variables),
                text=True,
            )
        self.pid = self._process.pid
        self.hello = self._hear()

    def prepare(self, job: str, cell: dict[str, Any]) -> None:
        """Makes what a piece of work needs, under a name."""
        self._ask({"do": "prepare", "job": job, "cell": cell})

    def run(self, job: str, times: int) -> dict[str, Any]:
        """Does a job so often; returns what was measured."""
        return self._ask({"do": "run", "job": job, "times": times})

    def drop(self) -> None:
        """Forgets all jobs."""
        self._ask({"do": "drop"})

    def quit(self) -> None:
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):
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
            raise RefusedError(f"has ended; see {self._log}") from error
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise RefusedError(
                f"ended with exit code {self._process.returncode}: "
                f"{self._last_words()} (all of it: {self._log})"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing said"

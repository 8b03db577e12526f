"""Times the answer to one line against the model's bare forward pass.

    python -m benchmarks.predict_latency
    python -m benchmarks.predict_latency --compressed_dir=/tmp/small

A classifier of random weights (6 layers of 384 units) answers a line of 32
tokens, another one each time: by its function alone on tensors that are there
("forward"), by `Predictor.predict`, and by predict.py at the other end of a
pipe. Each round times every road once, in another order each time, so that a
noisy machine slows all alike; printed are medians, in milliseconds, and the
median of the rounds' ratios to "forward". predict.py is a process of its own:
"line by line" beside the same forward pass here.

With --compressed_dir, a folder of compress_model.py that has the format onnx,
"bare" is onnxruntime's session and tokenization alone, and `Predictor` answers
with --runtime=onnx.
"""

import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import app, flags

from bert.model_folder import model_files, task_files
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig, checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.serving import export, graphs
from bert.serving.predictor import Predictor
from bert.tasks.spec import INPUTS

FLAGS = flags.FLAGS
flags.DEFINE_integer("layers", 6, "Layers of the model.")
flags.DEFINE_integer("hidden_size", 384, "Units of the model.")
flags.DEFINE_string("compressed_dir", None, "A model, instead, for ONNX.")
flags.DEFINE_integer("tokens", 32, "Tokens of the line, [CLS] and [SEP] too.")
flags.DEFINE_integer("rounds", 200, "Rounds; medians are printed.")
flags.DEFINE_integer("warm_up", 20, "Rounds before them.")

ROOT = Path(__file__).parents[1]
_VOCAB_FILE = ROOT / "sample_data" / "vocab.txt"
_VOCAB_SIZE = 30522


def make_model(folder: Path) -> tuple[str, str]:
    """Writes a run's folder and its export; returns both."""
    run, exported = folder / "run", folder / "export"
    run.mkdir()
    size = FLAGS.hidden_size
    config = BertConfig(
        vocab_size=_VOCAB_SIZE,
        hidden_size=size,
        num_hidden_layers=FLAGS.layers,
        num_attention_heads=size // 32,
        intermediate_size=4 * size,
        type_vocab_size=2,
    )
    model = ClassifierModel(config, 2)
    checkpoint.write_files(
        str(run / "model.ckpt-1"), checkpoint.named_variables(model)
    )
    config_file = folder / "config.json"
    config_file.write_text(config.to_json_string())
    task = Task(
        task="classification",
        kind="classification",
        do_lower_case=True,
        max_seq_length=128,
    )
    task_files.write(str(run), task, str(config_file), str(_VOCAB_FILE))
    (run / "labels.txt").write_text("no\nyes\n")
    source = model_files.find(str(run))
    export.export(source, str(exported), raw_strings=False)
    return str(run), str(exported)


@contextlib.contextmanager
def pipe(model_dir: str) -> Iterator[Callable[[str], str]]:
    """Runs predict.py; yields what asks it a line."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "predict.py"), f"--model_dir={model_dir}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ask(line: str) -> str:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return process.stdout.readline()

        yield ask
        process.stdin.close()


def measure(roads: dict[str, Callable[[], object]]) -> None:
    """Prints the table."""
    times: dict[str, list[float]] = {name: [] for name in roads}
    order = list(roads)
    for turn in range(FLAGS.warm_up + FLAGS.rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            roads[name]()
            if turn >= FLAGS.warm_up:
                times[name].append(time.perf_counter() - start)
    forward = next(iter(times.values()))
    for name, own in times.items():
        ratios = [a / b for a, b in zip(own, forward, strict=True)]
        print(
            f"{name:32} {1e3 * statistics.median(own):7.2f} ms "
            f"{statistics.median(own) / statistics.median(forward):6.3f} x "
            f"{statistics.median(ratios):6.3f} x (median of ratios)"
        )


def line_maker(vocab_file: Path) -> Callable[[], str]:
    """Returns what makes lines, of words that are one token each."""
    vocab = vocab_file.read_text().splitlines()
    words = [token for token in vocab if token.isascii() and token.isalpha()]
    return lambda: " ".join(random.choices(words, k=FLAGS.tokens - 2))


def measure_onnx(folder: Path) -> None:
    """Prints the table of a compressed model."""
    import numpy as np
    import onnxruntime

    from bert.data.text.tokenization import FullTokenizer

    vocab_file = folder / "assets" / "vocab.txt"
    tokenizer = FullTokenizer(str(vocab_file), do_lower_case=True)
    first, last = tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]"])
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    predictor = Predictor.load(str(folder), runtime="onnx")
    line = line_maker(vocab_file)

    def bare():
        ids = np.array([[first, *tokenizer.encode(line()), last]], np.int32)
        arrays = (ids, np.ones_like(ids), np.zeros_like(ids))
        session.run(["probabilities"], dict(zip(INPUTS, arrays, strict=True)))

    measure({"bare": bare, "Predictor": lambda: predictor.predict([line()])})


def main(_: list[str]) -> None:
    """Makes the model, asks it, and prints the table."""
    if FLAGS.compressed_dir:
        measure_onnx(Path(FLAGS.compressed_dir))
        return
    line = line_maker(_VOCAB_FILE)
    with tempfile.TemporaryDirectory() as folder:
        run, exported = make_model(Path(folder))
        of_run, of_export = Predictor.load(run), Predictor.load(exported)
        loaded = graphs.Graph(model_files.find(run)).serve
        function = loaded.get_concrete_function()
        vocab_size = len(_VOCAB_FILE.read_text().splitlines())
        ids = random.choices(range(vocab_size), k=FLAGS.tokens)
        inputs = [[ids], [[1] * len(ids)], [[0] * len(ids)]]
        tensors = [tf.constant(value, tf.int32) for value in inputs]
        named = dict(zip(INPUTS, tensors, strict=True))

        def forward():
            outputs = function(**named)
            return {name: value.numpy() for name, value in outputs.items()}

        with pipe(run) as ask:
            measure(
                {
                    "forward": forward,
                    "Predictor, checkpoint": lambda: of_run.predict([line()]),
                    "Predictor, SavedModel": lambda: of_export.predict(
                        [line()]
                    ),
                    "predict.py through a pipe": lambda: ask(line()),
                }
            )


if __name__ == "__main__":
    app.run(main)

r"""A GPU in one script: does it compute what it must, and how fast?

First the original's numbers (tests/golden): the outputs of three models, and
the losses of twelve steps of pre-training, in each precision, as the GPU
computes them. float32 must be within 1e-5; half precision is held against
float32 by the angle of its vectors, and by its losses. Then rates: pre-training
at length 128 and 512 and SQuAD at 384, BERT-Base and BERT-Large, whole steps
with their update, by XLA. The peak is that of a large matrix product in the
same precision, timed in the same run. Exits with 1 where a number is wrong.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --models=tiny --rows=2 --steps=2 \
        --precisions=float32  # CPU
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bert.cli import environment

environment.prepare()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks import models  # noqa: E402
from bert.modeling import BertConfig, checkpoint, heads  # noqa: E402
from bert.training import optimization  # noqa: E402
from bert.training.loss_scale import LossScale  # noqa: E402
from bert.training.steps import (  # noqa: E402
    StepSettings,
    compile_train_step,
)

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
WORK = (("pretraining", 128), ("pretraining", 512), ("squad", 384))


class Limits(NamedTuple):
    """How far a precision may be from the original.

    Attributes:
        outputs: any number of a model's vectors.
        cosine: of a row's vectors with the right ones, at least.
        losses: of a training step.
    """

    outputs: float
    cosine: float
    losses: float


# bfloat16 has 8 bits of each number, float16 11.
LIMITS = {
    "float32": Limits(1e-5, 0.999999, 1e-5),
    "bfloat16": Limits(0.1, 0.9999, 0.02),
    "float16": Limits(0.02, 0.99999, 0.005),
}


def main() -> None:
    """Prints both tables; exits with 1 where a number is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="base,large", help="none: no rates")
    parser.add_argument(
        "--rows",
        type=int,
        help="of a batch; default: as many as make 32,768 tokens",
    )
    parser.add_argument("--precisions", default="float32,bfloat16,float16")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--xla", action=argparse.BooleanOptionalAction)
    parser.set_defaults(xla=True)
    args = parser.parse_args()
    precisions = args.precisions.split(",")
    if unknown := sorted({*precisions} - {*LIMITS}):
        parser.error(f"--precisions: expected {', '.join(LIMITS)}; {unknown}")
    tf.get_logger().setLevel("ERROR")  # not a warning for each model
    # As the scripts do: float32 is float32.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        print(tf.config.experimental.get_device_details(device))
    print("| precision | largest difference | cosine, least | losses | |")
    print("|---|---|---|---|---|")
    are_right = [check(precision, args.xla) for precision in precisions]
    for precision in precisions if args.models else ():
        rates(precision, bool(devices), args)
    if not all(are_right):
        sys.exit("Some numbers are not the original's: see the first table.")


def check(precision: str, use_xla: bool) -> bool:
    """Prints how far the numbers are from the original's.

    Returns:
        Whether they are within the precision's limits.
    """
    distances, cosines = zip(
        *(compare_outputs(name, precision) for name in golden_models()),
        strict=True,
    )
    found = Limits(
        max(distances), min(cosines), compare_losses(precision, use_xla)
    )
    limits = LIMITS[precision]
    # Not nan, either.
    is_right = (
        found.outputs <= limits.outputs
        and found.cosine >= limits.cosine
        and found.losses <= limits.losses
    )
    print(
        f"| {precision} | {found.outputs:.1e} | {found.cosine:.7f} | "
        f"{found.losses:.1e} | {'right' if is_right else 'WRONG'} |",
        flush=True,
    )
    return is_right


def golden_models() -> list[str]:
    """Returns the folders of models of the original."""
    return sorted(path.name for path in GOLDEN.glob("model_*"))


def compare_outputs(name: str, precision: str) -> tuple[float, float]:
    """Returns how far a model is from a golden's vectors.

    Returns:
        The largest difference, and the least cosine with the right one.
    """
    folder = GOLDEN / name
    config = BertConfig.from_json_file(folder / "bert_config.json")
    model = heads.PretrainingModel(config, compute_dtype=precision)
    checkpoint.load_weights(model, str(folder / "bert_model.ckpt"))
    with np.load(folder / "inputs.npz") as arrays:
        batch = dict(arrays)
    with np.load(folder / "outputs.npz") as arrays:
        expected = dict(arrays)
    encode = tf.function(model.backbone.__call__, autograph=False)
    vectors = encode(
        batch["input_ids"],
        input_mask=batch["input_mask"],
        segment_ids=batch["segment_ids"],
    )
    distance, cosine = 0.0, 1.0
    for key in ("sequence_output", "pooled_output"):
        own = tf.cast(vectors[key], tf.float32).numpy()
        distance = max(distance, float(np.max(np.abs(own - expected[key]))))
        lengths = [np.linalg.norm(x, axis=-1) for x in (own, expected[key])]
        products = np.sum(own * expected[key], axis=-1)
        cosine = min(cosine, float(np.min(products / np.prod(lengths, axis=0))))
    return distance, cosine


def compare_losses(precision: str, use_xla: bool) -> float:
    """Returns the largest difference of a loss in the original's 12 steps."""
    folder = GOLDEN / "train_pretraining"
    run = json.loads((folder / "trajectory.json").read_text())
    with np.load(folder / "batches.npz") as arrays:
        batches = dict(arrays)
    model = heads.PretrainingModel(
        BertConfig.from_json_file(GOLDEN / "model_base/bert_config.json"),
        compute_dtype=precision,
    )
    checkpoint.load_weights(model, str(folder / "model.ckpt-0"))
    optimizer = optimization.AdamWeightDecay(
        {
            checkpoint.checkpoint_name(v, model): v.value
            for v in model.trainable_variables
        },
        optimization.learning_rate_schedule(
            "original",
            run["learning_rate"],
            run["num_train_steps"],
            run["num_warmup_steps"],
        ),
    )
    step = compile_train_step(
        model,
        optimizer,
        StepSettings(seed=0, use_xla=use_xla),
        loss_scale=LossScale() if precision == "float16" else None,
    )
    losses = [
        float(step({k: tf.constant(v[i]) for k, v in batches.items()})["loss"])
        for i in range(len(run["losses"]))
    ]
    return float(np.max(np.abs(np.array(losses) - run["losses"])))


def rates(precision: str, has_gpu: bool, args: argparse.Namespace) -> None:
    """Times each model at each piece of work; prints the table."""
    peak = matmul_rate(precision, size=8192 if has_gpu else 1024)
    print(f"\nPeak, {precision} matrix product: {peak / 1e12:.2f} TFLOP/s\n")
    print("| model | work | rows | examples/s | TFLOP/s | share of peak |")
    print("|---|---|---|---|---|---|")
    for name in args.models.split(","):
        for task, length in WORK:
            rows = args.rows or 2**15 // length
            seconds = seconds_per_step(
                args, name, precision, task, rows, length
            )
            rate = rows / seconds
            flops = rate * flops_per_example(name, task, length)
            print(
                f"| {name} | {task} {length} | {rows} | {rate:.1f} | "
                f"{flops / 1e12:.2f} | {flops / peak:.0%} |",
                flush=True,
            )


def seconds_per_step(
    args: argparse.Namespace,
    name: str,
    precision: str,
    task: str,
    rows: int,
    length: int,
) -> float:
    """Returns the median time of a step after its compilation."""
    model = models.make_model(name, task, precision)
    step = compile_train_step(
        model,
        models.make_optimizer(model),
        StepSettings(seed=1, use_xla=args.xla),
        loss_scale=LossScale() if precision == "float16" else None,
    )
    batch = {
        key: tf.constant(values)
        for key, values in models.make_batch(task, rows, length).items()
    }
    return timed(lambda: step(batch)["loss"], args.steps)


def matmul_rate(precision: str, size: int) -> float:
    """Returns the operations per second of a square matrix product."""
    matrix = tf.cast(tf.random.normal([size, size]), precision)
    product = tf.function(lambda x: tf.reduce_sum(tf.matmul(x, x)))
    return 2.0 * size**3 / timed(lambda: product(matrix), 10)


def timed(take: Callable[[], tf.Tensor], times: int) -> float:
    """Returns the median seconds of a call, the first two left out."""
    taken = []
    for _ in range(times + 2):
        begun = time.perf_counter()
        take().numpy()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[2:])


def flops_per_example(name: str, task: str, length: int) -> float:
    """Returns the matrix products' operations, forward and backward."""
    sizes = models.sizes(name)
    hidden, layers = sizes["hidden_size"], sizes["num_hidden_layers"]
    kernels = 4 * hidden**2 + 2 * hidden * sizes["intermediate_size"]
    forward = layers * length * (2 * kernels + 4 * length * hidden)
    if task == "pretraining":
        predictions = 20 if length <= 128 else 77
        forward += 2 * predictions * hidden * (hidden + sizes["vocab_size"])
    return 3.0 * forward


if __name__ == "__main__":
    main()

r"""Times training on a GPU: examples per second and share of its peak.

Pre-training at length 128 and 512 and SQuAD at 384, BERT-Base and BERT-Large,
whole steps with their update, in bfloat16 by XLA. The peak is that of a large
matrix product in the same precision, timed in the same run.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --models=tiny --rows=2 --precision=float32  # CPU
"""

import argparse
import statistics
import time
from collections.abc import Callable

from bert.cli import environment

environment.prepare()

import tensorflow as tf  # noqa: E402

from benchmarks import models  # noqa: E402
from bert.training.steps import StepSettings, compile_train_step  # noqa: E402

WORK = (("pretraining", 128), ("pretraining", 512), ("squad", 384))


def main() -> None:
    """Times each model at each piece of work; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="base,large")
    parser.add_argument(
        "--rows",
        type=int,
        help="of a batch; default: as many as make 32,768 tokens",
    )
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--xla", action=argparse.BooleanOptionalAction)
    parser.set_defaults(xla=True)
    args = parser.parse_args()
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        print(tf.config.experimental.get_device_details(device))
    peak = matmul_rate(args.precision, size=8192 if devices else 1024)
    print(f"Peak, {args.precision} matrix product: {peak / 1e12:.2f} TFLOP/s")
    print("| model | work | rows | examples/s | TFLOP/s | share of peak |")
    print("|---|---|---|---|---|---|")
    for name in args.models.split(","):
        for task, length in WORK:
            rows = args.rows or 2**15 // length
            rate = rows / seconds_per_step(args, name, task, rows, length)
            flops = rate * flops_per_example(name, task, length)
            print(
                f"| {name} | {task} {length} | {rows} | {rate:.1f} | "
                f"{flops / 1e12:.2f} | {flops / peak:.0%} |",
                flush=True,
            )


def seconds_per_step(
    args: argparse.Namespace, name: str, task: str, rows: int, length: int
) -> float:
    """Returns the median time of a step after its compilation."""
    model = models.make_model(name, task, args.precision)
    step = compile_train_step(
        model,
        models.make_optimizer(model),
        StepSettings(seed=1, use_xla=args.xla),
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

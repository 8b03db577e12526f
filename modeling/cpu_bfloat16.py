"""What this machine's processor makes of bfloat16."""

import functools
import platform
import time

import tensorflow as tf

_CPU_INFO = "/proc/cpuinfo"
_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16"})
# Rows, columns and inner size of the product that is timed.
_SIZE = 384
_ROUNDS = 2


@functools.cache
def runs_on_x86() -> bool:
    """Returns whether TensorFlow has an x86 processor, and no other device."""
    return platform.machine().lower() in ("x86_64", "amd64") and all(
        device.device_type == "CPU"
        for device in tf.config.list_logical_devices()
    )


@functools.cache
def has_bfloat16() -> bool:
    """Returns whether the processor says that it multiplies bfloat16.

    Said by Linux alone, of x86 processors: AVX-512 BF16 or AMX.
    """
    try:
        with open(_CPU_INFO, encoding="utf-8") as lines:
            flags = next(line for line in lines if line.startswith("flags"))
    except (OSError, StopIteration):
        return False
    return not _INSTRUCTIONS.isdisjoint(flags.split())


def speed_up() -> float:
    """Measures how many times as fast as in float32 a product is.

    In less than 0.2 s, most of it the first calls. It runs operations: not
    before a strategy is made.
    """
    with tf.device("CPU:0"):
        wide = tf.ones([_SIZE, _SIZE])
        narrow = tf.cast(wide, tf.bfloat16)
        return _seconds(wide) / _seconds(narrow)


def _seconds(x: tf.Tensor) -> float:
    seconds = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        tf.matmul(x, x).numpy()
        seconds.append(time.perf_counter() - start)
    return min(seconds)  # the first one prepares

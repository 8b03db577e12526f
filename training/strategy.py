"""Flag values → a tf.distribute strategy."""

import contextlib
import functools
import os
import signal
import socket
from collections.abc import Callable, Iterator

import tensorflow as tf
from absl import logging

from bert.cli.config import DeviceConfig, TrainingConfig
from bert.errors import UserError, one_line
from bert.modeling import cpu_bfloat16
from bert.training import cluster

_CONNECT_SECONDS = 10
# The least speed-up of products that shows in a whole step.
_WORTH_WHILE = 1.2
# What TensorFlow's errors say when another worker has gone.
_LOST_WORKER = ("Collective ops", "heartbeat", "remote target", "Connection")


def create(
    config: DeviceConfig, allows_workers: bool = True
) -> tf.distribute.Strategy:
    """Returns the strategy that the rest of a run works under.

    Args:
        config: its distribution_strategy, num_gpus and TPU flags.
        allows_workers: whether several processes can share this work.

    Raises:
        UserError: the devices that are asked for are not available.
    """
    _set_precision(config)
    kind = config.distribution_strategy
    if config.use_tpu and kind in ("auto", "tpu"):
        kind = "tpu"
    elif config.use_tpu:
        raise UserError(
            f"--use_tpu and --distribution_strategy={kind} contradict each "
            "other; leave one out."
        )
    elif kind == "auto":
        is_shared = allows_workers and cluster.from_environment()
        kind = "multi_worker" if is_shared else "mirrored"
    elif kind == "multi_worker" and not allows_workers:
        raise UserError(
            "--distribution_strategy=multi_worker is for training: here every "
            "worker would write the same file. Leave it out, and give each "
            "machine its share of the input."
        )
    makers = {
        "one_device": _one_device,
        "mirrored": _mirrored,
        "multi_worker": _multi_worker,
        "tpu": _tpu,
    }
    strategy = makers[kind](config)
    _warn_of_slow_bfloat16(config)
    return strategy


def _set_precision(config: DeviceConfig) -> None:
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    if config.precision == "tf32" and not has_gpu:
        raise UserError(
            "--precision=tf32 is a GPU's rounding of float32, and there is no "
            "GPU; use float32 or bfloat16."
        )
    # On by default in TensorFlow; here float32 is float32.
    tf.config.experimental.enable_tensor_float_32_execution(
        config.precision == "tf32"
    )


def _warn_of_slow_bfloat16(config: DeviceConfig) -> None:
    is_on_cpu = not config.use_tpu and (
        config.num_gpus == 0 or not tf.config.list_logical_devices("GPU")
    )
    if (
        config.precision != "bfloat16"
        or not is_on_cpu
        or cpu_bfloat16.has_bfloat16()
    ):
        return
    factor = cpu_bfloat16.speed_up()
    if factor < _WORTH_WHILE:
        logging.warning(
            "--precision=bfloat16: a matrix product on this processor has %.2g "
            "times the speed of float32, as it has neither AVX-512 BF16 nor "
            "AMX; without the flag this run is faster, or as fast.",
            factor,
        )


def _gpus(config: DeviceConfig) -> list[str]:
    """Returns the GPUs to use."""
    found = tf.config.list_logical_devices("GPU")
    wanted = len(found) if config.num_gpus is None else config.num_gpus
    if wanted > len(found):
        raise UserError(
            f"--num_gpus={wanted}, but TensorFlow sees {len(found)} GPU(s)."
        )
    return [device.name for device in found[:wanted]]


def _one_device(config: DeviceConfig) -> tf.distribute.Strategy:
    if (config.num_gpus or 0) > 1 and (
        config.distribution_strategy == "one_device"
    ):
        raise UserError(
            "--distribution_strategy=one_device takes one GPU at most. "
            f"Received: --num_gpus={config.num_gpus}; use mirrored."
        )
    if config.num_gpus:
        _gpus(config)
    if config.num_gpus == 0 and tf.config.list_logical_devices("GPU"):
        return tf.distribute.OneDeviceStrategy("CPU:0")
    return tf.distribute.get_strategy()


def _mirrored(config: DeviceConfig) -> tf.distribute.Strategy:
    devices = _gpus(config)
    if not devices and config.num_gpus is None:
        devices = [d.name for d in tf.config.list_logical_devices("CPU")]
    if len(devices) < 2:
        return _one_device(config)
    return tf.distribute.MirroredStrategy(devices)


def _multi_worker(config: DeviceConfig) -> tf.distribute.Strategy:
    if config.num_gpus is not None:
        raise UserError(
            "--num_gpus is not for several workers: each takes all GPUs that "
            "it sees (CUDA_VISIBLE_DEVICES). Received: --num_gpus="
            f"{config.num_gpus}."
        )
    found = cluster.from_environment()
    if found is None and os.environ.get("TF_CONFIG"):
        return _mirrored(config)  # the only worker
    if found is None:
        raise cluster.expected()
    found.check_port()
    logging.info(
        "This is worker %s. Waiting until all have started: %s …",
        found.address,
        ", ".join(found.addresses),
    )
    # TensorFlow waits in C++, where Python's own handler would never run.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise UserError(
            f"The workers {', '.join(found.addresses)} did not come together "
            f"({_reason(error)}). Start all of them, with the same cluster in "
            "TF_CONFIG."
        ) from error
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def worker_barrier(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Makes all workers wait for each other at its end.

    A worker that ended while the chief still evaluates or exports would be
    counted as lost. Open no scope around it.
    """
    try:
        yield
        with strategy.scope():
            broadcast_from_chief(0)
    except tf.errors.OpError as error:
        with_others = cluster.from_environment() is not None
        if not (with_others and any(w in str(error) for w in _LOST_WORKER)):
            raise
        raise UserError(
            "Another worker stopped or cannot be reached, so this one stops, "
            "too. See the other workers' logs; the same commands, started "
            "again on all workers, go on from the newest checkpoint."
        ) from error
    finally:
        # A strategy kept until Python exits could hang its threads.
        _from_chief.cache_clear()


def check_batch(config: TrainingConfig) -> None:
    """Raises UserError where train_batch_size cannot be shared evenly.

    Call it in a strategy's scope.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    parts = replicas * config.gradient_accumulation_steps
    if config.train_batch_size % parts:
        raise UserError(
            f"--train_batch_size must be a multiple of {parts}: {replicas} "
            "device(s) share a batch, and each takes its rows in "
            f"{config.gradient_accumulation_steps} part(s) "
            "(--gradient_accumulation_steps). Received: "
            f"{config.train_batch_size}."
        )


def is_chief() -> bool:
    """Returns whether this process is the one that writes files."""
    resolver = tf.distribute.get_strategy().cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (
        not has_chief and resolver.task_id == 0
    )


def _tpu(config: DeviceConfig) -> tf.distribute.Strategy:
    name = config.tpu_name or os.environ.get("TPU_NAME") or "local"
    if name != "local":
        _check_remote_paths(config)
    try:
        _check_reachable(name)
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=name, zone=config.tpu_zone, project=config.gcp_project
        )
        if name != "local":
            tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    # A missing TPU raises one of many errors: ImportError (Google's client
    # library), OSError, ValueError, OpError …
    except Exception as error:
        raise UserError(
            f"--use_tpu: no TPU can be reached at {name!r} ({_reason(error)}). "
            "Give --tpu_name, or leave --use_tpu out to run on the GPU or CPU."
        ) from error


def _check_remote_paths(config: DeviceConfig) -> None:
    """Raises UserError for a path that a TPU elsewhere cannot open."""
    if not isinstance(config, TrainingConfig):
        return
    for name in ("input_file", "eval_file", "output_dir", "init_checkpoint"):
        paths = getattr(config, name, None) or ""
        for path in filter(None, paths.split(",")):
            if not path.startswith("gs://"):
                raise UserError(
                    "A TPU elsewhere reads and writes gs:// paths only. "
                    f"Received: --{name}={path}; copy it to a bucket."
                )


def _reason(error: Exception) -> str:
    return one_line(error, 120) or type(error).__name__


def has_workers() -> bool:
    """Returns whether several processes share the work."""
    return isinstance(
        tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy
    )


def broadcast_from_chief(value: int) -> int:
    """Returns the chief's value, on every worker.

    Call it in the strategy's scope; every worker must.

    Args:
        value: int64; the other workers' values are ignored.
    """
    if not has_workers():
        return value
    run = _from_chief(tf.distribute.get_strategy())
    return int(run(tf.constant(value, tf.int64)))


@functools.cache
def _from_chief(
    strategy: tf.distribute.Strategy,
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns what `broadcast_from_chief` runs, compiled once."""

    def chosen(value):
        context = tf.distribute.get_replica_context()
        # The chief's first device has this number.
        is_first = tf.equal(context.replica_id_in_sync_group, 0)
        return context.all_reduce("SUM", value * tf.cast(is_first, tf.int64))

    @tf.function
    def run(value):
        summed = strategy.run(chosen, (value,))
        return strategy.experimental_local_results(summed)[0]

    return run


def scalar_variable(value: float, dtype: tf.DType, name: str) -> tf.Variable:
    """Returns a variable that all replicas update alike, none by training.

    Call it in a strategy's scope.
    """
    return tf.Variable(
        value,
        dtype=dtype,
        trainable=False,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def needs_fixed_shapes(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether every batch must have the same shape: on a TPU."""
    return isinstance(strategy, tf.distribute.TPUStrategy)


def _check_reachable(name: str) -> None:
    """Fails soon where an address does not answer; TensorFlow waits long."""
    if name == "local":
        if not tf.config.list_physical_devices("TPU"):
            raise OSError("this machine has none")
    elif name.startswith("grpc://"):
        host, _, port = name.removeprefix("grpc://").partition(":")
        socket.create_connection(
            (host, int(port or 8470)), _CONNECT_SECONDS
        ).close()

"""Flag values → a tf.distribute strategy."""

import contextlib
import dataclasses
import json
import os
import socket
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from errors import UserError
from training.config import DeviceConfig, TrainingConfig

_CONNECT_SECONDS = 10


def create(
    config: DeviceConfig, allows_workers: bool = True
) -> tf.distribute.Strategy:
    """Returns the strategy that the rest of a run works under.

    Args:
        config: its distribution_strategy, num_gpus and TPU flags.
        allows_workers: whether several processes can share this work.

    Raises:
        UserError: what is asked for is not there.
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
        is_shared = allows_workers and _num_workers() > 1
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
    return makers[kind](config)


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
    if config.num_gpus == 0 and _gpus(
        dataclasses.replace(config, num_gpus=None)
    ):
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
    del config
    if _num_workers() < 2:
        raise UserError(
            "--distribution_strategy=multi_worker needs the environment "
            'variable TF_CONFIG on every worker: {"cluster": {"worker": '
            '["host0:port", "host1:port"]}, "task": {"type": "worker", '
            f'"index": 0}}}}. Received: {os.environ.get("TF_CONFIG")!r}.'
        )
    logging.info(
        "TF_CONFIG: %s. Waiting until all %d workers have started …",
        os.environ["TF_CONFIG"],
        _num_workers(),
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise UserError(
            f"The workers of TF_CONFIG={os.environ['TF_CONFIG']} cannot work "
            f"together ({_reason(error)}); give every worker the same cluster, "
            "an index of its own and a free port."
        ) from error


def _num_workers() -> int:
    """Returns how many workers TF_CONFIG names; 0 where there is none."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 0
    try:
        cluster = json.loads(text)["cluster"]
        return len(cluster["worker"]) + len(cluster.get("chief", ()))
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            "TF_CONFIG must be JSON such as "
            '{"cluster": {"worker": ["host0:port", "host1:port"]}, "task": '
            f'{{"type": "worker", "index": 0}}}}. Received: {text!r}.'
        ) from error


@contextlib.contextmanager
def together(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Lets all workers end at the same time; open no scope around it.

    One that ended while the chief still evaluates or exports would be taken
    for lost.
    """
    yield
    with strategy.scope():
        try:
            same_everywhere(0)
        except tf.errors.OpError as error:
            raise lost_worker() from error


def lost_worker() -> UserError:
    """Returns what to say when another worker has gone."""
    return UserError(
        "Another worker stopped or cannot be reached, so this one stops, too. "
        "See the other workers' logs; the same commands, started again on all "
        "workers, go on from the newest checkpoint."
    )


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
    # Each way of not having a TPU raises something else: ImportError (Google's
    # client library), OSError, ValueError, OpError …
    except Exception as error:
        raise UserError(
            f"--use_tpu: no TPU can be reached at {name!r} ({_reason(error)}). "
            "Give --tpu_name, or leave --use_tpu out to run on the GPU or CPU."
        ) from error


def _check_remote_paths(config: DeviceConfig) -> None:
    """Raises UserError for a path that a TPU elsewhere cannot open."""
    if not isinstance(config, TrainingConfig):
        return
    for name in ("input_file", "output_dir", "init_checkpoint"):
        paths = getattr(config, name, None) or ""
        for path in filter(None, paths.split(",")):
            if not path.startswith("gs://"):
                raise UserError(
                    "A TPU elsewhere reads and writes gs:// paths only. "
                    f"Received: --{name}={path}; copy it to a bucket."
                )


def _reason(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]


def has_workers() -> bool:
    """Returns whether several processes share the work."""
    return isinstance(
        tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy
    )


def same_everywhere(value: int) -> int:
    """Returns the chief's value, on every worker.

    Call it in the strategy's scope; every worker must.

    Args:
        value: int64; the others' values are of no account.
    """
    strategy = tf.distribute.get_strategy()
    if not has_workers():
        return value

    def chosen():
        context = tf.distribute.get_replica_context()
        # The chief's first device has this number.
        is_first = tf.equal(context.replica_id_in_sync_group, 0)
        mine = tf.constant(value, tf.int64) * tf.cast(is_first, tf.int64)
        return context.all_reduce("SUM", mine)

    summed = tf.function(lambda: strategy.run(chosen))()
    return int(strategy.experimental_local_results(summed)[0])


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

"""Flag values → a tf.distribute strategy."""

import os
import socket

import tensorflow as tf

from errors import UserError

_CONNECT_SECONDS = 10


def create(
    use_tpu: bool = False,
    tpu_name: str | None = None,
    tpu_zone: str | None = None,
    gcp_project: str | None = None,
) -> tf.distribute.Strategy:
    """Returns the strategy that the rest of a run works under.

    Args:
        use_tpu: run on a TPU; otherwise on the first GPU, or the CPU.
        tpu_name: its name or grpc:// address; None: the one in TPU_NAME, or
            the one in this machine.
        tpu_zone: where to look a name up.
        gcp_project: likewise.

    Raises:
        UserError: use_tpu, and no TPU can be reached.
    """
    if not use_tpu:
        return tf.distribute.get_strategy()
    name = tpu_name or os.environ.get("TPU_NAME") or "local"
    try:
        _check_reachable(name)
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=name, zone=tpu_zone, project=gcp_project
        )
        if name != "local":
            tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    # Each way of not having a TPU raises something else: ImportError (Google's
    # client library), OSError, ValueError, OpError …
    except Exception as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise UserError(
            f"--use_tpu: no TPU can be reached at {name!r} ({reason}). Give "
            "--tpu_name, or leave --use_tpu out to run on the GPU or CPU."
        ) from error


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

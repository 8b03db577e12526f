"""Operations in the forms that TensorFlow joins into one of oneDNN's."""

import contextlib
import contextvars
import os
import platform
from collections.abc import Iterator

import tensorflow as tf

from bert.modeling.export_mode import is_portable

_is_on = contextvars.ContextVar("joining", default=False)


@contextlib.contextmanager
def joining(is_on: bool) -> Iterator[None]:
    """Within it layers may use forms that are joined, if `is_on`.

    For passes without a gradient: what is joined keeps nothing for one. (One
    that is asked for all the same is right, only slower.)
    """
    token = _is_on.set(is_on)
    try:
        yield
    finally:
        _is_on.reset(token)


def is_joined() -> bool:
    """Returns whether what is traced now will run as oneDNN's operations.

    TensorFlow looks for certain patterns of operations, each made of many, in
    graphs for x86 processors, where oneDNN is on (`cli.environment`).
    Elsewhere they would be slower than the plain form.
    """
    return (
        _is_on.get()
        and not is_portable()
        and tf.inside_function()
        and os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1"
        and platform.machine().lower() in ("x86_64", "amd64")
        and all(
            device.device_type == "CPU"
            for device in tf.config.list_logical_devices()
        )
    )

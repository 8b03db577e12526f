"""When to use the patterns of operations that oneDNN runs as one operation."""

import os
from contextlib import AbstractContextManager

import tensorflow as tf

from bert.modeling import cpu_bfloat16
from bert.modeling.context_flag import ContextFlag
from bert.modeling.export_mode import in_export_mode

_FLAG = ContextFlag("onednn_fusion")


def onednn_fusion(is_on: bool) -> AbstractContextManager[None]:
    """Allows layers to use patterns that oneDNN fuses, if `is_on`.

    For passes without a gradient: a fused operation keeps nothing for one.
    (A gradient that is asked for all the same is right, only slower.)
    """
    return _FLAG.set(is_on)


def uses_onednn_fusion(dtype: tf.DType = tf.float32) -> bool:
    """Returns whether what is traced now will run as oneDNN's operations.

    TensorFlow looks for certain patterns, each of many operations, in graphs
    for x86 processors where oneDNN is on (`cli.environment`). Elsewhere they
    would be slower than the plain form.

    Args:
        dtype: of what goes into them.
    """
    return (
        _FLAG.is_on()
        and not in_export_mode()
        and tf.inside_function()
        and os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1"
        and cpu_bfloat16.runs_on_x86()
        and (
            dtype == tf.float32
            or (dtype == tf.bfloat16 and cpu_bfloat16.has_bfloat16())
        )
    )

"""What must be set before TensorFlow is imported."""

import ctypes
import importlib.util
import os
import sys

# Parameters of glibc's mallopt(3), from malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def prepare() -> None:
    """Sets the variables that TensorFlow and Keras read at their import.

    A script's `main` calls this first. What the user has set wins, but for
    Keras' backend: these layers are TensorFlow.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Hides most start-up notes, and `cli/relay.py` those that come before it is
    # read; errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Off by default where the processor has no AVX-512, but faster there too.
    # Where there is no oneDNN (ARM's TensorFlow has its own), it changes
    # nothing.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if _KerasWithoutSklearn not in sys.meta_path:
        sys.meta_path.insert(0, _KerasWithoutSklearn)
    _keep_memory()


def leave_out_keras() -> None:
    """Lets TensorFlow start without Keras, a quarter of its time.

    For a command that makes no model; it calls this before `prepare`. Without
    it TensorFlow imports the Keras that is installed, to have it as tf.keras.
    """
    if importlib.util.find_spec("tf_keras") is None:  # else it would be that
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


class _KerasWithoutSklearn:
    """Finds no scikit-learn for Keras, which imports it where it is.

    Keras only wraps its models for it. That takes a fifth of the time that
    TensorFlow takes to start, and 60 MiB. Others find it as ever.
    """

    @staticmethod
    def find_spec(name, path=None, target=None) -> None:
        if name == "sklearn" and _is_being_imported("keras.src.wrappers"):
            raise ModuleNotFoundError("not needed by Keras", name=name)


def _is_being_imported(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return getattr(spec, "_initializing", False)


def _keep_memory() -> None:
    """Lets glibc keep what is freed for the next tensors.

    By default it gives every large buffer back to the kernel, which clears
    its pages when the next step asks for them again.
    """
    own = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
    if any(name.startswith(own) for name in os.environ):
        return  # the user's choice
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return  # not glibc
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
    mallopt(_M_ARENA_MAX, 1)

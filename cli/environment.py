"""What must be set before TensorFlow is imported."""

import ctypes
import importlib.util
import os
import sys

# Packages that Keras can do without, and what in it imports them.
_ONLY_USED_BY = {
    "sklearn": "keras.src.wrappers",
    "matplotlib": "keras.src.visualization",
}
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
    if _KerasAlone not in sys.meta_path:
        sys.meta_path.insert(0, _KerasAlone)
    _keep_memory()


def leave_out_keras() -> None:
    """Lets TensorFlow start without Keras, a quarter of its time.

    For a command that makes no model; it calls this before `prepare`. Without
    it TensorFlow imports the Keras that is installed, to have it as tf.keras.
    """
    if importlib.util.find_spec("tf_keras") is None:  # else it would be that
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


class _KerasAlone:
    """Finds no packages for Keras that it imports only where they are.

    It wraps its models for scikit-learn, and draws pictures with Matplotlib.
    That takes a third of the time that TensorFlow takes to start, and memory.
    Others find them as ever.
    """

    @staticmethod
    def find_spec(name, path=None, target=None) -> None:
        user = _ONLY_USED_BY.get(name)
        if user and _is_being_imported(user):
            raise ModuleNotFoundError("not needed by Keras", name=name)


def _is_being_imported(package: str) -> bool:
    """Whether a package, or a module in it, is at work on its imports."""
    return any(
        getattr(getattr(module, "__spec__", None), "_initializing", False)
        for name, module in list(sys.modules.items())
        if f"{name}.".startswith(f"{package}.")
    )


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

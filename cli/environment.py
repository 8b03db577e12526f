"""What must be set before TensorFlow is imported."""

import ctypes
import gc
import importlib.util
import os
import sys
from importlib.abc import Loader

# Packages that Keras, and the old one in TensorFlow, can do without; and what
# in them imports them.
_ONLY_USED_BY = {
    "sklearn": ("keras.src.wrappers",),
    "matplotlib": ("keras.src.visualization",),
    "PIL": ("keras.src.utils",),
    "h5py": ("keras.src.legacy.saving", "tensorflow.python.keras"),
    "scipy": ("tensorflow.python.keras",),
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
    if _QuickStart not in sys.meta_path:
        sys.meta_path.insert(0, _QuickStart)
    _keep_memory()


def leave_out_keras() -> None:
    """Lets TensorFlow start without Keras, a quarter of its time.

    For a command that makes no model; it calls this before `prepare`. Without
    it TensorFlow imports the Keras that is installed, to have it as tf.keras.
    """
    if importlib.util.find_spec("tf_keras") is None:  # else it would be that
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


class _QuickStart:
    """Lets TensorFlow start in half its time, and with less memory.

    Keras finds no packages that it imports only where they are: it wraps its
    models for scikit-learn, draws pictures with Matplotlib, …. Others find them
    as ever.
    """

    @staticmethod
    def find_spec(name, path=None, target=None):
        users = _ONLY_USED_BY.get(name, ())
        if any(map(_is_being_imported, users)):
            raise ModuleNotFoundError("not needed by Keras", name=name)
        if name != "tensorflow" or not gc.isenabled():
            return None
        # Others have a say, too: `cli/relay.py`.
        others = (f for f in sys.meta_path if f is not _QuickStart)
        found = (f.find_spec(name, path, target) for f in others)
        spec = next(filter(None, found), None)
        if spec and spec.loader:
            spec.loader = _WithoutGarbage(spec.loader)
        return spec


class _WithoutGarbage(Loader):
    """Loads as another loader does, without a look for garbage.

    There is none, and it would be looked for in all that is imported, again and
    again: a fifth of the time. Later on, too, if it were not put aside.
    """

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        gc.disable()
        try:
            self._loader.exec_module(module)
        finally:
            gc.enable()
            gc.freeze()


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

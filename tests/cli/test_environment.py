"""What is set before TensorFlow is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bert.cli import environment
from tests.scripts.runner import run_code

ROOT = Path(__file__).parents[2]

# Prints the MiB that stay resident after 256 MiB were used and given back.
CODE = """
import ctypes
from bert.cli import environment
environment.prepare()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
size = 2**28
buffer = libc.malloc(size)
libc.memset(buffer, 1, size)
libc.free(buffer)
pages = int(open("/proc/self/statm").read().split()[1])
print(pages * 4096 // 2**20)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "confstr_names"),
    reason="glibc's memory",
)
@pytest.mark.parametrize("users_own", [False, True])
def test_freed_memory_is_kept_unless_the_user_has_a_say(users_own):
    own = {"MALLOC_TRIM_THRESHOLD_": "131072"} if users_own else {}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if "MALLOC" not in k},
            **own,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert (int(done.stdout) < 200) == users_own


@pytest.mark.parametrize("users_own", [None, "0"])
def test_onednn_is_used_unless_the_user_has_a_say(users_own, monkeypatch):
    own = {"TF_ENABLE_ONEDNN_OPTS": users_own} if users_own else {}
    monkeypatch.setattr(os, "environ", own)
    monkeypatch.setattr(environment, "_keep_memory", lambda: None)
    environment.prepare()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == (users_own or "1")


def test_keras_starts_without_what_others_still_find():
    code = """
import gc, sys
from bert.cli import environment
environment.prepare()
import tensorflow
for name in ("wrappers", "visualization"):
    print(f"keras.src.{name}" in sys.modules)
names = ("sklearn", "matplotlib", "scipy", "h5py", "PIL")
print(*[name in sys.modules for name in names])
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
from sklearn.metrics import f1_score
print(f1_score([0, 1], [0, 1]))
import matplotlib.figure, scipy.sparse, h5py, PIL.Image
"""
    done = run_code(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        *("True", "True", *["False"] * 5, "True", "True", "1.0")
    ]

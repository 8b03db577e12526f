"""What the process before standard error makes of a line."""

import json
import math
import os
import subprocess
import sys

import pytest

from bert.cli import relay_process

NOTES = b"""\
WARNING: All log messages before absl::InitializeLog() is called are written \
to STDERR
I0000 00:00:1795998285.770056   30121 port.cc:153] oneDNN custom operations \
are on. You may see slightly different numerical results
I0000 00:00:1795998285.770441   30121 cudart_stub.cc:31] Could not find cuda \
drivers on your machine, GPU will not be used.
E0000 00:00:1795998286.853638   30121 cuda_platform.cc:52] failed call to \
cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)
E0000 00:00:1795998286.853638   30121 cuda_platform.cc:52] failed call to \
cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected
I0000 00:00:1795998359.349442   30802 cpu_feature_guard.cc:227] This TensorFlow\
 binary is optimized to use available CPU instructions
To enable the following instructions: AVX2 AVX512F FMA, in other operations, \
rebuild TensorFlow with the appropriate compiler flags.
E0000 00:00:1743  12 computation_placer.cc:177] computation placer already \
registered. Please check linkage
E0000 00:00:1743  12 cuda_dnn.cc:8579] Unable to register cuDNN factory: \
Attempting to register factory for plugin cuDNN when one has already been
2026-11-30 00:24:45.123456: W tensorflow/compiler/tf2tensorrt/utils/py_utils\
.cc:38] TF-TRT Warning: Could not find TensorRT
I0000 00:00:1795998361.534776   30802 service.cc:153] XLA service 0x5589ca06c1\
70 initialized for platform Host
"""
KEPT = b"""\
E0000 00:00:1795998286.853638   30121 cuda_platform.cc:52] failed call to \
cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: system has unsupported driver
E0000 00:00:1795998286.853638   30121 env.cc:1] No space left on device
F0000 00:00:1795998286.853638   30121 x.cc:1] Check failed: a == b
2026-11-30 00:24:45.1: E tensorflow/core/x.cc:38] Something failed
I1130 00:24:48.221610 140716212845440 label_counts.py:31] Labels: a (15)
W1130 00:24:48.221610 140716212845440 x.py:31] port.cc:153] oneDNN
Fatal Python error: Segmentation fault

Traceback (most recent call last):
  File "x.py", line 1, in <module>
error: expected a file, oneDNN, GPU
""".splitlines(keepends=True)


@pytest.mark.parametrize("line", NOTES.splitlines(keepends=True))
def test_a_note_of_tensorflows_start_is_left_out(line):
    assert relay_process.without_notes(line) == b""


@pytest.mark.parametrize("line", KEPT)
def test_errors_and_what_is_pythons_stay(line):
    assert relay_process.without_notes(line) == line


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("error: no file\n", "error", "no file"),
        ("warning: unknown flag --a\n", "warning", "unknown flag --a"),
        ("Traceback (most …\n", "error", "Traceback (most …"),
        ("INFO: Created TensorFlow Lite\n", "info", "Created TensorFlow Lite"),
        ("I0000 00:00:1 1 a.cc:1] x\n", "info", "I0000 00:00:1 1 a.cc:1] x"),
        ("W0000 00:00:1 1 a.cc:1] x", "warning", "W0000 00:00:1 1 a.cc:1] x"),
        ("{no json\n", "error", "{no json"),
        ("[1]\r\n", "error", "[1]"),
    ],
)
def test_any_line_becomes_an_object(line, level, message):
    entry = json.loads(relay_process.as_json(line.encode()))
    assert (entry["level"], entry["message"]) == (level, message)
    assert entry["time"].endswith("Z")


def test_objects_stay_and_bytes_that_are_no_text_can_be_read():
    assert relay_process.as_json(b'{"a": 1}\n') == b'{"a": 1}\n'
    assert relay_process.as_json(b"\n") == b""
    assert json.loads(relay_process.as_json(b"\xff"))["message"] == "\\xff"
    deep = b'{"a":' * 99999
    assert json.loads(relay_process.as_json(deep))["level"] == "error"


def test_figures_are_json_numbers_or_null():
    fields = {"loss": math.nan, "rate": 0.5, "step": 3, "best": None}
    line = relay_process.json_line(1.25, "info", "ä\n", fields)
    assert line == (
        '{"time": "1970-01-01T00:00:01.250Z", "level": "info", "message": '
        '"\\u00e4\\n", "loss": null, "rate": 0.5, "step": 3, "best": null}'
    )


def relayed(*pieces, kind="native"):
    """Returns what comes of writing these, one after the other."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", relay_process.__file__, kind],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.read(1) == relay_process.READY
    for piece in pieces:
        os.write(process.stdin.fileno(), piece)
    out, err = process.communicate()  # also waits for its child
    syncs = b"".join(pieces).count(relay_process.SYNC)
    assert (process.returncode, out) == (0, syncs * relay_process.READY)
    return err


def test_lines_are_whole_however_they_come():
    note = NOTES.splitlines(keepends=True)[1]
    assert relayed(note[:7], note[7:] + b"a", b"bc\n", note) == b"abc\n"


def test_an_unfinished_line_comes_at_a_sync_and_at_the_end():
    sync = relay_process.SYNC
    assert relayed(b"abc" + sync[:3], sync[3:], b"d\ne") == b"abcd\ne"


def test_who_asked_for_a_sync_may_be_gone():
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", relay_process.__file__, "native"],
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(reading)
    assert process.stdout.read(1) == relay_process.READY
    process.stdout.close()
    os.write(writing, b"a\n" + relay_process.SYNC + b"b\n")
    os.close(writing)
    assert process.stderr.read() == b"a\nb\n"
    process.stderr.close()
    process.wait()


def test_each_line_is_an_object_even_the_last_words():
    written = relayed(b"a\rb\nc", kind="json").splitlines()
    assert [json.loads(line)["message"] for line in written] == ["a", "b", "c"]

"""A process before standard error, and what becomes of it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.scripts.runner import ROOT, run_code

NOTE = "I0000 00:00:1.5   1 port.cc:153] oneDNN custom operations are on."
START = f"""
import os, signal, subprocess, sys, threading
from bert.cli import log_stream, relay
log_stream.protect()
NOTE = b"{NOTE}\\n"
relayed = relay.Relay("native")
os.write(2, NOTE)
"""


def stderr_of(code):
    done = run_code(START + code)
    return done.returncode, done.stderr


def test_notes_are_left_out_until_it_stops():
    code = """
print("one", file=sys.stderr)
os.write(2, NOTE + b"two" + NOTE)
relayed.stop()
relayed.stop()
os.write(2, NOTE)
"""
    assert stderr_of(code) == (0, f"one\ntwo{NOTE}\n{NOTE}\n")


@pytest.mark.parametrize(
    ("end", "code", "last"),
    [
        ("os._exit(7)", 7, ""),
        ("os.abort()", -signal.SIGABRT, ""),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("raise KeyError('bug')", 1, "KeyError: 'bug'\n"),
        (
            "import faulthandler as f; f.enable(); f._sigsegv()",
            -signal.SIGSEGV,
            "Fatal Python error: Segmentation fault",
        ),
    ],
)
def test_the_last_words_of_a_process_appear(end, code, last):
    found, err = stderr_of(f"os.write(2, b'last words, ' + NOTE[:5]);{end}")
    assert found == code
    assert err.startswith("last words, I0000")
    assert last in err
    assert "oneDNN" not in err


def test_threads_and_children_write_through_it_and_outlive_it():
    code = """
lines = lambda: [os.write(2, b"x" * 999 + b"\\n" + NOTE) for _ in range(500)]
threads = [threading.Thread(target=lines) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
if not os.fork():
    os.write(2, NOTE + b"forked\\n")
    os._exit(0)
os.wait()
child = subprocess.Popen(["sh", "-c", "echo begin >&2; read x; echo end >&2"],
    stdin=subprocess.PIPE)
relayed.stop()
os.write(2, b"stopped\\n")
child.communicate(b"\\n")
"""
    found, err = stderr_of(code)
    assert found == 0
    assert err.count("x" * 999 + "\n") == 2000
    assert "oneDNN" not in err
    assert {"forked", "begin", "end", "stopped"} <= set(err.splitlines())
    assert err.index("forked") < err.index("stopped") < err.index("end")


def test_much_that_is_written_at_once_does_not_block():
    code = "os.write(2, b'y' * 2**22); relayed.stop()"
    assert stderr_of(code) == (0, "y" * 2**22)


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full", "2>&- >&- <&-"])
def test_a_closed_or_full_stream_ends_nothing(to, tmp_path):
    code = f"{START}print('a' * 99999, file=sys.stderr); relayed.stop()"
    code += f"\nopen({str(tmp_path / 'done')!r}, 'w')"
    call = ["sh", "-c", f'exec "$@" {to}', "sh", sys.executable, "-c", code]
    assert subprocess.run(call, cwd=ROOT, check=False).returncode == 0
    assert (tmp_path / "done").exists()


def test_a_reader_that_goes_away_ends_nothing():
    code = START + "print('a' * 9999, file=sys.stderr); relayed.stop()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE
    )
    process.stderr.close()
    assert process.wait() == 0


def test_a_relay_that_is_killed_ends_nothing():
    code = """
os.killpg(relayed._process.pid, 9)
while relayed._process.stdout.read(1):
    pass
print("lost", file=sys.stderr)
relayed.stop()
print("back", file=sys.stderr)
"""
    assert stderr_of(code) == (0, "back\n")


@pytest.mark.parametrize("broken", ["'/nonexistent'", "'/bin/false'", "''"])
def test_without_a_process_all_stays_as_it_is(broken):
    code = "from bert.cli import relay; import sys, os\n"
    code += f"sys.executable = {broken}\n{START}"
    code += "relayed.sync(); relayed.stop(); os.write(2, b'end')"
    done = run_code(code)
    assert (done.returncode, done.stderr) == (0, f"{NOTE}\nend")


def test_it_is_no_child():
    code = """
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("none", file=sys.stderr)
"""
    assert stderr_of(code) == (0, "none\n")


def test_ctrl_c_does_not_end_it():
    code = (
        START
        + """
print("begun", flush=True)
signal.signal(signal.SIGINT, lambda *_: sys.exit(print("int", file=sys.stderr)))
signal.pause()
"""
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    process.stdout.readline()
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate()[1] == b"int\n"


# Stands for TensorFlow: writes as its C++ code does.
FAKE = f"""
import os
os.write(2, b"{NOTE}\\nreal\\n")
class config:
    def list_physical_devices():
        os.write(2, b"E0000 0:0:1 1 a.cc:1] failed call to cuInit: E (303)\\n")
{{more}}
"""


def imported(
    tmp_path,
    code="import tensorflow",
    begin="relay.hide_native_lines()",
    more="",
    env=None,
):
    (tmp_path / "tensorflow.py").write_text(FAKE.format(more=more))
    path = f"import os, sys; sys.path.insert(0, {str(tmp_path)!r})"
    lines = [path, "from bert.cli import relay", begin, code]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_tensorflow_writes_while_it_starts_is_left_out(tmp_path):
    code = "import tensorflow; os.write(2, b'after'); import inspect"
    code += "; print(inspect.getsource(tensorflow)[:10], tensorflow.__loader__)"
    done = imported(tmp_path, code=code)
    assert done.stderr == "real\nafter"
    assert "import os" in done.stdout
    assert "SourceFileLoader" in done.stdout


def test_a_start_that_fails_says_why(tmp_path):
    done = imported(tmp_path, more="raise ImportError('no library')")
    assert done.stderr.startswith("real\nTraceback")
    assert done.stderr.endswith("ImportError: no library\n")


@pytest.mark.parametrize("level", ["0", "1"])
def test_who_asks_for_notes_gets_them(level, tmp_path):
    done = imported(tmp_path, env={"TF_CPP_MIN_LOG_LEVEL": level})
    assert NOTE in done.stderr


def test_a_library_hides_nothing(tmp_path):
    done = imported(tmp_path, begin="import bert.modeling.config")
    assert NOTE in done.stderr

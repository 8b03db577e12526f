"""serve.py: a real server, its life, and clients that do it no good."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from absl import flags

from bert import serve as script
from bert.cli import command_line, error_guard, parser
from bert.serving import http_metrics, http_workers
from tests import browser
from tests.conversion import run_folder
from tests.scripts.runner import ROOT, config_of, error_of, run
from tests.serving import ask_page

SCRIPT = "serve.py"
SECONDS = 120

pytest.importorskip("uvicorn", reason="requirements-serve.txt")
pytest.importorskip("starlette", reason="requirements-serve.txt")


class Server:
    """serve.py in a process of its own, and a client of it."""

    def __init__(self, *args, files=None):
        self.lines = []
        limit = f"ulimit -n {files}; " if files else ""
        command = [sys.executable, str(ROOT / SCRIPT), "--port=0", *args]
        self.process = subprocess.Popen(
            ["bash", "-c", f'{limit}exec "$@"', "bash", *command],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for_line(r"Listening at .*:(\d+)")[1])

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def wait_for_line(self, pattern, count=1):
        """Returns the match of the count-th line that has it."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            found = [m for x in self.lines if (m := re.search(pattern, x))]
            if len(found) >= count:
                return found[count - 1]
            assert self.process.poll() is None, "".join(self.lines)
            time.sleep(0.02)
        raise AssertionError("".join(self.lines))

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, path, value=None, connection=None):
        """Returns the code and what JSON says."""
        own = connection or self.connect()
        body = None if value is None else json.dumps(value)
        own.request("POST" if body else "GET", path, body)
        answer = own.getresponse()
        found = answer.status, json.loads(answer.read())
        if connection is None:
            own.close()
        return found

    def predict(self, texts, connection=None):
        return self.ask(
            "/v1/models/model:predict", {"instances": texts}, connection
        )

    def raw(self, data):
        """Returns an open socket that has sent so much."""
        own = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        own.sendall(data)
        return own

    def workers(self):
        """Returns the ids of the processes that answer."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(word) for word in found.stdout.split()]

    def stop(self):
        """Returns the exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code


@contextlib.contextmanager
def serving(*args, **kwargs):
    server = Server(*map(str, args), **kwargs)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        server._reader.join(SECONDS)
        server.process.stderr.close()


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    run_folder.write(golden, path, "classification")
    return path


@pytest.fixture(scope="module")
def server(folder):
    args = ("--request_timeout_s=8", "--max_body_mb=1", "--log_style=json")
    with serving(f"--model_dir={folder}", *args, files=2500) as made:
        yield made


@pytest.mark.slow
def test_answers_are_those_of_predict(server, folder, tmp_path):
    rows = [
        {"text": "the boat " * (n % 9), "text_pair": "lake" * (n % 2), "id": n}
        for n in range(40)
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("predict.py", f"--model_dir={folder}", f"--input_file={path}")
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    # Others' rows are in the same batches.
    others = [
        threading.Thread(target=server.predict, args=(["of the lake " * n],))
        for n in range(8)
    ]
    for thread in others:
        thread.start()
    code, found = server.predict(rows)
    for thread in others:
        thread.join()
    assert code == 200
    for answer, one in zip(found["predictions"], expected, strict=True):
        assert list(answer) == list(one)
        assert (answer["id"], answer["label"]) == (one["id"], one["label"])
        assert answer["probabilities"] == pytest.approx(
            one["probabilities"], abs=1e-6
        )


@pytest.mark.slow
def test_1000_clients_at_once_are_answered(server):
    idle = [server.raw(b"") for _ in range(500)]
    half = [server.raw(b"POST /v1/models/model:pre") for _ in range(200)]
    body = b'{"instances": ["the boat"]}'
    head = b"POST /v1/models/model:predict HTTP/1.1\r\nHost: x\r\n"
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    half += [server.raw(head + body[:5]) for _ in range(100)]
    asked = [server.raw(head + body) for _ in range(200)]
    for each in asked:
        assert each.recv(4096).startswith(b"HTTP/1.1 200 ")
    # Those that keep it waiting are cut, or told so.
    for each in half + idle:
        with contextlib.suppress(ConnectionError):
            found = each.recv(4096)
            assert not found or found.startswith(b"HTTP/1.1 408 ")
    for each in idle + half + asked:
        each.close()
    assert server.predict(["a"])[0] == 200


@pytest.mark.slow
def test_a_client_that_never_reads_is_cut(server):
    """Its answers fill the buffers; the others are answered."""
    body = json.dumps({"instances": ["the"] * 2000}).encode()
    request = b"POST /v1/models/model:predict HTTP/1.1\r\nHost: x\r\n"
    request += b"Content-Length: %d\r\n\r\n" % len(body) + body
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.settimeout(60)
    is_cut = False
    end = time.monotonic() + SECONDS
    while not is_cut and time.monotonic() < end:
        try:
            client.sendall(request)
        except OSError:
            is_cut = True
        assert server.predict(["a"])[0] == 200
    assert is_cut
    client.close()
    assert server.predict(["a"])[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/models/model:predict HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_told_and_cut(server, data):
    client = server.raw(data)
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            answer += part
    client.close()
    assert re.match(rb"HTTP/1.1 40[04] ", answer)
    assert b'{"error":' in answer
    assert server.predict(["a"])[0] == 200
    assert not any("Traceback" in line for line in server.lines)


@pytest.mark.slow
def test_a_long_body_is_refused_and_the_connection_goes_on(server):
    connection = server.connect()
    code, found = server.predict(["x" * 2**21], connection)
    assert code == 413
    assert "longer than 1048576 bytes" in found["error"]
    assert server.predict(["a"], connection)[0] == 200
    connection.close()


@pytest.mark.slow
def test_its_log_is_json_without_texts(server):
    assert server.predict(["a very secret text"])[0] == 200
    assert server.ask("/v1/models/secret")[0] == 404
    time.sleep(0.2)
    entries = [x for x in server.lines if x.startswith("{")]
    assert {"code", "path", "rows"} < set(json.loads(entries[-1]))
    assert "secret" not in "".join(server.lines)


class Load:
    """Clients that ask again and again; what they were told."""

    def __init__(self, server, clients=4):
        self.server = server
        self.codes, self.seen, self.lost = [], set(), 0
        self._ends = threading.Event()
        self._threads = [
            threading.Thread(target=self._client) for _ in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _client(self):
        while not self._ends.is_set():
            try:
                code, found = self.server.predict(["the boat"] * 3)
            except (OSError, http.client.HTTPException):
                self.lost += 1
                continue
            self.codes.append(code)
            if code == 200:
                values = (x["probabilities"] for x in found["predictions"])
                self.seen |= {round(each["no"], 3) for each in values}

    def end(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(SECONDS)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(folder):
    with serving(f"--model_dir={folder}", "--workers=2") as server:
        server.wait_for_line("Serving model", count=2)
        load = Load(server)
        first, second = server.workers()
        os.kill(first, signal.SIGKILL)
        server.wait_for_line("Worker . ended with signal 9")
        server.wait_for_line("Serving model", count=3)
        time.sleep(0.5)
        load.end()
        assert second in server.workers()
        assert len(server.workers()) == 2
        assert set(load.codes) == {200}
        # Its own open requests, at most.
        assert load.lost <= 4
        code, _ = server.ask("/v1/models/model")
        assert code == 200
        connection = server.connect()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        total = re.search(
            r'_requests_total\{model="model",code="200"} (\d+)', text
        )
        # Those of the process that was killed count, too.
        assert int(total[1]) >= len(load.codes)
        assert server.stop() == 0
        assert not any("Traceback" in line for line in server.lines)


@pytest.mark.slow
def test_models_are_renewed_without_a_lost_request(golden, tmp_path):
    model = run_folder.write(golden, tmp_path / "run", "classification")
    args = (f"--model_dir={tmp_path}/run", "--reload_seconds=0.2")
    with serving(*args) as server:
        load = Load(server)
        # A newer checkpoint, with other weights.
        model.variables[-1].assign_add(model.variables[-1] * 0 + [9.0, 0, 0])
        run_folder.save(tmp_path / "run", model, 8)
        server.wait_for_line("Serving model, version 8")
        # One that is not whole: the old one answers on.
        good = tmp_path / "run/labels.txt"
        kept = good.read_text()
        good.write_text("a\nb\n")
        for _ in range(3):
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        server.wait_for_line("Kept the old model model, as the new one cannot")
        good.write_text(kept)
        before = sum("Serving model" in line for line in server.lines)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_line("Serving model, version 8", count=before)
        load.end()
        assert load.lost == 0
        assert set(load.codes) == {200}
        assert len(load.seen) == 2
        _, found = server.ask("/v1/models/model")
        assert found["model_version_status"][0]["version"] == "8"
        assert server.stop() == 0
        assert not any("Traceback" in line for line in server.lines)


@pytest.mark.slow
def test_sigterm_answers_what_was_asked(folder):
    """A request that has come is answered; 503 is what later ones get."""
    args = (f"--model_dir={folder}", "--batch_timeout_ms=1500")
    with serving(*args) as server:
        kept = server.connect()
        assert server.ask("/healthz", connection=kept)[0] == 200
        found = []
        asked = threading.Thread(
            target=lambda: found.append(server.predict(["the boat"])[0])
        )
        asked.start()
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.ask("/healthz", connection=kept)[0] == 503
        assert server.predict(["a"], kept)[0] == 503
        assert server.process.wait(SECONDS) == 0
        asked.join(SECONDS)
        assert found == [200]
        with pytest.raises(ConnectionRefusedError):
            server.predict(["a"])


@pytest.mark.slow
def test_workers_end_with_the_process_that_watches(folder):
    with serving(f"--model_dir={folder}") as server:
        (worker,) = server.workers()
        server.process.kill()
        server.process.wait()
        for _ in range(SECONDS * 10):
            if not os.path.exists(f"/proc/{worker}"):
                return
            time.sleep(0.1)
        pytest.fail("it is still there")


@pytest.mark.slow
def test_a_folder_that_is_half_a_model_is_one_line(folder, tmp_path):
    def half(name, *lost):
        path = run_folder.copy(folder, tmp_path / name)
        for pattern in lost:
            for file in path.glob(pattern):
                file.unlink()
        return f"--model_dir={path}"

    for args, expected in (
        ([half("a", "*.data*")], "damaged or incomplete"),
        ([half("b", "labels.txt")], "Expected labels.txt"),
        ([half("c", "*.ckpt*", "checkpoint")], "No checkpoint found"),
        ([f"--model_dir=x={folder},y={half('d', 'vocab*')[12:]}"], "vocab.txt"),
    ):
        assert expected in error_of(SCRIPT, "--port=0", *args)


@pytest.mark.slow
def test_while_it_loads_it_says_so(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / SCRIPT), f"--port={port}"]
    with subprocess.Popen(
        [*command, f"--model_dir={folder}"], stderr=subprocess.DEVNULL
    ) as process:
        found = []
        end = time.monotonic() + SECONDS
        while found[-1:] != [200] and time.monotonic() < end:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                client.request("GET", "/healthz")
                code = client.getresponse().status
            except OSError:
                code = 0
            client.close()
            if found[-1:] != [code]:
                found.append(code)
        process.terminate()
    assert found == [0, 503, 200]
    assert process.returncode == 0


ASKED = {
    "multi_label": {"text": "the boat"},
    "regression": {"text": "the boat"},
    "multiple_choice": {"text": "the boat", "choices": ["a", "river"]},
    "squad": {"question": "who?", "context": "😀 the boat of 🚤 the lake"},
    "ner": {"text": "😀 Jim 🚤 and אבא in the river"},
    "pretraining": {"text": "the [MASK] of"},
    "features": {"text": "the boat"},
    # The last one: the page keeps what was typed.
    "classification": {"text": "the boat 🚤", "text_pair": "of the lake"},
}


def said_of(name, answer, asked):
    """Returns what the page says of an answer, and the texts it marks."""
    if name == "classification":
        label = answer["label"]
        return f"{label}, {100 * answer['probabilities'][label]:.1f} %", []
    if name == "multi_label":
        return ", ".join(answer["labels"]) or "No label reaches 50.0 %", []
    if name == "regression":
        return str(answer["score"]), []
    if name == "multiple_choice":
        best = answer["choice"]
        share = f"{100 * answer['probabilities'][best]:.1f} %"
        return f"{asked['choices'][best]}, {share}", []
    if name == "squad":
        share = f"{100 * answer['probability']:.1f} %"
        if not answer["text"]:
            return f"No answer in this context, {share}", []
        start, end = answer["start"], answer["end"]
        return f"{answer['text']}, {share}", [asked["context"][start:end]]
    if name == "pretraining":
        best = answer["masks"][0][0]["token"]
        return best, [best]
    if name == "features":
        rows = answer["sequence_output"]
        return f"{len(rows)} tokens, {len(rows[0])} numbers each", []
    tags = [label.split("-") for label in answer["labels"]]
    ranges = []
    for (start, end), (letter, *kind), before in zip(
        answer["offsets"], tags, [["O"], *tags], strict=False
    ):
        if letter == "I" and before[1:] == kind:
            ranges[-1][1] = end
        elif letter != "O":
            ranges.append([start, end])
    marks = [asked["text"][start:end] for start, end in ranges]
    return f"Marked: {len(marks)}", marks


@browser.needs_chromium
@pytest.mark.slow
def test_the_page_shows_what_the_server_says(golden, tmp_path):
    for name in run_folder.RUNS:
        run_folder.write(golden, tmp_path / name, name)
    features = run_folder.copy(tmp_path / "regression", tmp_path / "features")
    task = {"task": "features", "do_lower_case": True, "max_seq_length": 32}
    (features / "task.json").write_text(json.dumps(task))
    models = ",".join(f"{name}={tmp_path / name}" for name in ASKED)
    with serving(f"--model_dir={models}") as server, browser.chromium() as made:
        page = ask_page.Page(made, f"http://127.0.0.1:{server.port}/")
        page.wait_for("#fields label")
        for name, asked in ASKED.items():
            body = {"instances": [asked]}
            _, found = server.ask(f"/v1/models/{name}:predict", body)
            page.choose(name)
            page.fill(**asked)
            said, marks = said_of(name, found["predictions"][0], asked)
            assert page.ask() == said
            assert [text for text, *_ in page.marks()] == marks
        assert not made.get_log("browser")


def test_a_bad_start_is_one_line(folder):
    """A process: what is refused at once, and what the system refuses."""
    model = f"--model_dir={folder}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for args, expected in (
            ([], "required flags are missing: --model_dir"),
            ([model, f"--port={port}"], "Address already in use; name another"),
        ):
            assert expected in error_of(SCRIPT, *args)


@pytest.fixture(scope="module")
def places(folder, tmp_path_factory):
    """Names of files and folders, good and bad ones."""
    path = tmp_path_factory.mktemp("starts")
    for name, text in (
        ("keys", "key\n"),
        ("no_keys", " \n\n"),
        ("two_words", "key\nmy secret\n"),
        ("accents", "clé\n"),
    ):
        (path / name).write_text(text, encoding="utf-8")
    (path / "empty").mkdir()
    return {"run": folder, "x": path}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "required flags are missing: --model_dir"),
        ("--model_dir=", "required flags are missing: --model_dir"),
        ("--model_dir={x}/none", "none, which is not there."),
        ("--model_dir={x}/keys", "keys, a file."),
        ("--model_dir=~none", "~none, which is not there."),
        ("--model_dir={run},{run}", "which is not there."),
        ("--model_dir={run}#classification", "which is not there."),
        ("--model_dir={run}:8501", "which is not there."),
        ("--model_dir=a={run}#ner", "#ner, which is not there."),
        ("--model_dir=a={run},{run}", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=a={run},", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=,a={run}", "expected a folder, or NAME=FOLDER"),
        ("--model_dir==", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=a=", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=a/b={run}", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=a:predict={run}", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=é={run}", "expected a folder, or NAME=FOLDER"),
        ("--model_dir=a={run},\u2000b={run}", "expected a folder, or NAME"),
        ("--model_dir=a={run},b={run},a={run}", "Received: a twice"),
        ("--model_dir=a={run},b={x}/none", "none, which is not there."),
        ("--model_dir=a={run},b={run} --labels=x", "--labels is for one model"),
        ("--model_dir={run} words", "words"),
        ("--model_dir={run} --task=poetry", "--task=poetry"),
        ("--model_dir={run} --port=-1", "--port=-1"),
        ("--model_dir={run} --port=70000", "--port=70000"),
        ("--model_dir={run} --port=http", "--port=http"),
        ("--model_dir={run} --host=", "Cannot listen at --host="),
        ("--model_dir={run} --host=no\u00a0host", "Cannot listen at --host=no"),
        ("--model_dir={run} --host=999.1.1.1", "Cannot listen at --host=999"),
        ("--model_dir={run} --host=192.0.2.1", "Cannot assign requested addr"),
        ("--model_dir={run} --host=http://x", "Cannot listen at --host=http"),
        ("--model_dir={run} --host=[::1]:80", "Cannot listen at --host=["),
        ("--model_dir={run} --host=a..b", "Cannot listen at --host=a..b"),
        ("--model_dir={run} --workers=0", "--workers=0"),
        ("--model_dir={run} --workers=all", "--workers=all"),
        ("--model_dir={run} --workers=1000", "--workers=1000"),
        ("--model_dir={run} --api_key_file=", "Cannot read --api_key_file="),
        ("--model_dir={run} --api_key_file={x}/none", "No such file"),
        ("--model_dir={run} --api_key_file={x}", "Is a directory"),
        ("--model_dir={run} --api_key_file={x}/no_keys", "Received: none"),
        ("--model_dir={run} --api_key_file={x}/two_words", "line 2: expected"),
        ("--model_dir={run} --api_key_file={x}/accents", "line 1: expected"),
        ("--model_dir={run} --batch_timeout_ms=-1", "--batch_timeout_ms=-1"),
        ("--model_dir={run} --batch_timeout_ms=nan", "must be a number"),
        ("--model_dir={run} --request_timeout_s=0", "--request_timeout_s=0"),
        ("--model_dir={run} --max_body_mb=0", "--max_body_mb=0"),
        ("--model_dir={run} --max_batch_tokens=0", "--max_batch_tokens=0"),
        ("--model_dir={run} --max_queue_rows=many", "--max_queue_rows=many"),
        ("--model_dir={run} --reload_seconds=0", "--reload_seconds=0"),
        ("--model_dir={run} --log_style=xml", "--log_style=xml"),
    ],
)
def test_bad_flags_are_one_line_before_the_port_is_bound(
    places, capsys, line, expected
):
    words = [word.format(**places) for word in line.split(" ") if word]
    flag_values = command_line.flags_of(script.define_flags)
    flags.DEFINE_integer("verbosity", 0, "absl's", flag_values=flag_values)

    def start():
        parser.parse(flag_values, [SCRIPT, "--port=0", *words])
        config = script.Config.from_flags(flag_values)
        with http_workers._bound(config):
            pytest.fail("the port is bound")

    with contextlib.suppress(SystemExit):
        assert error_guard.exit_code(start) == 1
    (found,) = capsys.readouterr().err.splitlines()
    assert found.startswith("error: ")
    assert expected in found
    assert len(found) <= 300
    assert "secret" not in found


@pytest.fixture(scope="module")
def half(golden, tmp_path_factory):
    """Makes the folder of a model that is not whole."""
    path = tmp_path_factory.mktemp("half")

    def half(name, lost, text=None):
        if not (path / name).exists():
            run_folder.write(golden, path / name, name)
        number = len(list(path.iterdir()))
        folder = run_folder.copy(path / name, path / f"half_{number}")
        (file,) = folder.glob(lost)
        if text is None:
            file.unlink()
        else:
            file.write_text(text)
        return folder

    return half


@pytest.mark.parametrize(
    ("name", "lost", "text", "expected"),
    [
        ("classification", "*.index", None, "model.ckpt-7.index does not exi"),
        ("classification", "*.index", "abc", "damaged or incomplete"),
        ("classification", "*.data*", None, "damaged or incomplete"),
        ("classification", "*.data*", "abc", "damaged or incomplete"),
        ("classification", "checkpoint", 'model_checkpoint_path: "x"', "x.ind"),
        ("classification", "bert_config.json", None, "Expected bert_config"),
        ("classification", "bert_config.json", "{", "is not valid JSON"),
        ("classification", "bert_config.json", "[]", "must hold a JSON object"),
        ("classification", "vocab.txt", None, "Expected vocab.txt in"),
        ("classification", "vocab.txt", "", "not found in its 0 tokens"),
        ("classification", "vocab.txt", "[UNK]\n[CLS]\n", "[SEP] not found"),
        ("classification", "labels.txt", None, "Expected labels.txt"),
        ("classification", "labels.txt", "", "expected at least 1 labels"),
        ("classification", "labels.txt", "a\nb\n", "a head for 3 labels"),
        ("classification", "task.json", None, "whether the model's text is"),
        ("classification", "task.json", "{", "expected the JSON object that"),
        ("classification", "task.json", '{"task": "poetry"}', "task.json: exp"),
        ("pretraining", "vocab.txt", None, "Expected vocab.txt in"),
    ],
)
def test_half_a_model_is_one_line_before_the_port_is_open(
    places, half, capsys, name, lost, text, expected
):
    from bert.serving import http_server

    folder = half(name, lost, text)
    models = f"--model_dir=a={places['run']},b={folder}"
    config = config_of(script, models, "--port=0")

    def start():
        with http_workers._bound(config) as listener:
            metrics = http_metrics.Metrics(["a", "b"], 1)
            parent, loaded = -1, -1  # not asked: it does not come so far
            http_server.serve(
                config, metrics, listener, parent, loaded, is_first=True
            )

    listened = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "listen", listened.append)
        assert error_guard.exit_code(start) == 1
    assert not listened
    (found,) = capsys.readouterr().err.splitlines()
    assert found.startswith("error: ")
    assert expected in found
    assert str(folder) in found
    assert len(found) <= 300

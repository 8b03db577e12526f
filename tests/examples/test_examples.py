"""Programs without this project say what predict.py says, to 1e-5."""

import json
import shutil
import socket
import subprocess
import sys

import pytest

from bert.model_folder import model_files
from bert.serving import export
from bert.serving.predictor import Predictor
from tests.scripts.runner import ROOT

EXAMPLES = ROOT / "examples"
FOLDER = ROOT / "tests" / "model_folder" / "data" / "classifier"
TEXTS = [
    "the boat is here",
    "HAS the Fish — été?",
    "",
    "中文 the\tthe & café [MASK]",
    "the " * 40,
]
LINES = "".join(f"{text}\n" for text in TEXTS)


def tool(name):
    found = shutil.which(name)
    return found or pytest.skip(f"needs {name}")


@pytest.fixture(scope="module")
def expected():
    answers = Predictor.load(str(FOLDER)).predict(TEXTS)
    return [list(answer["probabilities"].values()) for answer in answers]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "export"
    export.export(model_files.find(str(FOLDER)), str(folder))
    return folder


def output_of(*command, text=LINES, **kwargs):
    done = subprocess.run(
        [*map(str, command)],
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        **kwargs,
    )
    return done.stdout


def check(found, expected):
    assert len(found) == len(expected)
    for own, other in zip(found, expected, strict=True):
        assert own == pytest.approx(other, abs=1e-5)


@pytest.mark.slow
def test_c(exported, expected, tmp_path):
    text = pytest.importorskip("tensorflow_text")
    tool("cc")
    shutil.copytree(EXAMPLES / "c", tmp_path / "c")
    make = [tool("make"), "-C", tmp_path / "c", f"PYTHON={sys.executable}"]
    output_of(*make)
    operations = f"{text.__path__[0]}/python/ops/_fast_wordpiece_tokenizer.so"
    found = output_of(
        tmp_path / "c/predict", exported / "raw_strings", operations
    )
    check(
        [[float(x) for x in line.split()] for line in found.splitlines()],
        expected,
    )


@pytest.mark.downloads
def test_javascript(exported, expected, tmp_path):
    pytest.importorskip("tf2onnx", reason="requirements-onnx.txt")
    from bert.conversion import onnx

    npm = tool("npm")
    shutil.copytree(EXAMPLES / "javascript", tmp_path / "javascript")
    # As the example says: its script would get what GPUs need.
    install = (npm, "install", "--no-audit", "--ignore-scripts")
    output_of(*install, cwd=tmp_path / "javascript")
    shutil.copytree(exported / "assets", tmp_path / "model/assets")
    onnx.make_onnx(str(exported), str(tmp_path / "model/model.onnx"))
    script = tmp_path / "javascript/predict.mjs"
    found = output_of(tool("node"), script, tmp_path / "model")
    check(
        [list(json.loads(line).values()) for line in found.splitlines()],
        expected,
    )


@pytest.mark.slow
def test_clients_of_serve(expected):
    pytest.importorskip("uvicorn", reason="requirements-serve.txt")
    pytest.importorskip("requests")
    from tests.scripts.test_serve import serving

    with serving(f"--model_dir={FOLDER}") as server:
        url = f"http://127.0.0.1:{server.port}"
        client = [sys.executable, EXAMPLES / "client.py", f"--url={url}"]
        found = output_of(*client)
        tool("curl")
        shown = output_of(EXAMPLES / "curl.sh", url, text=None)
    check(
        [
            list(json.loads(line)["probabilities"].values())
            for line in found.splitlines()
        ],
        expected,
    )
    status, rows, columns = map(json.loads, filter(None, shown.splitlines()))
    assert status["model_version_status"][0]["version"] == "2"
    labels = [answer["label"] for answer in rows["predictions"]]
    assert columns["outputs"]["label"] == labels


def test_a_client_of_no_server_says_so_in_a_line():
    pytest.importorskip("requests")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, EXAMPLES / "client.py", f"--url={url}"],
            input=LINES,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {url}: ")

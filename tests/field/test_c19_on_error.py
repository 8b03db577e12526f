"""Issue 15, number 19: a service does not end at a bad line."""

import json
import subprocess
import sys

import pytest

from bert.errors import UserError
from bert.serving import line_service
from bert.serving.answering import Failures
from bert.serving.predictor import Predictor
from tests.conversion import run_folder
from tests.scripts.runner import ROOT
from tests.scripts.test_predict import answer_file, config_with


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    run_folder.write(golden, path, "classification")
    return path


@pytest.fixture(scope="module")
def predictor(folder):
    return Predictor.load(str(folder), batch_size=2)


LINES = [
    b'{"text": "the boat", "id": 1}',
    b"{",
    b'{"txt": "a", "id": 3}',
    b'{"text": "\xe4"}',
    b"",
    b'{"text": "a", "id": [NaN]}',
    b'{"text": "of", "id": 7}',
]


def test_each_bad_line_is_answered_by_its_error(predictor, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    lines, message = answer_file(predictor, path, "--on_error=answer")
    answers = [json.loads(line) for line in lines]
    assert ["label" in each for each in answers] == [
        *(True, False, False, False, False, True)
    ]
    assert [each.get("id") for each in answers] == [1, None, 3, None, None, 7]
    errors = [each["error"] for each in answers if "error" in each]
    for number, error in zip((2, 3, 4, 6), errors, strict=True):
        assert error.startswith(f"{path}, line {number}: expected ")
    assert message.startswith(f"{path}: 4 of its lines could not be answered")
    assert "the first is line 2" in message


def test_good_lines_alone_are_no_error(predictor, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(LINES[0] + b"\n")
    lines, message = answer_file(predictor, path, "--on_error=answer")
    assert (len(lines), message) == (1, None)


def test_without_the_flag_it_ends_there(predictor, tmp_path):
    assert config_with().failures is Failures.STOP
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    for args in ([], ["--on_error=stop"]):
        lines, message = answer_file(predictor, path, *args)
        assert len(lines) == 1
        assert message.startswith(f"{path}, line 2: expected a JSON object")


def test_an_open_pipe_is_answered_on(folder):
    with subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "predict.py")),
            *(f"--model_dir={folder}", "--input_format=jsonl"),
            "--on_error=answer",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        found = []
        for line in LINES[:3]:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            found.append(json.loads(process.stdout.readline()))
        rest, errors = process.communicate()
    assert [list(each)[-1] for each in found] == [
        *("probabilities", "error", "error")
    ]
    assert (rest, process.returncode) == (b"", 1)
    assert (
        errors.decode()
        .splitlines()[-1]
        .startswith(
            "error: standard input: 2 of its lines could not be answered"
        )
    )


def test_an_answer_that_fails_does_not_end_it(tmp_path):
    """Those behind it are asked anew."""
    path = tmp_path / "in.txt"
    path.write_text("a\nbad\nb\nbad\nc\n")

    def answer(requests):
        for request in requests:
            if request == "bad":
                raise UserError("no number.")
            yield request

    service = line_service.Service(
        lambda place: place.content, answer, 9, 1, Failures.ANSWER
    )
    out = tmp_path / "out"
    with (
        open(out, "wb") as file,
        line_service.open_input(str(path)) as source,
        pytest.raises(UserError, match=r"2 of its lines .* first is line 2\."),
    ):
        line_service.serve(source, service, file)
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        "a",
        {"error": f"{path}, line 2: no number."},
        "b",
        {"error": f"{path}, line 4: no number."},
        "c",
    ]

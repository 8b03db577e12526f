"""predict.py: a line of JSON for each line, as they come."""

import io
import json
import os
import subprocess
import sys
import threading

import pytest

from bert import predict as script
from bert.errors import UserError
from bert.serving import line_service
from bert.serving.predictor import Predictor
from tests.conversion import run_folder
from tests.scripts.runner import ROOT, config_of, error_of, run

SCRIPT = "predict.py"
SECONDS = 120


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    run_folder.write(golden, path, "classification")
    return path


@pytest.fixture(scope="module")
def predictor(folder):
    return Predictor.load(str(folder), batch_size=2)


def config_with(*args):
    return config_of(script, "--model_dir=unused", *args)


def answer_file(predictor, path, *args):
    """Does what the script does with a file; returns lines and the error."""
    config = config_with(f"--input_file={path}", *args)
    out = io.BytesIO()
    message = None
    try:
        with line_service.open_input(config.input_file) as source:
            service = script.service(config, predictor)
            line_service.serve(source, service, out)
    except UserError as error:
        message = str(error)
    return out.getvalue().decode().splitlines(), message


def labels_of(lines):
    return [json.loads(line)["label"] for line in lines]


def test_a_file_is_answered_in_order(folder, predictor, tmp_path):
    texts = ["the boat " * (n % 7) for n in range(150)] + ["a ||| b"]
    path = tmp_path / "in.txt"
    path.write_text("\n".join(texts))
    done = run(SCRIPT, f"--model_dir={folder}", f"--input_file={path}")
    pairs = [*texts[:-1], ("a", "b")]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for found, expected in zip(answers, predictor.predict(pairs), strict=True):
        assert found["label"] == expected["label"]
        assert found["probabilities"] == pytest.approx(
            expected["probabilities"], abs=1e-5
        )


def test_a_pipe_is_answered_line_by_line(folder):
    """The pipe stays open: each answer must be there before the next line."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / SCRIPT), f"--model_dir={folder}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        # A script that waits for more would wait for ever.
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        found = []
        for text in ("the boat", "", "the lake ||| of"):
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            found.append(process.stdout.readline())
        process.stdin.write(b"\xff\xfe\n")
        process.stdin.flush()
        rest, errors = process.communicate()
        timer.cancel()
    assert all(label in ("no", "ja", "?") for label in labels_of(found))
    # A bad line ends it at once, too; what was answered stays.
    assert (rest, process.returncode) == (b"", 1)
    line = errors.decode().splitlines()[-1]
    assert line.startswith("error: standard input, line 4: expected text in")
    assert "0xff" in line


def test_json_lines_are_requests(predictor, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(
        '\ufeff{"text": "a", "id": "x-1", "label": "no"}\r\n'
        "\n"
        '{"text": "a", "text_pair": "b", "id": 7}\n'
        '{"text": "{}"}\n'
    )
    lines, message = answer_file(predictor, path)
    assert message is None
    answers = [json.loads(line) for line in lines]
    assert [a.get("id") for a in answers] == ["x-1", 7, None]
    assert all(
        list(a)[-2:] == ["label", "probabilities"] and len(a) <= 3
        for a in answers
    )


def test_the_format_can_be_told(predictor, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text('{"text": "a"}\n')
    as_text, _ = answer_file(predictor, path)
    as_json, _ = answer_file(predictor, path, "--input_format=jsonl")
    for lines, text in ((as_text, '{"text": "a"}'), (as_json, "a")):
        (expected,) = predictor.predict([text])
        found = json.loads(lines[0])["probabilities"]
        assert found == pytest.approx(expected["probabilities"], abs=1e-6)
    assert as_text != as_json
    (tmp_path / "b.jsonl").write_text("the boat\n")
    lines, message = answer_file(
        predictor, tmp_path / "b.jsonl", "--input_format=text"
    )
    assert (len(lines), message) == (1, None)


def test_json_that_is_read_as_text_is_told_once(predictor, tmp_path, caplog):
    path = tmp_path / "in.txt"
    path.write_text('{"text": "a"}\n' * 3)
    answer_file(predictor, path, "--input_format=text")
    assert not caplog.messages
    lines, message = answer_file(predictor, path)
    assert (len(lines), message) == (3, None)
    assert ["--input_format=jsonl" in m for m in caplog.messages] == [True]
    path.write_text("{boat}\n")
    answer_file(predictor, path)
    assert len(caplog.messages) == 1


GOOD = b'{"text": "the boat"}\n'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{\n", "line 4: expected a JSON object ("),
        (b"[1]\n", 'line 4: expected a JSON object ({"key": value'),
        (b'{"text": "a", "text": "b"}\n', "has the key 'text' twice"),
        (b'{"text": "\\ud800"}\n', "half a character"),
        (b'{"txt": "a"}\n', 'line 4: expected a text or a pair of texts ({"te'),
        (b'{"text": 3}\n', "line 4: expected a text or a pair"),
        (b'{"text": "a", "id": 1e999}\n', "line 4: expected an id that"),
        (b'{"text": "a", "id": [NaN]}\n', "line 4: expected an id that"),
        (b'{"text": "\xe4"}\n', "line 4: expected text in UTF-8. Received: th"),
        (b"{\0}\n", "line 4: expected a JSON object"),
        ("{}\n".encode("utf-16"), "0xff, which is no UTF-8"),
    ],
)
def test_a_bad_line_is_named_and_what_was_before_is_answered(
    predictor, tmp_path, content, expected
):
    path = tmp_path / "in.jsonl"
    path.write_bytes(GOOD * 3 + content + GOOD)
    lines, message = answer_file(predictor, path)
    assert len(lines) == 3
    assert message.startswith(f"{path}, line 4: ")
    assert expected in message
    assert "\n" not in message


def test_a_question_needs_its_context(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    predictor = Predictor.load(str(tmp_path / "run"))
    path = tmp_path / "in.txt"
    path.write_text("who? ||| the boat of the lake\nwho?\n")
    lines, message = answer_file(predictor, path)
    assert [json.loads(line)["nbest"] != [] for line in lines] == [True]
    assert "line 2: expected a question and a context" in message
    assert "question ||| context" in message


def test_vectors_are_rounded(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "ner")
    path = tmp_path / "in.txt"
    path.write_text("the boat\n")
    done = run(
        SCRIPT,
        f"--model_dir={tmp_path / 'run'}",
        "--task=features",
        f"--input_file={path}",
    )
    answer = json.loads(done.stdout)
    assert answer["tokens"][0] == "[CLS]"
    assert len(answer["sequence_output"]) == len(answer["tokens"])
    numbers = answer["sequence_output"][0]
    assert len(numbers) == 24
    assert all(round(x, 6) == x for x in numbers)
    assert any(numbers)


def test_a_reader_that_goes_away_ends_it_quietly(folder, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("the boat\n" * 20000)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / SCRIPT),
            f"--model_dir={folder}",
            f"--input_file={path}",
        ],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.returncode == 141  # as of filters that SIGPIPE ends
    assert "Broken pipe" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_bad_flags_and_files(folder, tmp_path):
    model = f"--model_dir={folder}"
    for args, expected in (
        ([], "required flags are missing: --model_dir"),
        ([model, f"--input_file={tmp_path / 'no.txt'}"], "Cannot read --inp"),
        ([model, f"--input_file={tmp_path}"], "Is a directory"),
        ([model, "--input_file="], "--input_file must name a file"),
        ([model, "--batch_size=0"], "--batch_size=0"),
        ([model, "--task=pretraining"], "--task=pretraining"),
    ):
        assert expected in error_of(SCRIPT, *args)


def test_a_closed_output_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UserError, match="an open standard output"):
        script.predict(config_with())


def test_a_folder_without_a_model_is_one_line(folder, tmp_path):
    (tmp_path / "in.txt").write_text("a\n")
    (tmp_path / "empty").mkdir()
    lines = f"--input_file={tmp_path / 'in.txt'}"
    message = error_of(SCRIPT, f"--model_dir={tmp_path / 'empty'}", lines)
    assert "No checkpoint found" in message
    with pytest.raises(UserError, match=r"the 3 labels no, ja"):
        script.predict(
            config_with(f"--model_dir={folder}", lines, "--labels=a")
        )


def test_a_runtime_needs_what_compress_model_wrote(folder):
    args = f"--model_dir={folder}", "--runtime=onnx"
    message = error_of(SCRIPT, *args)
    assert "--runtime=onnx takes a folder that compress_model.py" in message
    assert config_with("--runtime=onnx").runtime == "onnx"

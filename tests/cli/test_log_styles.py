"""--log_style: what a command's log looks like, from its first line on."""

import json
import subprocess
import sys
from datetime import datetime

import pytest

from bert.cli import log_styles
from tests.scripts.runner import ROOT, run

SCRIPT = """
import os, sys, warnings
from absl import flags, logging
from bert.cli import command_line
from bert.errors import UserError

def main():
    print("result")
    {body}

command_line.run(
    main, command_line.flags_of(lambda flag_values: None), lambda: None)
"""
LINES = """
    details = logging.get_absl_logger().getChild("details")
    logging.info("***** Running training *****")
    details.info("guid: %s", 7)
    logging.warning("hardly meant: %d", 3)
    logging.info("a = 1", extra={"short": "a is one", "fields": {"a": 1.5}})
    for n in (*range(1, 40), 40):
        figures = {"done": n, "total": 40, "loss": float("nan")}
        logging.info("step %d", n, extra={"fields": figures})
"""


def script(*args, body=LINES):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("{body}", body.strip()), *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def entries(done):
    """Returns the objects that all lines are."""
    found = [json.loads(line) for line in done.stderr.splitlines()]
    for entry in found:
        assert list(entry)[:3] == ["time", "level", "message"]
        assert datetime.fromisoformat(entry["time"]).tzinfo
    return found


def test_short_says_what_people_look_for():
    done = script("--log_style=short")
    lines = [line.partition(" ")[2] for line in done.stderr.splitlines()]
    assert lines == [
        "Running training",
        "warning: hardly meant: 3",
        "a is one",
        *(f"step {n}" for n in (1, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40)),
    ]
    assert done.stdout == "result\n"


def test_original_is_the_default():
    done = script()
    lines = [line.partition("] ")[2] for line in done.stderr.splitlines()]
    assert lines[:5] == [
        "***** Running training *****",
        "guid: 7",
        "hardly meant: 3",
        "a = 1",
        "step 1",
    ]
    again = script("--log_style=original")
    assert [x.partition("] ")[2] for x in again.stderr.splitlines()] == lines


def test_json_is_an_object_a_line_with_its_figures():
    done = script("--log_style", "json")
    found = entries(done)
    assert [e["message"] for e in found[:4]] == [
        "***** Running training *****",
        "guid: 7",
        "hardly meant: 3",
        "a = 1",
    ]
    assert [e["level"] for e in found[1:4]] == ["info", "warning", "info"]
    assert found[3]["a"] == 1.5
    assert (found[-1]["done"], found[-1]["loss"]) == (40, None)
    assert done.stdout == "result\n"


@pytest.mark.parametrize(
    ("body", "code", "messages"),
    [
        ("raise UserError('no file')", 1, ["no file"]),
        (
            "warnings.warn('careful'); os.write(2, b'native')",
            0,
            ["<string>:9: UserWarning: careful", "native"],
        ),
        ("print('a\\n\\nb', file=sys.stderr); os._exit(3)", 3, ["a", "b"]),
        ("os.write(2, b'last'); os.kill(os.getpid(), 9)", -9, ["last"]),
    ],
)
def test_json_is_all_that_a_process_says(body, code, messages):
    done = script("--log_style=json", body=body)
    found = [entry["message"].rstrip("\n") for entry in entries(done)]
    assert done.returncode == code
    assert [each.partition("\n")[0] for each in found] == messages


def test_json_has_a_stack_trace_in_one_object_and_a_crash_in_several():
    done = script("--log_style=json", body="raise KeyError('bug')")
    (entry,) = entries(done)
    assert (done.returncode, entry["level"]) == (1, "error")
    assert entry["message"].startswith("Traceback (most recent call last):\n")
    assert entry["message"].endswith("\nKeyError: 'bug'")
    crash = "import faulthandler; faulthandler._sigsegv()"
    found = entries(script("--log_style=json", body=crash))
    assert found[0]["message"] == "Fatal Python error: Segmentation fault"


@pytest.mark.parametrize(
    ("args", "code", "messages"),
    [
        (["--foo=1", "--help"], 1, []),
        (["--foo"], 0, ["unknown flag --foo is ignored"]),
        (["word"], 1, ["Expected flags only (--name=value; several files are"]),
        (["--verbosity=x"], 1, ["flag --verbosity=x: "]),
    ],
)
def test_json_is_also_for_what_is_wrong_with_flags(args, code, messages):
    done = script(*args, "--log_style=json", body="pass")
    found = entries(done)
    assert done.returncode == code
    assert len(found) == len(messages)
    for entry, message in zip(found, messages, strict=True):
        assert entry["message"].startswith(message)
        assert entry["level"] == ("error" if code else "warning")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--log_style=xml"], "--log_style=xml: value should be one of"),
        (["--log_style=JSON"], "--log_style=JSON: value should be one of"),
        (["--log_style="], "--log_style=: value should be one of"),
        (["--log_style=line"], "<short|original|json>"),
        (["--log_style=short,json"], "--log_style=short,json: value should"),
        (["--log_style"], "Missing value for flag --log_style"),
        (["--log_style=json", "--log_style=x"], "--log_style=x: value should"),
    ],
)
def test_another_style_is_refused_in_a_line(args, message):
    done = run("run_squad.py", *args, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "style"),
    [
        ([], "original"),
        (["--log_style", "json"], "json"),
        (["-log_style=short"], "short"),
        (["word", "--log_style=json"], "json"),
        (["--log_style=json", "--log_style=short"], "short"),
        (["--", "--log_style=json"], "original"),
        (["--flagfile=/nonexistent", "--log_style=json"], "original"),
    ],
)
def test_the_style_is_known_before_all_flags_are(argv, style):
    assert log_styles.asked(["script.py", *argv]) == style


def test_each_script_has_the_flag_and_shows_it():
    from bert import run_squad, serve

    for script in (run_squad, serve):
        shown = script.FLAGS.get_key_flags_for_module(script.__name__)
        assert script.FLAGS["log_style"] in shown

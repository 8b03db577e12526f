import re

import pytest

from bert.errors import UserError
from bert.tasks import outputs, spec


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("result.txt", "mkdir", r"result\.txt\. Received: a folder"),
        ("runs.jsonl", "mkdir", r"runs\.jsonl\. Received: a folder"),
        *(
            (name, "touch", rf"{name}\. Received: a file")
            for name in ("best", "eval", *spec.MARKS)
        ),
    ],
)
def test_what_is_in_the_way_of_results_is_named(
    config, tmp_path, name, make, message
):
    outputs.check(config(), ["result.txt"], [])
    (tmp_path / "out").mkdir()
    getattr(tmp_path / "out" / name, make)()
    with pytest.raises(UserError, match=message):
        outputs.check(config(), ["result.txt"], [])


def test_an_input_that_a_link_makes_a_result_is_refused(config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "mine.txt").touch()
    (tmp_path / "out/result.txt").symlink_to(tmp_path / "mine.txt")
    mine = str(tmp_path / "mine.txt")
    with pytest.raises(UserError, match=r"mine\.txt would be replaced"):
        outputs.check(config(), ["result.txt"], [None, mine])
    outputs.check(config(), ["result.txt"], [None])


@pytest.mark.parametrize(
    ("result", "name"),
    [
        ("eval_results.txt", "runs.jsonl"),
        ("eval.tf_record", "eval.tf_record.fingerprint"),
    ],
)
def test_files_that_every_run_writes_are_results_too(
    config, tmp_path, result, name
):
    own = str(tmp_path / "out" / name)
    message = re.escape(f"{own} would be replaced by this command's own {name}")
    with pytest.raises(UserError, match=message):
        outputs.check(config(), [result], [own])

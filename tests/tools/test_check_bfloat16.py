import dataclasses
import json
import logging

import pytest

from bert.data.records.long_texts import LongTexts
from bert.errors import UserError
from bert.model_folder import task_files
from bert.model_folder.task_files import Bfloat16
from bert.serving import precision
from bert.tools import check_bfloat16 as script
from tests.conversion import run_folder
from tests.scripts.runner import config_of

FOUND = Bfloat16(agreement=0.75, rows=40, checkpoint="three")


@pytest.fixture
def run(golden, tmp_path, monkeypatch):
    """Makes a run's folder, whose comparison takes no time."""
    monkeypatch.setattr(precision, "compare", lambda source, files: FOUND)
    run_folder.write(golden, tmp_path, "classification")
    (tmp_path / "eval.tf_record").touch()
    return tmp_path


def check(*args):
    script.check(config_of(script, *args))


def test_what_is_found_is_kept_beside_the_rest(run, caplog):
    before = json.loads((run / task_files.TASK_FILE).read_text())
    with caplog.at_level(logging.INFO):
        check(f"--model_dir={run}")
    after = json.loads((run / task_files.TASK_FILE).read_text())
    expected = {"agreement": 0.75, "rows": 40, "checkpoint": "three"}
    assert after == before | {"bfloat16": expected}
    first, second = caplog.messages[-2:]
    assert first.startswith("75.00 % of the labels of 40 rows are the same")
    assert second.startswith("--precision=auto is float32, as ")


def test_it_takes_the_records_that_are_named(run):
    with pytest.raises(UserError, match="no/such"):
        check(f"--model_dir={run}", "--eval_file=/no/such/file")


def test_a_folder_without_its_task_is_refused(run):
    (run / task_files.TASK_FILE).unlink()
    with pytest.raises(UserError, match=r"output_dir of a run.*task\.json"):
        check(f"--model_dir={run}")


def test_a_saved_model_is_refused(run):
    (run / "saved_model.pb").touch()
    with pytest.raises(UserError, match="which is none"):
        check(f"--model_dir={run}")


def test_a_model_of_numbers_is_refused(golden, run):
    task = task_files.read(str(run / task_files.TASK_FILE))
    regression = dataclasses.replace(task, kind="regression")
    (run / task_files.TASK_FILE).write_text(regression.to_json())
    (run / "labels.txt").unlink(missing_ok=True)
    with pytest.raises(UserError, match="of regression, whose numbers are"):
        check(f"--model_dir={run}")


def test_a_model_of_windows_is_refused(run):
    path = run / task_files.TASK_FILE
    windows = LongTexts("windows", 8, 4, "mean")
    task = dataclasses.replace(task_files.read(str(path)), long_texts=windows)
    path.write_text(task.to_json())
    with pytest.raises(UserError, match="of --truncation=windows"):
        check(f"--model_dir={run}")


def test_without_records_the_line_says_what_leaves_them(run):
    (run / "eval.tf_record").unlink()
    with pytest.raises(UserError, match="which --do_eval leaves"):
        check(f"--model_dir={run}")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        check(f"--model_dir={tmp_path / 'nowhere'}")

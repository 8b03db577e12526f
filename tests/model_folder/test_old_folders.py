"""Folders that earlier versions wrote load, and answer as they did.

`data/README.md` says how they were made.
"""

import json
import shutil
from pathlib import Path

import pytest

from bert.errors import UserError
from bert.model_folder.given import Given
from bert.serving.predictor import Predictor

DATA = Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "answers.json").read_text())
# What answers have had since.
ADDED_KEYS = ("start", "end")


def assert_same(found, expected):
    """Asserts that answers are the same; numbers to 1e-5 of each.

    Later versions may say more, of a question where its answers stand.
    """
    if isinstance(expected, dict):
        assert [n for n in found if n not in ADDED_KEYS] == list(expected)
        for name, value in expected.items():
            assert_same(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-5)
    else:
        assert found == expected


def answers_of(folder, task, given=None):
    predictor = Predictor.load(str(folder), given=given)
    requests = [predictor.request(r) for r in ANSWERS["requests"][task]]
    return list(predictor.answers(requests))


@pytest.mark.parametrize("folder", ["squad", "squad_export", "classifier"])
def test_a_folder_of_before_answers_as_it_did(folder):
    task = folder.partition("_")[0]
    found = answers_of(DATA / folder, task)
    assert_same(found, ANSWERS["answers"][task])


def test_the_newest_checkpoint_answers_as_it_did():
    found = answers_of(
        DATA / "classifier", "classifier", Given(checkpoint="newest")
    )
    assert_same(found, ANSWERS["answers"]["classifier newest"])


def test_a_folder_without_task_json_answers_as_it_did(tmp_path):
    folder = shutil.copytree(DATA / "classifier", tmp_path / "model")
    (folder / "task.json").unlink()
    found = answers_of(folder, "classifier", Given(do_lower_case=True))
    assert_same(found, ANSWERS["answers"]["classifier without task.json"])


@pytest.mark.parametrize("folder", ["squad", "squad_export/assets"])
@pytest.mark.parametrize("place", ["options", None])
def test_a_newer_versions_folder_is_refused(tmp_path, folder, place):
    copy = shutil.copytree(DATA, tmp_path / "data")
    path = copy / folder / "task.json"
    values = json.loads(path.read_text())
    (values[place] if place else values)["from_tomorrow"] = 1
    path.write_text(json.dumps(values))
    with pytest.raises(UserError) as caught:
        Predictor.load(str(copy / folder.partition("/")[0]))
    message = str(caught.value)
    assert message.startswith(f"{path}: expected the JSON object")
    assert "'from_tomorrow'; a newer version wrote the file, use th" in message
    assert "\n" not in message

import logging
import os
import shutil

import pytest

from bert.errors import UserError
from bert.model_folder import locate, weights
from tests.conversion import run_folder


@pytest.fixture(scope="module")
def runs(golden, tmp_path_factory):
    """A run with steps 7 and 9, and the best of step 8; not to be changed."""
    folder = tmp_path_factory.mktemp("out")
    model = run_folder.write(golden, folder, "ner")
    run_folder.save(folder, model, 9)
    run_folder.save(folder / "best", model, 8, best_metric="f1", best_value=0.5)
    return folder


def step_of(prefix):
    return int(prefix.rpartition("-")[2])


@pytest.mark.parametrize(
    ("wanted", "step"),
    [
        (None, 8),
        ("best", 8),
        ("newest", 9),
        ("7", 7),
        (9, 9),
        ("08", 8),
        ("model.ckpt-7", 7),
        ("best/model.ckpt-8.index", 8),
    ],
)
def test_the_best_checkpoint_is_taken_unless_it_is_said(runs, wanted, step):
    assert step_of(weights.choose(str(runs), wanted)) == step


def test_a_prefix_is_taken_as_it_is(runs, tmp_path, monkeypatch):
    wanted = str(runs / "model.ckpt-7")
    assert weights.choose(str(runs), wanted) == wanted
    monkeypatch.chdir(runs)
    assert weights.choose(str(tmp_path), "model.ckpt-7") == "model.ckpt-7"
    with pytest.raises(UserError, match="No checkpoint found"):
        weights.choose(str(runs), wanted + "0")


@pytest.mark.parametrize(
    "wanted", ["", "8.5", "-1", "10", "9" * 5000, "Best", "model.ckpt-", "no"]
)
def test_an_unknown_checkpoint_is_a_line_that_lists_what_is_there(runs, wanted):
    with pytest.raises(
        UserError,
        match=r"for --checkpoint=.*Expected best, newest, a global step or a "
        r"prefix\. In .*: best/model\.ckpt-8, model\.ckpt-9, model\.ckpt-7\.$",
    ) as raised:
        weights.choose(str(runs), wanted)
    assert "\n" not in str(raised.value)


def test_the_newest_is_listed_first(tmp_path):
    for step in (9, 10, 100):
        (tmp_path / f"model.ckpt-{step}.index").touch()
    with pytest.raises(UserError, match=r"100, model\.ckpt-10, model\.ckpt-9"):
        weights.choose(str(tmp_path), "11")
    assert step_of(weights.choose(str(tmp_path))) == 100


def test_the_folder_best_is_a_model_of_its_own(runs):
    best = str(runs / "best")
    assert step_of(weights.choose(best)) == 8
    assert locate.task(best) == locate.task(str(runs))
    assert locate.labels(best) == locate.labels(str(runs))
    with pytest.raises(UserError, match=r"Expected a best .* one of model\.c"):
        weights.choose(best, "best")


def test_a_published_folder_has_one_checkpoint(tmp_path):
    (tmp_path / "bert_model.ckpt.index").touch()
    for wanted in (None, "newest", "bert_model.ckpt"):
        found = weights.choose(str(tmp_path), wanted)
        assert found == str(tmp_path / "bert_model.ckpt")


def test_what_is_a_checkpoint_itself_leaves_no_choice(runs, caplog):
    data = os.path.join(os.path.dirname(__file__), "data/squad_export")
    with caplog.at_level(logging.INFO):
        for path in (data, str(runs / "model.ckpt-7.index")):
            assert weights.find(path).endswith(("variables", "ckpt-7"))
            with pytest.raises(UserError, match="which checkpoint of a folder"):
                weights.find(path, "newest")
    assert not caplog.messages


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (
            None,
            "best/model.ckpt-8: the best by f1, 0.5; the newest is "
            "model.ckpt-9 (--checkpoint=newest).",
        ),
        ("newest", "model.ckpt-9: as --checkpoint=newest says."),
        ("7", "model.ckpt-7: as --checkpoint=7 says."),
    ],
)
def test_one_line_says_which_and_why(runs, caplog, wanted, line):
    with caplog.at_level(logging.INFO):
        weights.find(str(runs), wanted)
    assert caplog.messages == [f"The checkpoint is {runs}/{line}"]


def test_a_run_without_best_weights_says_so(runs, tmp_path, caplog):
    out = shutil.copytree(runs, tmp_path / "out")
    (out / "best/model.ckpt-8.run.json").write_text("{")
    with caplog.at_level(logging.INFO):
        weights.find(str(out))
        shutil.rmtree(out / "best")
        weights.find(str(out))
    best, newest = caplog.messages
    assert "best/model.ckpt-8: the best." in best
    assert newest.endswith("ckpt-9: the newest, as there is no best one.")

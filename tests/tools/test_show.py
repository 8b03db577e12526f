import re
import shutil

import pytest

from bert.errors import UserError
from bert.tasks import spec
from bert.tools import show as script
from tests import browser
from tests.conversion import run_folder
from tests.modeling.backbones.encoders import every_type
from tests.scripts.runner import config_of, run_code

# How each task is asked, and what its page says.
CASES = {
    "classification": (["--text=the boat", "--pair=lake"], "Labels"),
    "multi_label": (["--text=the boat"], "Labels"),
    "regression": (["--text=<b>the boat"], r"<strong>-?\d\.\d+</strong>"),
    "multiple_choice": (
        ["--text=the boat", "--choice=a <b>lake", "--choice=river"],
        "Attention 2 of 2",
    ),
    "ner": (["--text=The boat of <b>Jim"], r"<mark class=.entity kind-"),
    "squad": (
        ["--question=Where is it?", f"--context={'the boat of a lake ' * 8}"],
        "Attention 2 of",
    ),
    "pretraining": (["--text=the [MASK] of <b>", "--top_k=3"], r"the <mark"),
}


@pytest.fixture(scope="module")
def runs(golden, tmp_path_factory):
    """Makes a run's folder, once, and returns it."""
    folder = tmp_path_factory.mktemp("runs")

    def run(name):
        if not (folder / name).exists():
            run_folder.write(golden, folder / name, name)
        return folder / name

    return run


@pytest.fixture
def page_of(tmp_path):
    """Does what the command does; returns the page."""

    def page_of(model_dir, *args):
        path = tmp_path / "show.html"
        flags = (f"--model_dir={model_dir}", f"--output_file={path}")
        script.show(config_of(script, *flags, *args))
        return path.read_text(encoding="utf-8")

    return page_of


_SLOW = ("multi_label", "multiple_choice", "ner", "regression")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in _SLOW))
        for name in CASES
    ],
)
def test_every_task_has_a_page(runs, page_of, name, caplog):
    caplog.set_level("INFO", logger="absl")
    flags, expected = CASES[name]
    page = page_of(runs(name), *flags)
    if name != "pretraining":
        told = [m for m in caplog.messages if "The checkpoint is" in m]
        assert len(told) == 1
    browser.check_html(page)
    assert re.search(expected, page)
    assert "<b>" not in page
    assert page.count('<figure class="attention"') >= 1
    assert '<option value="2" selected>' in page  # the last of two layers


def test_a_published_checkpoint_is_asked_for_words(golden, page_of, tmp_path):
    folder = tmp_path / "published"
    shutil.copytree(golden / "model_base", folder)
    shutil.copy(golden / "inputs/vocab.txt", folder)
    flags = (folder, "--do_lower_case")
    page = page_of(*flags, "--text=the [MASK]")
    assert page.count('<tr class="best">') == 1
    assert "(pretraining)" in page
    # Without [MASK] there is nothing to answer.
    assert "<h2>Answer" not in page_of(*flags, "--text=the harbour")


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("ner", [], "Expected a text to show"),
        ("ner", ["--text=a", "--pair=b"], "with --text. Received: --pair"),
        ("ner", ["--question=a", "--context=b"], "Received: --question"),
        ("squad", ["--question=a"], "Received: no --context"),
        ("squad", ["--question=a", "--context="], "expected a context with"),
        ("multiple_choice", ["--text=a"], "Received: no --choice"),
        ("multiple_choice", ["--text=a", "--choice=b"], "at least two choices"),
        ("pretraining", ["--text=a", "--top_k=999"], "--top_k must be from 1"),
        ("pretraining", [f"--text={'the ' * 47}"], "at most 46 word pieces"),
        ("ner", ["--text=a", "--output_file=/nothing/x"], "a page can be"),
        ("ner", ["--text=a", "--model_dir=/nothing"], "which is not there"),
        ("ner", ["--text=a", "--task=squad"], "needs a checkpoint with"),
    ],
)
def test_bad_flags_end_in_one_line_and_write_nothing(
    runs, page_of, tmp_path, name, flags, message
):
    with pytest.raises(UserError, match=message) as caught:
        page_of(runs(name), *flags)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert list(tmp_path.iterdir()) == []


def test_a_text_that_is_too_long_is_refused(runs, page_of, monkeypatch):
    from bert.pages import attention

    most = 2 * 3 * 20**2
    monkeypatch.setattr(attention, "MOST_WEIGHTS", most)
    with pytest.raises(UserError, match="at most 20 pieces") as caught:
        page_of(runs("classification"), "--text=" + "the " * 30)
    assert "Received: a text of 32; shorten it" in str(caught.value)
    # Of several sequences those are left out that find no room.
    page = page_of(runs("squad"), *CASES["squad"][0], "--max_seq_length=20")
    assert page.count('<figure class="attention"') == 1
    assert re.search(r"\d more would make this page too large", page)


def test_a_saved_model_is_refused(page_of, tmp_path):
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(UserError, match="a SavedModel; name the folder"):
        page_of(tmp_path, "--text=the boat")


def test_help_and_refusals_need_no_tensorflow():
    ran = run_code(
        "import sys; from bert.tools import show; "
        "print(*[n for n in ('keras', 'numpy', 'tensorflow') "
        "if n in sys.modules])"
    )
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, "", "")


def test_every_task_can_be_asked():
    assert set(script._ASKS) == set(spec.TASKS)


@pytest.mark.slow
@every_type
def test_an_encoder_without_attention_is_refused(
    golden, tmp_path, page_of, encoder_type
):
    folder = tmp_path / "run"
    run_folder.write(
        golden, folder, "classification", encoder_type=encoder_type
    )
    flags = ["--text=the boat", "--pair=lake"]
    if encoder_type in ("bert", "gpt"):
        assert "Attention" in page_of(folder, *flags)
        return
    with pytest.raises(UserError, match="has no attention to show"):
        page_of(folder, *flags)
    assert not (tmp_path / "show.html").exists()

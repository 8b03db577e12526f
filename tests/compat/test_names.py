"""The table of the original's names in docs/python_api.md is true."""

import importlib
import re

import pytest

from bert import modeling
from bert.compat import names
from tests import manual

PAGE = (manual.ROOT / "docs/python_api.md").read_text("utf-8")
# | `a`, `b` | `name`, … |  and  | `a.name` | what to use |
WORKS = [
    (module, name)
    for modules, works in re.findall(
        r"^\| ((?:`[a-z_]+`(?:, )?)+) \| (`[A-Z]\w+`.*) \|$",
        PAGE,
        re.M,
    )
    for module in re.findall(r"`(\w+)`", modules)
    for name in re.findall(r"`(\w+)`", works)
]
GONE = re.findall(r"^\| `(?!bert\.)(\w+)\.(\w+)` \| (.*) \|$", PAGE, re.M)


def module_of(name):
    return importlib.import_module(f"bert.{name}")


def test_names_that_work_are_there():
    missing = [
        (module, name)
        for module, name in WORKS
        if not hasattr(module_of(module), name)
    ]
    assert missing == []
    assert len(WORKS) > 60


@pytest.mark.parametrize(("module", "name", "instead"), GONE)
def test_a_name_that_is_gone_says_what_to_use(module, name, instead):
    plain = re.sub(r"\[(.*?)\]\(.*?\)", r"docs/\1", instead).replace("`", "")

    with pytest.raises(AttributeError) as error:
        getattr(module_of(module), name)
    text = str(error.value)
    assert text.startswith(f"module 'bert.{module}' has no attribute {name!r}")
    assert text.endswith(plain)
    assert len(text) <= 300


def test_the_page_has_all_names():
    found = {(m, n) for m, own in names.FOUND.items() for n in own}
    gone = {(m, n) for m, own in names.GONE.items() for n in own}
    gone |= {("modeling", name) for name in modeling._GONE}
    assert found <= set(WORKS)
    assert gone == {(module, name) for module, name, _ in GONE}


def test_another_name_is_an_error_as_any_other():
    with pytest.raises(
        AttributeError, match=r"'bert.run_squad' has no attribute 'x'$"
    ):
        _ = module_of("run_squad").x


def test_arguments_have_the_originals_names():
    squad, data = module_of("run_squad"), module_of("create_pretraining_data")
    for function, count in (
        (squad.write_predictions, 9),
        (squad.convert_examples_to_features, 7),
        (data.create_training_instances, 8),
        (data.create_instances_from_document, 8),
    ):
        assert function.__code__.co_argcount == count

import logging
import pathlib

import pytest

from bert.errors import UserError
from bert.model_folder import formats
from bert.tasks import spec


def set_packages(monkeypatch, name, packages):
    form = formats.FORMATS[name]._replace(packages=packages)
    monkeypatch.setitem(formats.FORMATS, name, form)


def test_each_format_has_a_file_of_its_own():
    files = [form.file for form in formats.FORMATS.values()]

    assert len(set(files)) == len(files)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_what_a_format_says_to_install_is_there(name):
    root = pathlib.Path(formats.__file__).parents[1]
    extra = formats.RUNTIMES[formats.FORMATS[name].runtime].extra

    assert (root / f"requirements-{extra}.txt").is_file()


def test_packages_that_can_be_imported_are_enough(monkeypatch):
    set_packages(monkeypatch, "onnx", ["json", "os.path"])

    formats.check_to_make(["onnx"])


def test_only_the_formats_that_are_named_need_their_packages(monkeypatch):
    set_packages(monkeypatch, "onnx", [])
    set_packages(monkeypatch, "litert_int8", ["no_such_package"])

    formats.check_to_make(["onnx"])
    with pytest.raises(UserError, match="litert_int8 needs no_such_package"):
        formats.check_to_make(["onnx", "litert_int8"])


def test_a_package_that_fails_to_import_is_named_in_one_line(
    monkeypatch, tmp_path
):
    (tmp_path / "broken_package.py").write_text(
        "raise ImportError('no\\n  such symbol')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    set_packages(monkeypatch, "onnx", ["broken_package"])

    with pytest.raises(UserError) as caught:
        formats.check_to_make(["onnx"])

    assert str(caught.value) == (
        "The format onnx needs broken_package, and importing it failed (no "
        "such symbol); pip install -r requirements-onnx.txt, or leave the "
        "format out (--formats)."
    )


@pytest.mark.parametrize("name", formats.FORMATS)
def test_what_writes_a_format_is_there(name):
    assert callable(spec.load(formats.FORMATS[name].make))


def test_a_runtime_that_is_not_installed_is_named_in_one_line(monkeypatch):
    lacking = formats.RUNTIMES["onnx"]._replace(package="no_such_package")
    monkeypatch.setitem(formats.RUNTIMES, "onnx", lacking)
    with pytest.raises(UserError) as caught:
        formats.open_model("onnx", "model.onnx")
    assert str(caught.value) == (
        "A model in the format onnx needs no_such_package, and importing it "
        "failed (No module named 'no_such_package'); pip install -r "
        "requirements-onnx.txt."
    )


def test_a_file_that_the_runtime_cannot_open_is_named(monkeypatch):
    broken = formats.Runtime("builtins:int", "json", "onnx")
    monkeypatch.setitem(formats.RUNTIMES, "onnx", broken)
    with pytest.raises(UserError, match=r"^m\.onnx: expected a model in the f"):
        formats.open_model("onnx", "m.onnx")


def test_what_a_package_does_to_logging_is_undone(monkeypatch, tmp_path):
    (tmp_path / "quiet_package.py").write_text(
        "import logging\nlogging.root.handlers.clear()"
    )
    monkeypatch.syspath_prepend(tmp_path)
    set_packages(monkeypatch, "onnx", ["quiet_package"])
    before = logging.root.handlers[:]
    assert before

    formats.check_to_make(["onnx"])

    assert logging.root.handlers == before

import pathlib

import pytest

from bert.conversion import compression
from bert.errors import UserError


def set_packages(monkeypatch, name, packages):
    form = compression.FORMATS[name]._replace(packages=packages)
    monkeypatch.setitem(compression.FORMATS, name, form)


def test_the_size_is_that_of_the_graph_and_the_weights(tmp_path):
    for name, size in (
        ("saved_model.pb", 3),
        ("variables/variables.index", 20),
        ("variables/variables.data-00000-of-00001", 100),
        ("assets/vocab.txt", 7000),
        ("fingerprint.pb", 50000),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)

    assert compression.saved_model_bytes(str(tmp_path)) == 123


def test_each_format_has_a_file_of_its_own():
    files = [form.file for form in compression.FORMATS.values()]

    assert len(set(files)) == len(files)


@pytest.mark.parametrize("name", compression.FORMATS)
def test_what_a_format_says_to_install_is_there(name):
    root = pathlib.Path(compression.__file__).parents[1]
    extra = compression.FORMATS[name].extra

    assert (root / f"requirements-{extra}.txt").is_file()


def test_packages_that_can_be_imported_are_enough(monkeypatch):
    set_packages(monkeypatch, "onnx", ["json", "os.path"])

    compression.check_packages(["onnx"])


def test_only_the_formats_that_are_named_need_their_packages(monkeypatch):
    set_packages(monkeypatch, "onnx", [])
    set_packages(monkeypatch, "litert_int8", ["no_such_package"])

    compression.check_packages(["onnx"])
    with pytest.raises(UserError, match="litert_int8 needs no_such_package"):
        compression.check_packages(["onnx", "litert_int8"])


def test_a_package_that_fails_to_import_is_named_in_one_line(
    monkeypatch, tmp_path
):
    (tmp_path / "broken_package.py").write_text(
        "raise ImportError('no\\n  such symbol')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    set_packages(monkeypatch, "onnx", ["broken_package"])

    with pytest.raises(UserError) as caught:
        compression.check_packages(["onnx"])

    assert str(caught.value) == (
        "The format onnx needs broken_package, and importing it failed (no "
        "such symbol); pip install -r requirements-onnx.txt, or leave the "
        "format out (--formats)."
    )

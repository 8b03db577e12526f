import pytest

from bert.serving import export_place


@pytest.fixture
def folder(tmp_path):
    """Makes the files of a folder."""

    def make(*names):
        for name in names:
            path = tmp_path / "folder" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return str(tmp_path / "folder")

    return make


def test_files_of_ours_are_not_foreign(folder):
    path = folder("saved_model.pb", "assets/vocab.txt", "variables/v-07")

    patterns = ["saved_model.pb", "assets/vocab.txt", "variables/v-[0-9]*"]
    assert export_place.foreign_names(path, patterns) == []


def test_names_and_places_must_both_be_ours(folder):
    path = folder("vocab.txt", "assets/Vocab.txt", "assets/vocab.txt", "a.txt")

    found = export_place.foreign_names(path, ["assets/vocab.txt"])

    assert found == ["a.txt", "assets/Vocab.txt", "vocab.txt"]


def test_a_foreign_folder_is_named_and_not_looked_into(folder):
    path = folder("mine/a", "mine/b", "raw/assets/c", "raw/more/d")

    found = export_place.foreign_names(path, ["raw/assets/c"])

    assert found == ["mine", "raw/more"]


def test_an_empty_folder_has_nothing_foreign(tmp_path):
    assert export_place.foreign_names(str(tmp_path), ["a"]) == []

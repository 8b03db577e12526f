import pytest

from data import labels
from errors import UserError

OWN = [["a"], ["a"], ["a"], ["b"]]


def test_labels_are_kept_in_their_order(tmp_path):
    labels.write(str(tmp_path), ["b", "not a", "ä"])
    assert labels.read(str(tmp_path)) == ["b", "not a", "ä"]
    assert (tmp_path / "labels.txt").read_text() == "b\nnot a\nä\n"


def test_the_flag_wins_then_the_first_folder_with_labels(tmp_path):
    folder = str(tmp_path)
    labels.write(folder, ["a", "b"])
    assert labels.known("c, d", [folder]) == ["c", "d"]
    assert labels.known(None, ["/nothing", folder]) == ["a", "b"]
    assert labels.known(None, []) is None
    with pytest.raises(UserError, match=r"Expected labels\.txt.*--labels=a,b"):
        labels.known(None, ["/nothing"])


@pytest.mark.parametrize(
    "checkpoint",
    [
        "",
        "/",
        "/model.ckpt-7",
        "/model.ckpt-7.index",
        "/best",
        "/best/m.ckpt-3",
    ],
)
def test_labels_are_found_beside_a_checkpoint(tmp_path, checkpoint):
    folder = tmp_path / "out"
    folder.mkdir()
    labels.write(str(folder), ["a", "b"])
    folders = labels.folders_of(f"{folder}{checkpoint}")
    assert labels.known(None, folders) == ["a", "b"]
    assert labels.folders_of(None) == []


def test_other_labels_than_the_models_are_refused(tmp_path):
    labels.check_kept(["a"], str(tmp_path))
    labels.write(str(tmp_path), ["a", "b"])
    labels.check_kept(["a", "b"], str(tmp_path))
    for others in (["b", "a"], ["a"], ["a", "b", "c"]):
        with pytest.raises(UserError, match=r"labels\.txt.*2 labels a, b"):
            labels.check_kept(others, str(tmp_path))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a"], "at least 2 labels. Received: a;"),
        ([], "Received: none"),
        (["a", "b", "a"], "Received: 'a' twice"),
        (["a", " "], "not empty. Received: ' '"),
        (["a", ""], "Received: ''"),
        (["a", "b\nc"], "one line"),
        ([0, 1], "texts of one line, and not empty. Received: 0"),
    ],
)
def test_labels_that_cannot_be_kept_are_refused(names, message):
    with pytest.raises(UserError, match=message):
        labels.check_names(names, "here")


def test_balanced_weights_make_labels_weigh_the_same_together():
    weights = labels.class_weights("balanced", "classification", "ab", OWN)
    assert weights == [4 / (2 * 3), 4 / (2 * 1)]


def test_balanced_weights_of_several_labels_are_without_for_each_with():
    own = [["a", "b"], ["a"], ["a"], []]
    weights = labels.class_weights("balanced", "multi_label", "ab", own)
    assert weights == [1 / 3, 3 / 1]


def test_given_weights_stand_in_the_labels_order():
    names = ["a:x", "b"]
    weights = labels.class_weights("b:2, a:x:.5", "classification", names, OWN)
    assert weights == [0.5, 2.0]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("a:1", "classification", "b has none"),
        ("a:1,b:1,c:1", "classification", "the labels are a, b; 'c' is none"),
        ("a:1,b:0", "classification", "'0' is no number above 0"),
        ("a:1,b:-2", "classification", "'-2' is no number above 0"),
        ("a:1,b:nan", "classification", "'nan' is no number above 0"),
        ("a:1,b:x", "classification", "'x' is no number above 0"),
        ("a:1,a:1,b:1", "classification", "'a' stands there twice"),
        ("none", "classification", "'' is none"),
    ],
)
def test_weights_that_cannot_be_are_refused(text, kind, message):
    with pytest.raises(UserError, match=f"--class_weights: .*{message}"):
        labels.class_weights(text, kind, ["a", "b"], OWN)


@pytest.mark.parametrize(
    ("kind", "own"),
    [("classification", [["a"]]), ("multi_label", [["a", "b"], ["b"]])],
)
def test_balanced_needs_examples_of_each_label(kind, own):
    with pytest.raises(UserError, match=r"'b' is on . of . training examples"):
        labels.class_weights("balanced", kind, ["a", "b"], own)

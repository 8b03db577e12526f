import pytest

from bert.errors import UserError
from bert.model_folder import labels

OWN = [["a"], ["a"], ["a"], ["b"]]


def test_labels_are_kept_in_their_order(tmp_path):
    labels.write(str(tmp_path), ["b", "not a", "ä"])
    assert labels.read(str(tmp_path)) == ["b", "not a", "ä"]
    assert (tmp_path / "labels.txt").read_text() == "b\nnot a\nä\n"


def test_the_flag_wins_then_what_stands_beside_the_model():
    beside = labels.Labels(["a", "b"], "m/labels.txt")
    for from_training_set in (True, False):
        chosen = labels.choose("c, d", None, from_training_set)
        assert chosen == (["c", "d"], "--labels='c, d'")
        assert labels.choose("a,b", beside, from_training_set).names == [
            "a",
            "b",
        ]
    assert labels.choose(None, beside, False) == beside
    assert labels.choose(None, beside, True) is None
    assert labels.choose(None, None, True) is None
    with pytest.raises(UserError, match=r"Expected labels\.txt.*--labels=a,b"):
        labels.choose(None, None, False)


def test_the_flag_may_name_a_file(tmp_path):
    path = tmp_path / "names"
    path.write_text("a, b\n\n c\r\n")
    assert labels.choose(str(path), None, True).names == ["a, b", "c"]
    path.write_text("a\na\n")
    with pytest.raises(UserError, match=f"--labels='{path}': .*'a' twice"):
        labels.choose(str(path), None, True)


@pytest.mark.parametrize("from_training_set", [True, False])
@pytest.mark.parametrize("flag", ["b,a", "a", "a,b,c", "a,x"])
def test_a_flag_that_is_not_the_heads_labels_is_refused(
    flag, from_training_set
):
    beside = labels.Labels(["a", "b"], "m/labels.txt")
    with pytest.raises(
        UserError, match=rf"m/labels\.txt.* 2 labels a, b\. .*='{flag}'\); give"
    ):
        labels.choose(flag, beside, from_training_set)


def test_other_labels_than_the_models_are_refused():
    kept = labels.Labels(["a", "b"], "m/labels.txt")
    labels.check_kept(labels.Labels(["a"], "x"), None)
    labels.check_kept(labels.Labels(["a", "b"], "x"), kept)
    for others in (["b", "a"], ["a"], ["a", "b", "c"]):
        with pytest.raises(
            UserError, match=r"labels\.txt.*2 labels a, b.*\(x\)"
        ):
            labels.check_kept(labels.Labels(others, "x"), kept)


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

import pytest

from bert.errors import UserError
from bert.model_folder import labels


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


def test_the_same_labels_keep_the_order_of_the_models():
    kept = labels.Labels(["0", "10", "9"], "m/labels.txt")
    same = labels.Labels(["0", "9", "10"], "x")
    other = labels.Labels(["0", "9"], "x")
    assert labels.in_order_of(same, kept) == kept
    assert labels.in_order_of(same, None) == same
    assert labels.in_order_of(other, kept) == other


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


def test_a_heads_labels_stand_before_those_that_are_new():
    kept = labels.Labels(["O", "b", "a"], "m/labels.txt")
    found = labels.grown(kept, labels.Labels(["a", "c", "0"], "x"))
    assert found == (["O", "b", "a", "c", "0"], "x")
    # Where a command could do so, the refusal says it.
    with pytest.raises(UserError, match=r"keep both \(--grow_labels\), or"):
        labels.check_kept(found, kept, may_grow=True)
    fewer = labels.Labels(["a", "b"], "x")
    for others, may_grow in ((found, False), (fewer, True)):
        with pytest.raises(UserError) as raised:
            labels.check_kept(others, kept, may_grow)
        assert "--grow_labels" not in str(raised.value)

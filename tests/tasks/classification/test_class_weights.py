import pytest

from bert.errors import UserError
from bert.tasks.classification import kinds
from bert.tasks.classification.class_weights import class_weights

ONE = kinds.find("classification")
OWN = [["a"], ["a"], ["a"], ["b"]]


def test_balanced_weights_make_labels_weigh_the_same_together():
    weights = class_weights("balanced", ONE, "ab", OWN)
    assert weights == [4 / (2 * 3), 4 / (2 * 1)]


def test_balanced_weights_of_several_labels_are_without_for_each_with():
    own = [["a", "b"], ["a"], ["a"], []]
    weights = class_weights("balanced", kinds.find("multi_label"), "ab", own)
    assert weights == [1 / 3, 3 / 1]


def test_given_weights_stand_in_the_labels_order():
    names = ["a:x", "b"]
    weights = class_weights("b:2, a:x:.5", ONE, names, OWN)
    assert weights == [0.5, 2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:1", "b has none"),
        ("a:1,b:1,c:1", "the labels are a, b; 'c' is none"),
        ("a:1,b:0", "'0' is no number above 0"),
        ("a:1,b:-2", "'-2' is no number above 0"),
        ("a:1,b:nan", "'nan' is no number above 0"),
        ("a:1,b:x", "'x' is no number above 0"),
        ("a:1,a:1,b:1", "'a' stands there twice"),
        ("none", "'' is none"),
    ],
)
def test_weights_that_cannot_be_are_refused(text, message):
    with pytest.raises(UserError, match=f"--class_weights: .*{message}"):
        class_weights(text, ONE, ["a", "b"], OWN)


@pytest.mark.parametrize(
    ("kind", "own"),
    [("classification", [["a"]]), ("multi_label", [["a", "b"], ["b"]])],
)
def test_balanced_needs_examples_of_each_label(kind, own):
    with pytest.raises(UserError, match=r"'b' is on . of . training examples"):
        class_weights("balanced", kinds.find(kind), ["a", "b"], own)

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.tasks import spec
from bert.tasks.classification import kinds
from bert.tasks.classification.processors import InputExample
from tests.conversion import run_folder

CONFIG = run_folder.tiny_config()
LOGITS = tf.constant([[2.0, -1.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    ("kind", "num_outputs", "loss"),
    [
        ("classification", 3, "classification"),
        ("multi_label", 3, "multi_label"),
        ("regression", 1, "regression"),
    ],
)
def test_each_kind_has_its_model(kind, num_outputs, loss):
    model = kinds.find(kind).make_model(CONFIG, num_outputs)
    ones = tf.ones([2, 3], tf.int32)
    batch = {"input_ids": ones, "input_mask": ones, "segment_ids": ones * 0}
    assert model(batch)["logits"].shape == (2, num_outputs)
    assert list(model.loss_weights({**batch, "label_ids": ones[:, 0]})) == [
        loss
    ]


def test_label_weights_are_for_training_alone():
    model = kinds.find("multi_label").make_model(CONFIG, 2, [5.0, 7.0])
    batch = {"label_ids": tf.constant([[1, 0], [0, 1]])}
    found = kinds.find("multi_label").losses(LOGITS, batch["label_ids"])
    by_hand = np.log1p(np.exp([[-2.0, -1.0], [0.0, -3.0]])).mean(axis=1)
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)
    trained = model.losses({"logits": LOGITS}, batch)["multi_label"]
    assert (trained.numpy() > found.numpy()).all()


def test_the_losses_of_classes_and_numbers():
    classes = kinds.find("classification").losses(
        LOGITS, tf.constant([[0], [0]])
    )
    by_hand = [np.log1p(np.exp(-3)), np.log1p(np.exp(3))]
    np.testing.assert_allclose(classes, by_hand, rtol=1e-6)
    labels = tf.constant([[1.5], [2.0]])
    numbers = kinds.find("regression").losses(LOGITS[:, :1], labels)
    np.testing.assert_allclose(numbers, [0.25, 4.0])


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("classification", [1 / (1 + np.exp(-3)), 1 / (1 + np.exp(3))]),
        ("multi_label", [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(1))]),
        ("regression", [2, -1]),
    ],
)
def test_predictions_are_probabilities_or_the_number(kind, first):
    found = kinds.find(kind).values(LOGITS)
    np.testing.assert_allclose(found[0], first, rtol=1e-6)


@pytest.mark.parametrize(
    "kind", ["classification", "multi_label", "regression"]
)
def test_the_names_are_those_of_the_figures(kind):
    names = ["f1"] if kind == "classification" else []
    label_ids = np.eye(2) if kind == "multi_label" else np.arange(2)
    values = np.eye(2)[:, : 1 if kind == "regression" else 2]
    mine = kinds.find(kind)
    figures = mine.figures(values, label_ids, names)
    assert sorted(figures) == sorted(mine.metric_names(names))


@pytest.mark.parametrize(
    ("kind", "names"),
    [("classification", ["precision"]), ("regression", ["f1"])],
)
def test_a_metric_that_there_is_not_is_refused(kind, names):
    with pytest.raises(UserError, match=f"Received: {names[0]}, of kind"):
        kinds.find(kind).metric_names(names)


@pytest.mark.parametrize(
    ("kind", "label", "expected"),
    [
        ("classification", "b", [1]),
        ("classification", None, [0]),
        ("multi_label", ["c", "a"], [1, 0, 1]),
        ("multi_label", [], [0, 0, 0]),
        ("multi_label", None, [0, 0, 0]),
        ("regression", 2.5, [2.5]),
        ("regression", None, [0.0]),
    ],
)
def test_labels_become_numbers(kind, label, expected):
    numbers = {} if kind == "regression" else {"a": 0, "b": 1, "c": 2}
    example = InputExample("x", "the tree", label=label)
    assert kinds.find(kind).label_ids(example, numbers) == expected


@pytest.mark.parametrize(
    ("kind", "label"), [("classification", "2"), ("multi_label", ["0", "2"])]
)
def test_a_label_that_the_task_lacks_is_named(kind, label):
    example = InputExample("dev-7", "the tree", label=label)
    with pytest.raises(UserError, match=r"Example dev-7: .*Received: '2'"):
        kinds.find(kind).label_ids(example, {"0": 0, "1": 1})


def test_a_kind_that_there_is_not_is_named():
    with pytest.raises(
        UserError, match=r"multi_label, regression\. Received: 'x"
    ):
        kinds.find("x")


@pytest.mark.parametrize(
    ("kind", "num_labels", "label"),
    [
        ("classification", 3, ("label_ids", 1, "int64")),
        ("multi_label", 3, ("label_ids", 3, "int64")),
        ("regression", 1, ("label_ids", 1, "float32")),
    ],
)
def test_only_the_labels_field_differs(kind, num_labels, label):
    *first, field, last = kinds.find(kind).fields(8, num_labels)
    assert [f.name for f in first] == ["input_ids", "input_mask", "segment_ids"]
    assert all(f.length == 8 and f.per_token for f in first)
    assert field[:3] == label
    assert last[:3] == ("is_real_example", 1, "int64")


def test_each_kind_is_a_row_of_the_table_of_tasks():
    assert [k.spec.kind for k in kinds.BY_LABEL_TYPE.values()] == list(
        spec.kinds("classification")
    )

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.tasks import inference, spec
from tests.conversion import exports
from tests.modeling.backbones.encoders import every_type
from tests.tasks import models

NAMES = [models.name_of(row) for row in spec.SPECS]


@every_type
@pytest.mark.parametrize("name", NAMES)
def test_a_task_gives_the_outputs_of_its_row(name, encoder_type):
    task = models.make(name, top_k=2, encoder_type=encoder_type)
    model = task.make_model()
    names = list(task.spec.outputs)
    shapes = []
    for rows, length in ((2, 5), (3, 7)):
        batch = {
            key: tf.constant(value)
            for key, value in exports.batch(rows, length).items()
        }
        outputs = task.outputs(model, batch, names)
        assert list(outputs) == names
        shapes.append({key: list(own.shape) for key, own in outputs.items()})
        for key, own in outputs.items():
            is_of_tokens = key in task.token_outputs
            begin = [rows, length] if is_of_tokens else [rows]
            assert shapes[-1][key][: len(begin)] == begin
            rank = task.spec.outputs[key].partition("[")[2].partition("]")[0]
            assert len(own.shape) == rank.count(",") + 1
            assert own.dtype == ("int32" if "int32" in key else own.dtype)
    assert set(task.token_outputs) <= set(names)
    assert set(task.optional_outputs) <= set(names)


@pytest.mark.parametrize("name", NAMES)
def test_the_head_is_that_of_the_row(name):
    task = models.make(name)
    weights = checkpoint.named_variables(task.make_model())
    if task.spec.head:
        outputs = task.spec.num_outputs or len(task.labels)
        assert weights[task.spec.head].shape[0] == outputs
    assert task.spec.has_labels == bool(task.labels)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_may_lack_is_optional(name):
    """Weights of optional outputs are those that a checkpoint may lack."""
    task = models.make(name)
    for output in task.optional_outputs.values():
        assert set(output.weights) <= set(task.spec.optional_weights)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_takes_raw_texts_or_says_why_not(name):
    task = models.make(name)
    if task.no_raw_strings is None:
        takes = task.raw_strings()["serving_default"]
        assert 1 <= len(takes.names) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_below_the_limit(name):
    task = models.make(name)
    fields = [field.name for field in task.fields(32)]
    assert fields[:3] == list(spec.INPUTS)
    assert (task.num_label_ids is not None) <= ("label_ids" in fields)
    batch = {"label_ids": np.array([[1]]), "label_mask": np.array([[1]])}
    has_labels = task.labels_of(batch) is not None
    assert has_labels == ("label_ids" in fields)


def test_without_a_tokenizer_nothing_is_asked():
    task = models.make("classification")
    with pytest.raises(ValueError, match="Expected a tokenizer"):
        task.ask(task.request("the boat"))


def test_rows_are_the_same_when_all_of_them_is():
    found, expected = np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]])
    assert inference.share_of_same(found, expected) == 0.5
    assert inference.share_of_same(found[:, 1], expected[:, 1]) == 0.5

import pytest

from bert.conversion import huggingface_names as names
from bert.modeling.config import BertConfig
from bert.tasks import spec
from tests.conversion import hf_folder, plain_model


def test_the_table_has_each_tensor_of_a_pre_trained_model(golden):
    config = BertConfig.from_json_file(golden / "model_base/bert_config.json")
    parts = names.weights_by_part(config)
    weights = [weight for part in parts.values() for weight in part]
    tensors = hf_folder.golden_tensors(golden)

    assert {w.name: w.shape for w in weights} == {
        name: value.shape for name, value in tensors.items()
    }
    assert {w.name: w.hf_name for w in weights} == {
        name: hf_folder.hf_name(name) for name in tensors
    }
    # Those of all dense layers, and no others.
    assert {w.name for w in weights if w.transposed} == {
        name for name in tensors if name.endswith("kernel")
    }


def test_a_transposed_weight_has_its_axes_the_other_way_round():
    kernel, bias = (
        names.Weight("a/kernel", (4, 5), "a.weight", transposed=True),
        names.Weight("b", (4, 5), "b"),
    )

    assert kernel.hf_shape == (5, 4)
    assert bias.hf_shape == (4, 5)


def test_the_parts_hold_their_own_weights():
    parts = names.weights_by_part(plain_model.config(num_hidden_layers=2))

    assert tuple(parts) == plain_model.ALL
    # 5 of the embeddings, 16 of each layer.
    assert [len(part) for part in parts.values()] == [37, 2, 5, 2]
    assert {w.name.split("/")[1] for w in parts[names.ENCODER]} == {
        "embeddings",
        "encoder",
    }


@pytest.mark.parametrize("head", names.HEADS, ids=names.head_part)
def test_a_head_has_a_row_for_each_output(head):
    parts = names.weights_by_part(plain_model.config(), head, 7)
    weights = parts[names.head_part(head)]

    rows = head.num_outputs or 7
    assert [weight.shape for weight in weights] == [(rows, 4), (rows,)]
    assert weights[0].name == head.head
    assert weights[1].name == f"{head.scope}output_bias"
    assert [weight.hf_name for weight in weights] == [
        f"{head.huggingface_head}.weight",
        f"{head.huggingface_head}.bias",
    ]


def test_messages_call_a_head_by_the_kind_of_its_task():
    assert names.head_part(spec.find("squad")) == "squad head"
    row = spec.find("classification", "multi_label")
    assert names.head_part(row) == "multi_label head"


@pytest.mark.parametrize(
    ("hf_name", "name"),
    [
        ("bert.pooler.dense.bias", "bert.pooler.dense.bias"),
        ("pooler.dense.bias", "bert.pooler.dense.bias"),
        (
            "embeddings.LayerNorm.gamma",
            "bert.embeddings.LayerNorm.weight",
        ),
        (
            "encoder.layer.0.output.LayerNorm.beta",
            "bert.encoder.layer.0.output.LayerNorm.bias",
        ),
        (
            "cls.predictions.decoder.weight",
            "bert.embeddings.word_embeddings.weight",
        ),
        ("cls.predictions.decoder.bias", "cls.predictions.bias"),
        ("bert.embeddings.position_ids", None),
        ("embeddings.token_type_ids", None),
        ("classifier.weight", "classifier.weight"),
        ("gamma", "gamma"),
    ],
)
def test_a_tensor_is_known_by_old_and_short_names(hf_name, name):
    assert names.present_name(hf_name) == name


def test_layers_are_counted_once_whatever_their_numbers():
    tensors = [
        "bert.encoder.layer.0.output.dense.bias",
        "bert.encoder.layer.0.output.dense.weight",
        "bert.encoder.layer.11.output.dense.bias",
        "bert.encoder.layer.x.bias",
        "encoder.layer.3.output.dense.bias",  # not in the present spelling
        "bert.pooler.dense.bias",
    ]

    assert names.count_layers(tensors) == 2
    assert names.count_layers([]) == 0

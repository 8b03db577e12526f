import pytest

from bert.conversion import huggingface_config as conversion
from bert.conversion import huggingface_names as names
from bert.errors import UserError
from bert.modeling.config import HIDDEN_ACTS
from bert.tasks import spec
from tests.conversion import plain_model

SINGLE = spec.find("classification", "classification")
MULTI = spec.find("classification", "multi_label")
REGRESSION = spec.find("classification", "regression")
NER = spec.find("ner")
SQUAD = spec.find("squad")
FEATURES = spec.find("features")
PRETRAINING = spec.find("pretraining")
TEXTS = {"architectures": ["BertForSequenceClassification"]}
VALUES = {
    "model_type": "bert",
    "vocab_size": 6,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 5,
    "hidden_act": "gelu_new",
    "max_position_embeddings": 8,
    "type_vocab_size": 2,
}


def test_the_sizes_become_a_configuration():
    config = conversion.to_original(VALUES | {"initializer_range": 0.5})

    expected = plain_model.config(initializer_range=0.5)
    assert config.to_dict() == expected.to_dict()


def test_keys_of_published_files_are_carried_and_others_are_not():
    carried = {"directionality": "bidi", "pooler_fc_size": 768}

    config = conversion.to_original(VALUES | carried | {"id2label": {}})

    assert carried.items() <= config.to_dict().items()
    assert not hasattr(config, "id2label")


@pytest.mark.parametrize("act", HIDDEN_ACTS)
def test_a_configuration_comes_back(act):
    model = plain_model.make(FEATURES, hidden_act=act)

    values = conversion.from_original(model, 0)

    again = conversion.to_original(values)
    assert again.to_dict() == model.config.to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "roberta"}, "Received: 'roberta'"),
        ({"is_decoder": True}, "is_decoder must be False"),
        ({"hidden_act": "silu"}, "hidden_act must be one of .*: 'silu'"),
        ({"hidden_size": 5}, "not a multiple"),
    ],
)
def test_another_model_is_refused(change, message):
    with pytest.raises(UserError, match=message):
        conversion.to_original(VALUES | change)


@pytest.mark.parametrize("key", [key for key in VALUES if key != "model_type"])
def test_no_size_is_guessed(key):
    values = {name: value for name, value in VALUES.items() if name != key}

    with pytest.raises(UserError, match=f"^{key} must be given"):
        conversion.to_original(values)


def test_only_another_epsilon_is_warned_of(caplog):
    conversion.warn_of_epsilon({}, "c.json")
    conversion.warn_of_epsilon({"layer_norm_eps": 1e-12}, "c.json")
    assert not caplog.messages
    conversion.warn_of_epsilon({"layer_norm_eps": 1e-5}, "c.json")
    assert "c.json has layer_norm_eps 1e-05" in caplog.text


@pytest.mark.parametrize(
    ("values", "num_labels", "head"),
    [
        (TEXTS, 1, REGRESSION),
        (TEXTS, 2, SINGLE),
        (TEXTS | {"problem_type": "multi_label_classification"}, 1, MULTI),
        ({"architectures": ["BertForTokenClassification"]}, 3, NER),
        ({"architectures": ["BertModel"]}, 3, None),
        ({"architectures": "BertForTokenClassification"}, 3, None),
        ({}, 3, None),
    ],
)
def test_the_architecture_tells_what_a_classifier_is_of(
    values, num_labels, head
):
    rows = {"classifier": num_labels}

    assert conversion.find_head(values, rows, None) == head


def test_a_head_must_be_there_whatever_the_architecture_says():
    values = {"architectures": ["BertForQuestionAnswering"]}

    assert conversion.find_head(values, {"qa_outputs": 2}, None) == SQUAD
    assert conversion.find_head(values, {"classifier": 2}, None) is None


def test_the_users_task_wins():
    rows = {"classifier": 3}

    assert conversion.find_head(TEXTS, rows, "ner") == NER
    assert conversion.find_head(TEXTS, rows, "features") is None
    with pytest.raises(UserError, match=r"^--task=squad, but .* has no head"):
        conversion.find_head(TEXTS, rows, "squad")


@pytest.mark.parametrize(
    ("problem_type", "num_labels", "message"),
    [
        ("regression", 2, "must have one output. Received: 2"),
        ("single_label_classification", 1, "several labels. Received: 1"),
        ("ranking", 2, "problem_type must be one of .*: 'ranking'"),
    ],
)
def test_a_problem_that_the_outputs_do_not_fit_is_refused(
    problem_type, num_labels, message
):
    values = TEXTS | {"problem_type": problem_type}

    with pytest.raises(UserError, match=message):
        conversion.find_head(values, {"classifier": num_labels}, None)


def test_labels_are_in_the_order_of_their_numbers():
    given = {str(number): f"x{number}" for number in reversed(range(11))}

    found = conversion.labels_of({"id2label": given}, SINGLE, 11)

    assert found == [f"x{number}" for number in range(11)]


def test_labels_that_nobody_named_have_hugging_faces_names():
    assert conversion.labels_of({}, NER, 2) == ["LABEL_0", "LABEL_1"]


@pytest.mark.parametrize("head", [None, REGRESSION, SQUAD])
def test_a_model_that_tells_no_labels_has_none(head):
    assert conversion.labels_of({"id2label": {"0": "a"}}, head, 1) == []


@pytest.mark.parametrize("given", [{"0": "a"}, {"0": "a", "2": "b"}, ["a"]])
def test_labels_must_be_as_many_as_the_outputs(given):
    with pytest.raises(UserError, match="must name the labels 0 to 1"):
        conversion.labels_of({"id2label": given}, SINGLE, 2)


def test_a_classifiers_task_and_labels_are_written():
    model = plain_model.make(MULTI, num_labels=2, labels=("red", "blue"))

    values = conversion.from_original(model, 3)

    assert values["architectures"] == ["BertForSequenceClassification"]
    assert values["problem_type"] == "multi_label_classification"
    assert values["id2label"] == {"0": "red", "1": "blue"}
    assert values["label2id"] == {"red": 0, "blue": 1}
    assert values["pad_token_id"] == 3


def test_labels_without_names_are_numbered():
    model = plain_model.make(NER, num_labels=2)

    values = conversion.from_original(model, None)

    assert values["id2label"] == {"0": "LABEL_0", "1": "LABEL_1"}
    assert "problem_type" not in values


def test_an_encoder_is_written_without_a_task():
    values = conversion.from_original(plain_model.make(FEATURES), 0)

    assert not values.keys() & {"id2label", "label2id", "classifier_dropout"}


def test_keys_that_are_not_written_are_told(caplog):
    extra = {"notes": "mine", "directionality": "bidi"}

    values = conversion.from_original(plain_model.make(FEATURES, **extra), 0)

    assert values["directionality"] == "bidi"
    assert "notes" not in values
    assert "not converted: notes." in caplog.text


@pytest.mark.parametrize(
    ("row", "heads", "name"),
    [
        (FEATURES, [], "BertModel"),
        (PRETRAINING, plain_model.ALL[2:], "BertForPreTraining"),
        (PRETRAINING, [names.MASKED_LM], "BertForMaskedLM"),
        (PRETRAINING, [names.NEXT_SENTENCE], "BertForNextSentencePrediction"),
        (SQUAD, [], "BertForQuestionAnswering"),
        (NER, [], "BertForTokenClassification"),
        (REGRESSION, [], "BertForSequenceClassification"),
        (spec.find("multiple_choice"), [], "BertForMultipleChoice"),
    ],
)
def test_the_architecture_is_the_one_that_has_the_parts(row, heads, name):
    model = plain_model.make(row, [*plain_model.ALL[:2], *heads], 2)

    assert conversion.architecture(model) == name


def test_a_missing_pooler_matters_to_those_who_use_it(caplog):
    def architecture(row, *heads):
        model = plain_model.make(row, [names.ENCODER, *heads], 2)
        return conversion.architecture(model)

    assert architecture(SQUAD) == "BertForQuestionAnswering"
    assert architecture(PRETRAINING, names.MASKED_LM) == "BertForMaskedLM"
    assert not caplog.messages
    assert architecture(FEATURES) == "BertModel"
    assert "add_pooling_layer=False" in caplog.text
    for row, head in ((SINGLE, []), (PRETRAINING, [names.NEXT_SENTENCE])):
        with pytest.raises(UserError, match="stands on the pooler"):
            architecture(row, *head)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("BertModel", True),
        ("BertForPreTraining", True),
        ("BertForNextSentencePrediction", True),
        ("BertForSequenceClassification", True),
        ("BertForMultipleChoice", True),
        ("BertForMaskedLM", False),
        ("BertForTokenClassification", False),
        ("BertForQuestionAnswering", False),
    ],
)
def test_the_architectures_that_use_the_pooler(name, answer):
    assert conversion.uses_pooler(name) == answer

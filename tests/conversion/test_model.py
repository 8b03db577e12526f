import pytest

from bert.conversion import huggingface_names as names
from bert.conversion import model as conversion
from bert.errors import UserError
from bert.tasks import spec
from tests.conversion import plain_model

NER = spec.find("ner")
SQUAD = spec.find("squad")
FEATURES = spec.find("features")
PRETRAINING = spec.find("pretraining")


def parts_of(row, num_labels=3):
    """All weights that a tiny model of a task may have."""
    head = row if row.head else None
    return names.weights_by_part(plain_model.config(), head, num_labels)


def names_of(parts, *chosen):
    return [weight.name for part in chosen for weight in parts[part]]


def choose_row(row, given, **options):
    """The row and the names that are chosen of those that are given.

    Without a row, the names tell the task.
    """
    found, weights = conversion.choose_weights(
        plain_model.config(),
        row and row.task,
        row if row and row.head else None,
        3,
        given,
        lambda weight: weight.name,
        "the file",
        **options,
    )
    return found, [weight.name for weight in weights]


def choose(row, given, **options):
    found, weights = choose_row(row, given, **options)
    assert found == row
    return weights


def test_a_model_knows_its_head_and_labels():
    model = plain_model.make(NER, num_labels=3)

    assert model.head == NER
    assert model.num_labels == 3


def test_a_model_without_a_head_of_fine_tuning_has_no_labels():
    model = plain_model.make(PRETRAINING, plain_model.ALL)

    assert model.head is None
    assert model.num_labels == 0


def test_a_model_has_the_parts_that_it_has_tensors_of():
    model = plain_model.make(NER, [names.ENCODER], num_labels=3)

    parts = model.weights_by_part()

    assert list(parts) == [names.ENCODER, "ner head"]
    assert sum(map(len, parts.values())) == len(model.tensors)


def test_a_task_has_the_length_that_the_model_takes():
    task = conversion.make_task(NER, None, 512)

    assert (task.task, task.do_lower_case) == ("ner", None)
    assert task.max_seq_length == 512


@pytest.mark.parametrize(("longest", "length"), [(512, 384), (64, 64)])
def test_a_task_of_windows_has_them_as_long_as_its_script(longest, length):
    task = conversion.make_task(SQUAD, True, longest)

    assert task.max_seq_length == length
    assert task.options == SQUAD.options


@pytest.mark.parametrize(
    ("parts", "row"),
    [
        ([names.ENCODER], FEATURES),
        ([names.ENCODER, names.POOLER], FEATURES),
        ([names.ENCODER, names.MASKED_LM], PRETRAINING),
        ([names.ENCODER, names.NEXT_SENTENCE], PRETRAINING),
    ],
)
def test_the_heads_of_pre_training_make_it_a_pre_trained_model(parts, row):
    given = names_of(parts_of(PRETRAINING), *parts)
    assert choose_row(None, given)[0] == row


def test_a_fine_tuned_model_keeps_all_but_the_heads_of_pre_training(caplog):
    parts = parts_of(NER)
    kept = (names.ENCODER, names.POOLER, "ner head")

    chosen = choose(NER, names_of(parts, *parts))

    assert chosen == names_of(parts, *kept)
    assert caplog.messages == [
        "Left out, as a model for ner has no use for it: masked-LM head, "
        "next-sentence head."
    ]


def test_a_pre_trained_model_keeps_everything(caplog):
    parts = parts_of(PRETRAINING)

    assert choose(PRETRAINING, names_of(parts, *parts)) == names_of(
        parts, *parts
    )
    assert not caplog.messages


def test_a_part_that_is_missing_whole_is_warned_of(caplog):
    parts = parts_of(PRETRAINING)
    there = (names.ENCODER, names.MASKED_LM)

    assert choose(PRETRAINING, names_of(parts, *there)) == names_of(
        parts, *there
    )
    assert caplog.messages == [
        f"The model has no {part}; training starts it afresh."
        for part in (names.POOLER, names.NEXT_SENTENCE)
    ]


def test_a_part_that_nobody_wanted_is_not_missed(caplog):
    parts = parts_of(PRETRAINING)
    there = names_of(parts, names.ENCODER, names.POOLER, names.MASKED_LM)
    assert choose(PRETRAINING, there, unwanted=[names.NEXT_SENTENCE]) == there
    assert not caplog.messages


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        (NER, [names.POOLER]),
        (FEATURES, [names.POOLER, names.MASKED_LM, names.NEXT_SENTENCE]),
    ],
)
def test_a_fine_tuned_model_misses_no_head_of_pre_training(
    row, missing, caplog
):
    parts = parts_of(row)
    there = [part for part in parts if part not in plain_model.ALL[1:]]

    choose(row, names_of(parts, *there))

    assert caplog.messages == [
        f"The model has no {part}; training starts it afresh."
        for part in missing
    ]


def test_a_part_that_is_there_in_part_is_refused():
    parts = parts_of(FEATURES)
    given = names_of(parts, *parts)
    given.remove("bert/pooler/dense/bias")

    with pytest.raises(UserError) as caught:
        choose(FEATURES, given)

    assert str(caught.value) == (
        "the file lacks 1 of the pooler's 2 tensors, such as "
        "bert/pooler/dense/bias; does its configuration belong to it?"
    )


def test_a_model_without_an_encoder_is_refused():
    parts = parts_of(FEATURES)

    with pytest.raises(UserError, match="lacks 21 of the encoder's 21"):
        choose(FEATURES, names_of(parts, names.POOLER))


def test_tensors_that_bert_has_not_are_refused_in_the_encoder_only(caplog):
    parts = parts_of(FEATURES)
    given = names_of(parts, names.ENCODER, names.POOLER)

    assert choose(FEATURES, [*given, "z", "bert/more"]) == given
    assert "2 unknown tensors are not converted: bert/more, z" in caplog.text
    with pytest.raises(UserError, match=r"has 1 tensors .* such as bert/enc"):
        choose(FEATURES, [*given, "bert/encoder/layer_1/bias"])


def test_force_leaves_out_what_the_encoder_lacks(caplog):
    given = names_of(parts_of(FEATURES), names.ENCODER, names.POOLER)
    more = [f"bert/encoder/adapter_{i:02}" for i in range(12)]

    _, chosen = conversion.choose_weights(
        *(plain_model.config(), "features", None, 0, [*given, *more]),
        lambda weight: weight.name,
        "the file",
        force=True,
    )

    assert [weight.name for weight in chosen] == given
    assert "adapter_09, … (12 in all)" in caplog.text


def test_a_part_that_is_left_out_need_not_be_whole():
    given = names_of(parts_of(FEATURES), names.ENCODER, names.POOLER)

    assert choose(FEATURES, [*given, "cls/predictions/output_bias"]) == given

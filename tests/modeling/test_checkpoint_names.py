import pytest

from bert.modeling import checkpoint_names

KERNEL = "bert/encoder/layer_0/output/dense/kernel"
KNOWN = ("bert/embeddings/word_embeddings", KERNEL, "output_bias")


def others(*names):
    return checkpoint_names.others([*KNOWN, *names], KNOWN)


@pytest.mark.parametrize(
    "name",
    [
        f"{KERNEL}/BERTAdam",
        f"{KERNEL}/BERTAdam_1",
        f"{KERNEL}/adam_m",
        f"{KERNEL}/lamb/m/ExponentialMovingAverage",
        "output_bias/accum_grad",
        "bert/encoder/layer_9/output/dense/kernel/adam_v",
    ],
)
def test_what_stands_under_a_weight_is_a_slot(name):
    assert others(name) == ((name,), (), ())


def test_what_stands_under_another_heads_weight_is_a_slot_too():
    head = "cls/squad/output_weights"
    assert others(head, f"{head}/m") == ((f"{head}/m",), (), (head,))


def test_a_weight_of_a_further_layer_is_of_a_deeper_model():
    name = KERNEL.replace("_0", "_12")
    assert others(name) == ((), (name,), ())


@pytest.mark.parametrize(
    "name",
    [
        "bert/encoder/layer_0/adapter/kernel",
        "bert/encoder/layer_12/adapter/kernel",
        f"{KERNEL}_1",
        "module/" + KERNEL,
    ],
)
def test_all_else_is_unknown(name):
    assert others(name) == ((), (), (name,))


def test_global_step_is_nothing_of_a_model():
    assert others("global_step") == ((), (), ())


def test_a_tensor_by_a_scopes_name_makes_no_slots_of_what_is_in_it():
    found = others("bert", "bert/adapter", "bert/encoder/layer_1")
    assert found.slots == ()
    assert len(found.unknown) == 3


def test_moments_are_known_as_names_to_restore():
    known = (KERNEL, f"{KERNEL}/adam_m")
    found = checkpoint_names.others([*known, f"{KERNEL}/ema"], known)
    assert found.slots == (f"{KERNEL}/ema",)


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [
        ("module/", "begin with 'module/'"),
        ("_orig_mod.", "begin with '_orig_mod.'"),
        ("a/model/", "begin with 'a/model/'"),
        ("my", None),
        ("", None),
    ],
)
def test_a_prefix_is_named(prefix, hint):
    found = checkpoint_names.prefix_hint(["x", prefix + KERNEL], KERNEL)
    assert hint in found if hint else found == ""


@pytest.mark.parametrize(
    ("slots", "text"),
    [
        (["a/adam_m", "a/adam_v"], "2 of Adam's moments"),
        (["a/x", "b/x", "b/y"], "3 slots (x, y)"),
        (["a/adam_m", "a/x"], "1 of Adam's moments, 1 slots (x)"),
    ],
)
def test_slots_are_counted_by_kind(slots, text):
    assert checkpoint_names.describe_slots(slots) == text


def test_of_many_names_ten_are_shown():
    assert checkpoint_names.some(["b", "a"]) == "a, b"
    text = checkpoint_names.some([f"n{i:02}" for i in range(11)])
    assert text.startswith("n00, ")
    assert text.endswith(", n09, … (11 in all)")


def test_a_name_is_that_of_a_model_of_one_task():
    without_task = checkpoint_names.without_task
    assert without_task("tasks/a_bias/output_weights") == "output_weights"
    assert without_task("bert/pooler/dense/bias") == "bert/pooler/dense/bias"

"""Several tasks on one encoder: its weights and their names."""

import pytest

from bert.errors import UserError
from bert.modeling import checkpoint, randomness, task_model
from bert.modeling.backbones.choice import make_backbone
from bert.modeling.classifiers import ClassifierModel
from bert.modeling.config import BertConfig
from bert.modeling.heads import PretrainingModel, SpanModel, TokenModel
from bert.modeling.multitask_model import MultitaskModel

TINY = BertConfig(
    vocab_size=11,
    hidden_size=4,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=8,
    max_position_embeddings=8,
)


MASKED_LM = [
    f"cls/predictions/{name}"
    for name in (
        "output_bias",
        *("transform/dense/kernel", "transform/dense/bias"),
        *("transform/LayerNorm/gamma", "transform/LayerNorm/beta"),
    )
]


def make(config=TINY, seed=1):
    backbone = make_backbone(config, init_seed=seed)
    head = {"dropout_rate": 0.1 if config.hidden_dropout_prob else 0.0}
    with task_model.sharing(backbone):
        tasks = {
            "a": ClassifierModel(config, 2, init_seed=seed, **head),
            "b.1": ClassifierModel(config, 3, init_seed=seed, **head),
            "span": SpanModel(config, init_seed=seed),
            "mlm": PretrainingModel(
                config, has_next_sentence=False, init_seed=seed
            ),
        }
    return MultitaskModel(backbone, tasks)


def test_tasks_share_the_encoder_and_have_heads_of_their_own():
    model = make()
    assert {id(t.backbone) for t in model.tasks.values()} == {
        id(model.backbone)
    }
    names = checkpoint.named_variables(model)
    assert {name for name in names if not name.startswith("bert/")} == {
        "tasks/a/output_weights",
        "tasks/a/output_bias",
        "tasks/b.1/output_weights",
        "tasks/b.1/output_bias",
        "tasks/span/cls/squad/output_weights",
        "tasks/span/cls/squad/output_bias",
        *(f"tasks/mlm/{name}" for name in MASKED_LM),
    }
    alone = checkpoint.named_variables(ClassifierModel(TINY, 2))
    assert {n for n in names if n.startswith("bert/")} == {
        n for n in alone if n.startswith("bert/")
    }


def test_heads_are_drawn_though_a_checkpoint_has_one_of_that_name():
    names = {"output_weights", "bert/pooler/dense/kernel"}
    with randomness.not_drawn(names):
        found = checkpoint.named_variables(make())
    assert found["tasks/a/output_weights"].numpy().any()
    assert not found["bert/pooler/dense/kernel"].numpy().any()


def test_a_model_made_later_has_an_encoder_of_its_own_again():
    model = make()
    assert ClassifierModel(TINY, 2).backbone is not model.backbone


def masked_words(config):
    return PretrainingModel(config, has_next_sentence=False)


@pytest.mark.parametrize(
    ("makers", "trains"),
    [
        ((SpanModel,), False),
        ((SpanModel, masked_words), False),
        ((SpanModel, ClassifierModel), True),
        ((masked_words, ClassifierModel), True),
    ],
)
def test_the_pooler_is_trained_where_a_task_uses_it(makers, trains):
    backbone = make_backbone(TINY)
    with task_model.sharing(backbone):
        tasks = {
            str(i): make_one(TINY, *[2] * (make_one is ClassifierModel))
            for i, make_one in enumerate(makers)
        }
    MultitaskModel(backbone, tasks)
    assert backbone.pooler.trainable is trains


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("saved") / "model.ckpt-3"
    checkpoint.write_files(str(prefix), checkpoint.named_variables(make()))
    return str(prefix)


def test_a_reader_of_one_task_sees_no_other(saved):
    reader = checkpoint.Reader(f"{saved}#span")
    assert reader.prefix == f"{saved}#span"
    heads = {n for n in reader.shapes if not n.startswith("bert/")}
    assert heads == {"cls/squad/output_weights", "cls/squad/output_bias"}
    # The task's own model loads it, as if it had been trained alone.
    for name, one in (("a", ClassifierModel(TINY, 2)), ("span", None)):
        model = one or SpanModel(TINY)
        report = checkpoint.load_weights(model, f"{saved}#{name}")
        assert not report.fresh
        assert not report.unused


def test_a_task_that_is_not_there_is_named_with_those_that_are(saved):
    with pytest.raises(
        UserError, match=r"one of them x\. .* of a, b\.1, mlm, span"
    ):
        checkpoint.Reader(f"{saved}#x")


def test_a_pre_trained_model_lends_its_masked_lm_head(tmp_path, saved):
    prefix = str(tmp_path / "model.ckpt-1")
    checkpoint.write_files(
        prefix, checkpoint.named_variables(PretrainingModel(TINY, init_seed=5))
    )
    model = make()
    report = checkpoint.load_weights(model, prefix)
    own = {f"tasks/mlm/{name}" for name in MASKED_LM}
    assert own <= {*report.loaded}
    assert {name.split("/")[1] for name in report.fresh} == {"a", "b.1", "span"}
    assert {*report.unused} == {
        "cls/seq_relationship/output_weights",
        "cls/seq_relationship/output_bias",
    }
    reader, found = checkpoint.Reader(prefix), checkpoint.named_variables(model)
    for name in MASKED_LM:
        assert (found[f"tasks/mlm/{name}"].numpy() == reader.read(name)).all()
    # One of several tasks has its own.
    assert not checkpoint.load_weights(make(), saved).fresh


def test_a_checkpoint_of_one_task_names_none(tmp_path):
    prefix = str(tmp_path / "model.ckpt-1")
    one = TokenModel(TINY, 2)
    checkpoint.write_files(prefix, checkpoint.named_variables(one))
    with pytest.raises(UserError, match="of one task"):
        checkpoint.Reader(f"{prefix}#ner")

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import bert
from bert import modeling
from bert.errors import UserError
from bert.model_folder import weights
from bert.model_folder.pretrained import from_checkpoint
from bert.model_folder.task_files import Task
from bert.modeling import checkpoint
from tests.conversion import run_folder
from tests.modeling.backbones.encoders import every_type


@pytest.fixture
def base(golden, tmp_path):
    """The folder of a published model."""
    base = tmp_path / "base"
    shutil.copytree(golden / "model_base", base)
    shutil.copy(golden / "inputs/vocab.txt", base)
    return base


def test_a_folder_is_a_model_a_tokenizer_and_a_configuration(base):
    model, tokenizer, config = bert.from_checkpoint(base)

    assert isinstance(model, modeling.BertModel)
    assert config.to_dict() == model.config.to_dict()
    assert tokenizer.vocab_file == str(base / "vocab.txt")
    assert tokenizer.basic_tokenizer.do_lower_case
    reader = checkpoint.Reader(str(base))
    for name, variable in checkpoint.named_variables(model).items():
        np.testing.assert_array_equal(variable.numpy(), reader.read(name))


@every_type
def test_the_configuration_says_which_encoder_it_is(
    golden, tmp_path, encoder_type
):
    trained = run_folder.write(
        golden, tmp_path / "run", "pretraining", encoder_type=encoder_type
    )
    model, *_ = from_checkpoint(tmp_path / "run")
    assert type(model) is type(trained.backbone)
    for one, other in zip(
        model.variables, trained.backbone.variables, strict=True
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_task_model_is_one_of_keras(base, monkeypatch, caplog):
    monkeypatch.setenv("BERT_BASE_DIR", str(base))
    loaded = from_checkpoint(
        "$BERT_BASE_DIR", modeling.ClassifierModel, num_labels=3
    )
    assert isinstance(loaded.model, keras.Model)
    features = loaded.features(["Hello", "Good bye, all"])
    assert loaded.model(features).shape == (2, 3)
    assert "output_weights" in caplog.text  # it is fresh


@pytest.mark.parametrize(
    ("folder", "model_class", "options"),
    [
        ("classifier", modeling.ClassifierModel, {"num_labels": 3}),
        ("squad_export", modeling.SpanModel, {}),
    ],
)
def test_a_trained_model_brings_its_head(folder, model_class, options, caplog):
    folder = Path(__file__).parent / "data" / folder
    model, *_ = from_checkpoint(folder, model_class, **options)

    assert not [r for r in caplog.records if "initialized" in r.getMessage()]
    head, bias = model.weights[-2:]
    assert head.path.endswith("output_weights")
    reader = checkpoint.Reader(weights.choose(str(folder)))
    name = checkpoint.checkpoint_name(bias, model.layers[-1])
    np.testing.assert_array_equal(bias.numpy(), reader.read(name))


def test_a_run_is_its_best_model_unless_it_is_said(golden, tmp_path):
    made = {
        step: run_folder.make_model("ner", run_folder.tiny_config(), step)
        for step in (8, 9)
    }
    out = tmp_path / "out"
    run_folder.write(golden, out, "ner")
    run_folder.save(out, made[9], 9)
    run_folder.save(out / "best", made[8], 8)
    for wanted, step in ((None, 8), ("newest", 9), (9, 9), ("best", 8)):
        model, *_ = from_checkpoint(out, checkpoint=wanted)
        table = model.embeddings.word_embeddings
        expected = made[step].backbone.embeddings.word_embeddings
        np.testing.assert_array_equal(table.numpy(), expected.numpy())
    with pytest.raises(UserError, match="No checkpoint found for --checkpoi"):
        from_checkpoint(out, checkpoint=10)


def test_features_are_one_batch(base):
    loaded = from_checkpoint(base)
    special = {loaded.tokenizer.vocab[t]: t for t in ("[CLS]", "[SEP]")}
    features = loaded.features(["the box", "the"], ["a door", "the old man"])

    assert {(x.dtype, x.shape) for x in features.values()} == {
        (np.dtype("int32"), features["input_ids"].shape)
    }
    first, second = features["input_mask"].sum(axis=1)
    assert features["input_ids"].shape == (2, max(first, second))
    for ids, mask, segments in zip(*features.values(), strict=True):
        found = [special.get(i) for i in ids[mask == 1]]
        assert (found[0], found[-1], found.count("[SEP]")) == (
            "[CLS]",
            "[SEP]",
            2,
        )
        assert (
            segments.tolist()
            == sorted(segments[: mask.sum()]) + [0] * (mask == 0).sum()
        )
    cut = loaded.features(["the box"], ["a door"], max_seq_length=5)
    assert cut["input_ids"].shape == (1, 5)
    long = loaded.features(["the " * 500])
    assert long["input_ids"].shape == (1, loaded.config.max_position_embeddings)


def test_texts_that_are_no_list_or_no_pairs_are_refused(base):
    loaded = from_checkpoint(base)
    for args in (("the box",), ([],), (["a", "b"], ["c"]), ([1, None],)):
        with pytest.raises(UserError, match="Expected a list of texts"):
            loaded.features(*args)
    with pytest.raises(UserError, match="only trained up to sequence length"):
        loaded.features(["a"], max_seq_length=1000)


@pytest.mark.parametrize("name", ["vocab.txt", "bert_config.json"])
def test_a_folder_that_lacks_a_file_is_told_which(base, name):
    (base / name).unlink()
    with pytest.raises(UserError, match=f"{name}.*Received: {base}, without"):
        from_checkpoint(base)


def test_the_case_is_what_is_given_or_kept_or_the_vocabularys(golden, base):
    def lower(**given):
        tokenizer = from_checkpoint(base, **given).tokenizer
        return tokenizer.basic_tokenizer.do_lower_case

    assert lower() is True
    assert lower(do_lower_case=False) is False
    task = Task(task="features", do_lower_case=False, max_seq_length=16)
    (base / "task.json").write_text(task.to_json())
    assert lower() is False
    (base / "task.json").unlink()
    vocab = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (base / "vocab.txt").write_text("\n".join(vocab) + "\n")
    with pytest.raises(UserError, match="pass do_lower_case=True"):
        lower()

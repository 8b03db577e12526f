"""A model with more words says the same of texts without them."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.model_folder import model_files
from bert.modeling import BertConfig, checkpoint
from bert.modeling.heads import PretrainingModel
from bert.tools import extend_vocabulary as script
from tests.scripts.runner import config_of

NAMES = (
    "bert/embeddings/word_embeddings",
    "cls/predictions/output_bias",
)


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """A run that was trained 12 steps, with Adam's moments."""
    path = tmp_path_factory.mktemp("models") / "model"
    path.mkdir()
    for name in ("index", "data-00000-of-00001"):
        source = golden / f"train_pretraining/model.ckpt-12.{name}"
        shutil.copy(source, path / f"bert_model.ckpt.{name}")
    shutil.copy(golden / "model_base/bert_config.json", path)
    shutil.copy(golden / "inputs/vocab.txt", path)
    return path


def extend(folder, out, *args):
    flags = (f"--model_dir={folder}", f"--output_dir={out}", *args)
    script.extend_vocabulary(
        config_of(script, "--do_lower_case=True", *map(str, flags))
    )


def tokens_of(folder):
    return (folder / "vocab.txt").read_text().split("\n")[:-1]


def outputs_of(folder, ids):
    """Vectors, and logits of all words, of random weights with no dropout."""
    config = BertConfig.from_json_file(folder / "bert_config.json")
    model = PretrainingModel(config)
    checkpoint.load_weights(model, str(folder))
    rows = tf.constant(ids)
    outputs = model(
        {
            "input_ids": rows,
            "input_mask": tf.ones_like(rows),
            "segment_ids": tf.zeros_like(rows),
            "masked_lm_positions": tf.constant([[1, 2, 3]] * len(ids)),
        }
    )
    encoded = model.backbone(rows)["sequence_output"]
    return encoded.numpy(), outputs["masked_lm_logits"].numpy()


@pytest.mark.parametrize("place", ["unused", "append"])
def test_texts_without_new_words_stay(folder, tmp_path, place):
    words = tmp_path / "words.txt"
    words.write_text("boatriver\n\n##zzx\nthe\n")
    out = tmp_path / "out"
    flags = ["--append"] if place == "append" else []
    extend(folder, out, f"--new_tokens={words}", *flags)
    old, new = tokens_of(folder), tokens_of(out)
    assert len(new) == len(old) + 2 * bool(flags)
    assert {"boatriver", "##zzx"} <= {*new}

    ids = np.random.default_rng(1).integers(4, len(old), [4, 16])
    (encoded, logits), (encoded_now, logits_now) = (
        outputs_of(path, ids) for path in (folder, out)
    )
    stay = [i for i, token in enumerate(old) if new[i] == token]
    if place == "unused":
        np.testing.assert_array_equal(encoded, encoded_now)
        np.testing.assert_array_equal(logits[..., stay], logits_now[..., stay])
    else:
        np.testing.assert_allclose(encoded, encoded_now, atol=1e-6)
        np.testing.assert_allclose(logits, logits_now[..., stay], atol=1e-6)
    found = model_files.find(str(out))
    assert found.task.do_lower_case
    assert found.task.task == "pretraining"


def test_moments_begin_at_zero(folder, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("boatriver\n")
    extend(folder, tmp_path / "out", f"--new_tokens={words}")
    before = checkpoint.Reader(str(folder))
    after = checkpoint.Reader(str(tmp_path / "out"))
    assert before.shapes == after.shapes
    index = tokens_of(tmp_path / "out").index("boatriver")
    for name in after.shapes:
        old, new = before.read(name), after.read(name)
        if name.startswith(NAMES):
            if "adam" in name:
                assert not new[index].any()
            old, new = (np.delete(x, index, axis=0) for x in (old, new))
        np.testing.assert_array_equal(old, new)


def test_words_that_save_most_pieces_are_found(folder, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("boatboat the " * 9 + "riverboats " * 6 + "seldoms " * 4)
    extend(folder, tmp_path / "out", f"--input_file={text}")
    new = {*tokens_of(tmp_path / "out")} - {*tokens_of(folder)}
    assert new == {"boatboat", "riverboats"}
    flags = ("--num_new_tokens=1", "--overwrite")
    extend(folder, tmp_path / "out", f"--input_file={text}", *flags)
    new = {*tokens_of(tmp_path / "out")} - {*tokens_of(folder)}
    assert len(new) == 1


def test_unknown_words_are_found(folder, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the þþ " * 9, encoding="utf-8")
    extend(folder, tmp_path / "out", f"--input_file={text}")
    assert "þþ" in tokens_of(tmp_path / "out")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Received: neither"),
        (["--new_tokens=words", "--input_file=words"], "Received: both"),
        (["--new_tokens=words", "--num_new_tokens=1"], "are for --input_file"),
        (["--new_tokens=nowhere"], "expected a text file"),
        (["--new_tokens=empty"], "expected words. Received: none"),
        (["--new_tokens=bad"], "bad, line 2: expected a word"),
        (["--new_tokens=latin"], "expected a text file in UTF-8"),
        (["--new_tokens=known"], "all of which the vocabulary"),
        (["--input_file=nowhere"], "No file matches"),
        (["--input_file=words"], "expected words that occur 5 times"),
        (["--new_tokens=words", "--model_dir=nowhere"], "which is not there"),
        (["--new_tokens=words", "--output_dir=words"], "is a file"),
        (["--new_tokens=words", "--output_dir=full"], "holds a model already"),
    ],
)
def test_what_is_refused(folder, tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    files = {
        "words": b"boatriver\n",
        "empty": b"\n \n",
        "bad": b"word\ntwo words\n",
        "latin": b"\xe9t\xe9\n",
        "known": b"the\nthe\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)
    shutil.copytree(folder, tmp_path / "full")
    with pytest.raises(UserError, match=message):
        extend(folder, "new", *flags)
    assert {path.name for path in tmp_path.iterdir()} == {*files, "full"}


def test_what_contradicts_the_models_folder_is_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    (tmp_path / "task.json").write_text(
        '{"task": "pretraining", "do_lower_case": true, "max_seq_length": 8}'
    )
    folder, other = str(tmp_path), tmp_path / "other.txt"
    script.check_words(folder, f"{folder}/vocab.txt", do_lower_case=True)
    with pytest.raises(UserError, match=r"its task\.json says True; leave"):
        script.check_words(folder, f"{folder}/vocab.txt", do_lower_case=False)
    other.write_text("b\na\n")
    with pytest.raises(UserError, match="has other words than the model's own"):
        script.check_words(folder, str(other), do_lower_case=True)

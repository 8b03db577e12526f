"""Issue 15, B 6: folders as transformers and others leave them."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from bert.data.text.tokenization import FullTokenizer
from bert.modeling import checkpoint
from tests.conversion import hf_folder
from tests.conversion.hf_folder import assert_golden, assert_refused, convert

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def save_again(folder, added=(), **changes):
    """Leaves of the tokenizer what transformers 5 does: tokenizer.json."""
    lines = (folder / "vocab.txt").read_text().split("\n")[:-1]
    vocab = {line: index for index, line in enumerate(lines)}
    tokens = [(vocab[text], text) for text in SPECIAL] + list(added)
    values = {
        "added_tokens": [
            {"id": i, "content": text, "normalized": text not in SPECIAL}
            for i, text in tokens
        ],
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "vocab": vocab,
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(values | changes))
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer_config.json").write_text(
        '{"backend": "tokenizers", "tokenizer_class": "BertTokenizer"}'
    )
    return folder


@pytest.mark.parametrize("pieces", [["\u2028"], ["", "", "\u3000"]])
def test_a_export_saved_again_keeps_all_ids(golden, tmp_path, pieces):
    folder = hf_folder.write(golden, tmp_path / "hf")
    path = folder / "vocab.txt"
    lines = path.read_text().split("\n")
    spare = [i for i, line in enumerate(lines) if len(line) > 6]
    for place, piece in zip(spare[-len(pieces) :], pieces, strict=True):
        lines[place] = piece
    path.write_text("\n".join(lines))
    ours = convert(folder)
    again = save_again(convert(ours, tmp_path / "again"))
    back = convert(again, tmp_path / "back")
    assert_golden(back, golden)
    first, second = (
        FullTokenizer(str(out / "vocab.txt")) for out in (ours, back)
    )
    assert len(second.vocab) == len(set(lines)) - 1
    assert {t: i for t, i in first.vocab.items() if t} == {
        t: i for t, i in second.vocab.items() if t
    }


def test_b_added_tokens_are_kept_or_named(golden, tmp_path, caplog):
    tensors = hf_folder.hf_tensors(golden)
    words = "bert.embeddings.word_embeddings.weight"
    bias = "cls.predictions.bias"
    rows = np.ones([3, 32], np.float32)
    tensors[words] = np.concatenate([tensors[words], rows])
    tensors[bias] = np.concatenate([tensors[bias], rows[:, 0]])
    folder = hf_folder.write(golden, tmp_path / "hf", tensors, vocab_size=394)
    added = [(391, "covid"), (392, "<url>"), (393, "<e1>")]
    out = convert(save_again(folder, added))
    tokenizer = FullTokenizer(str(out / "vocab.txt"))
    assert tokenizer.encode("Covid, the covid")[0::3] == [391, 391]
    assert "now, and no longer found inside of longer words: 'covid'" in (
        caplog.text
    )
    assert "ids differ where they stand: '<e1>' (393), '<url>' (392)" in (
        caplog.text
    )
    assert "never used" not in caplog.text
    assert len((out / "vocab.txt").read_text().splitlines()) == 394


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (
            {
                "tokenizer_class": "BertJapaneseTokenizer",
                "word_tokenizer_type": "mecab",
                "subword_tokenizer_type": "character",
            },
            None,
        ),
        ({"do_basic_tokenize": False}, None),
        ({"never_split": ["covid-19"]}, None),
        ({}, {"pre_tokenizer": {"type": "WhitespaceSplit"}}),
    ],
)
def test_c_another_tokenizer_is_refused_unless_forced(
    golden, tmp_path, caplog, settings, parts
):
    folder = hf_folder.write(golden, tmp_path / "hf")
    if parts:
        save_again(folder, **parts)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({"do_lower_case": True, **settings}))
    assert_refused(folder, tmp_path / "out", "expected the tokenizer of BERT")
    assert_golden(convert(folder, force=True), golden)
    assert "the tokenizer is not BERT's" in caplog.text


def test_f_the_layers_of_sentence_transformers_are_named(
    golden, tmp_path, caplog
):
    folder = tmp_path / "package"
    hf_folder.write(golden, folder / "0_Transformer")
    for name in ("1_Pooling", "2_Dense"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}")
    dense = {"linear.weight": np.ones([4, 32], np.float32)}
    save_file(dense, folder / "2_Dense/model.safetensors")
    assert_golden(convert(folder), golden)
    assert "not converted: 2_Dense; vectors are those that go" in caplog.text
    caplog.clear()
    # As its newer versions have it.
    for path in (folder / "0_Transformer").iterdir():
        path.rename(folder / path.name)
    (folder / "0_Transformer").rmdir()
    assert_golden(convert(folder, tmp_path / "newer"), golden)
    assert "not converted: 2_Dense" in caplog.text


def test_g_what_macos_adds_is_no_model(golden, tmp_path):
    folder = tmp_path / "zip"
    model = folder / "uncased_L-3"
    shutil.copytree(convert(hf_folder.write(golden, tmp_path / "hf")), model)
    shutil.copytree(model, folder / "__MACOSX/uncased_L-3")
    shutil.copytree(model, folder / "__MACOSX", dirs_exist_ok=True)
    for name in ("._bert_model.ckpt.index", "._model.safetensors"):
        (model / name).write_bytes(b"\0\5\x16\7")
    assert len(checkpoint.Reader(str(model)).shapes) == 62
    back = convert(folder, tmp_path / "back")
    assert (back / "model.safetensors").exists()

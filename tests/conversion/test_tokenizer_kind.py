import json

import pytest

from bert.conversion import tokenizer_kind
from bert.errors import UserError

PARTS = {
    "normalizer": {"type": "BertNormalizer", "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece"},
}


def write(folder, settings=None, parts=None, config=None):
    """Makes the files of a tokenizer, and config.json."""
    for name, values in (
        ("config.json", config or {}),
        ("tokenizer_config.json", settings),
        ("tokenizer.json", parts),
    ):
        if values is not None:
            (folder / name).write_text(json.dumps(values))
    return str(folder)


def sequence(kind, *types):
    inner = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers"}
    parts = [{"type": name} for name in types]
    return {kind: {"type": "Sequence", inner[kind]: parts}}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"parts": PARTS},
        {"parts": {"model": {}}},
        {"parts": sequence("normalizer", "BertNormalizer")},
        {"settings": {"tokenizer_class": "BertTokenizer"}},
        {"settings": {"tokenizer_class": "DistilBertTokenizerFast"}},
        {
            "settings": {"tokenizer_class": "PreTrainedTokenizerFast"},
            "parts": PARTS,
        },
        {"settings": {"do_basic_tokenize": True, "never_split": None}},
        {"settings": {"cls_token": {"content": "[CLS]"}, "pad_token": None}},
    ],
)
def test_berts_tokenizer_passes(tmp_path, given, caplog):
    tokenizer_kind.check(write(tmp_path, **given), force=False)
    assert not caplog.messages


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            {"settings": {"tokenizer_class": "BertJapaneseTokenizer"}},
            "tokenizer_class 'BertJapaneseTokenizer'",
        ),
        (
            {"config": {"tokenizer_class": "BertJapaneseTokenizer"}},
            "tokenizer_class 'BertJapaneseTokenizer'",
        ),
        ({"settings": {"tokenizer_class": "BertweetTokenizer"}}, "Bertweet"),
        ({"settings": {"tokenizer_class": "PreTrainedTokenizerFast"}}, "PreT"),
        ({"settings": {"tokenizer_class": ["x"]}}, "tokenizer_class ['x']"),
        ({"settings": {"word_tokenizer_type": "mecab"}}, "'mecab'"),
        ({"settings": {"subword_tokenizer_type": "character"}}, "'character'"),
        ({"settings": {"do_basic_tokenize": False}}, "do_basic_tokenize False"),
        ({"settings": {"never_split": ["a b"]}}, "never_split ['a b']"),
        ({"settings": {"unk_token": "<unk>"}}, "unk_token '<unk>'"),
        (
            {"parts": PARTS | {"pre_tokenizer": {"type": "WhitespaceSplit"}}},
            "pre_tokenizer WhitespaceSplit",
        ),
        ({"parts": PARTS | {"normalizer": None}}, "normalizer none"),
        (
            {"parts": sequence("pre_tokenizer", "BertPreTokenizer", "Digits")},
            "pre_tokenizer BertPreTokenizer, Digits",
        ),
        ({"parts": PARTS | {"model": {"type": "BPE"}}}, "model 'BPE'"),
    ],
)
def test_another_tokenizer_is_refused_or_warned_of(
    tmp_path, given, found, caplog
):
    folder = write(tmp_path, **given)
    with pytest.raises(UserError) as caught:
        tokenizer_kind.check(folder, force=False)
    assert found in str(caught.value)
    assert "--force converts the weights all the same" in str(caught.value)
    tokenizer_kind.check(folder, force=True)
    assert found in caplog.text

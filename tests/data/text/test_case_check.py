"""Does --do_lower_case fit the vocabulary, and the model's folder?"""

import pytest

from bert.data.text import case_check
from bert.data.text.case_check import validate_case_matches_checkpoint
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from tests.data.text.test_tokenization import SPECIAL
from tests.data.text.test_tokenization import write_vocab as write_vocab

LETTERS = [chr(ord("a") + i) for i in range(26)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (LETTERS, True),
        ([*LETTERS, "[CLS]", "<S>"], True),
        ([*LETTERS, "Berlin"], False),
        (LETTERS[:19], None),
        ([*LETTERS[:19], "1", "。", "[MASK]"], None),
        ([], None),
    ],
)
def test_a_vocabulary_tells_whether_its_text_was_lower_cased(tokens, expected):
    assert case_check.is_uncased(tokens) is expected


@pytest.mark.parametrize(
    ("vocab", "do_lower_case", "said"),
    [
        ("vocab.txt", False, "looks uncased (0 of"),
        ("vocab.txt", True, None),
        ("vocab_cased.txt", True, "looks cased (59 of"),
        ("vocab_cased.txt", False, None),
    ],
)
def test_vocabulary_that_contradicts_the_case_is_warned_of_once(
    golden, caplog, vocab, do_lower_case, said
):
    FullTokenizer(golden / "inputs" / vocab, do_lower_case).tokenize("a B")

    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == (said is not None)
    if said:
        assert said in messages[0]
        assert f"Pass --do_lower_case={not do_lower_case}" in messages[0]


@pytest.mark.parametrize("share", [0, 1, 2])
def test_uncased_means_below_one_in_a_thousand(write_vocab, caplog, share):
    letters = [f"a{i}" for i in range(2000 - share)]
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[unusedX]", "<S>", *letters]
    FullTokenizer(
        write_vocab(tokens + [f"B{i}" for i in range(share)]),
        do_lower_case=True,
    )

    assert len(caplog.records) == (share == 2)


@pytest.mark.parametrize("do_lower_case", [False, True])
def test_vocabulary_without_letters_that_have_a_case_tells_nothing(
    write_vocab, caplog, do_lower_case
):
    tokens = [chr(code) for code in range(0x4E00, 0x5000)]
    FullTokenizer(write_vocab([*SPECIAL, *tokens, "a"]), do_lower_case)

    assert caplog.records == []


LOWERED = [
    "uncased_L-24_H-1024_A-16",
    "uncased_L-12_H-768_A-12",
    "multilingual_L-12_H-768_A-12",
    "chinese_L-12_H-768_A-12",
    "wwm_uncased_L-24_H-1024_A-16",
    "uncased_L-2_H-128_A-2",
    "uncased_L-8_H-256_A-4",
    "uncased_L-10_H-512_A-8",
    "uncased_L-6_H-768_A-12",
]
CASED = [
    "cased_L-12_H-768_A-12",
    "cased_L-24_H-1024_A-16",
    "multi_cased_L-12_H-768_A-12",
    "wwm_cased_L-24_H-1024_A-16",
]


@pytest.mark.parametrize("name", LOWERED + CASED)
def test_known_model_with_the_other_case_is_an_error(name):
    right = name in LOWERED
    path = f"/models/{name}/bert_model.ckpt"

    validate_case_matches_checkpoint(right, path)
    with pytest.raises(UserError) as caught:
        validate_case_matches_checkpoint(not right, path)
    message = str(caught.value)
    assert f"`--do_lower_case={not right}` with `--init_checkpoint={path}`" in (
        message
    )
    kind = "lowercased" if right else "cased"
    assert f"`{name}` seems to be a {kind} model" in message
    assert f"should pass in `--do_lower_case={right}`" in message


@pytest.mark.parametrize(
    "path",
    [
        "gs://bert_models/2018_10_18/{}/bert_model.ckpt",
        "{}/bert_model.ckpt.index",
        "{}/bert_model.ckpt.data-00000-of-00001",
        "/a/{}",
        "{}/",
        "C:\\models\\{}\\bert_model.ckpt",
    ],
)
def test_known_model_is_seen_in_every_form_of_path(path):
    with pytest.raises(UserError, match="seems to be a lowercased model"):
        validate_case_matches_checkpoint(False, path.format(LOWERED[0]))


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "bert_model.ckpt",
        "/out/uncased_L-12_H-768_A-12/model.ckpt-1000",
        "/models/my_uncased_L-12_H-768_A-12/bert_model.ckpt",
        "/models/uncased_L-3_H-128_A-2/bert_model.ckpt",
    ],
)
@pytest.mark.parametrize("do_lower_case", [False, True])
def test_unknown_models_pass(path, do_lower_case):
    validate_case_matches_checkpoint(do_lower_case, path)

import json

import pytest

from bert.conversion import tokenizer_files
from bert.errors import UserError
from tests.conversion import hf_folder, run_folder
from tests.conversion.hf_folder import assert_refused, convert

CONFIG = "tokenizer_config.json"


def read(folder, **values):
    (folder / CONFIG).write_text(json.dumps(values))
    return tokenizer_files.read_settings(str(folder))


def task_of(folder):
    return json.loads((folder / "task.json").read_text())


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_the_casing_comes_from_tokenizer_config(
    golden, tmp_path, do_lower_case, caplog
):
    folder = hf_folder.write(golden, tmp_path / "hf")
    values = {"do_lower_case": do_lower_case, "model_max_length": 20}
    (folder / CONFIG).write_text(json.dumps(values))
    found = task_of(convert(folder))
    assert found["do_lower_case"] is do_lower_case
    assert found["max_seq_length"] == 20
    assert ("looks uncased" in caplog.text) == (not do_lower_case)


def test_the_flag_wins_over_the_files(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    assert task_of(convert(folder, do_lower_case=False))["do_lower_case"] is (
        False
    )


def test_tokenizer_json_tells_the_casing_too(tmp_path):
    (tmp_path / "tokenizer.json").write_text(
        '{"normalizer": {"type": "BertNormalizer", "lowercase": false}}'
    )
    assert tokenizer_files.read_settings(str(tmp_path)) == (False, None)
    # Not said twice: what is said first counts.
    assert read(tmp_path, do_lower_case=True)[0] is True
    assert read(tmp_path, tokenizer_class="BertTokenizer")[0] is False


def test_without_tokenizer_files_the_vocabulary_tells_the_casing(
    golden, tmp_path
):
    folder = hf_folder.write(golden, tmp_path / "hf")
    (folder / CONFIG).unlink()
    assert task_of(convert(folder))["do_lower_case"] is True
    cased = hf_folder.write(golden, tmp_path / "cased")
    (cased / CONFIG).unlink()
    lines = (golden / "inputs/vocab_cased.txt").read_text().split("\n")[:391]
    (cased / "vocab.txt").write_text("\n".join(lines))
    found = task_of(convert(cased, tmp_path / "cased_out"))
    assert found["do_lower_case"] is False


def test_an_endless_model_max_length_is_none(tmp_path):
    assert read(tmp_path, model_max_length=int(1e30)).max_length is None
    assert read(tmp_path, model_max_length="no").max_length is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"do_lower_case": False, "strip_accents": True},
            "strip_accents True and do_lower_case False",
        ),
        ({"tokenize_chinese_chars": False}, "tokenize_chinese_chars False"),
    ],
)
def test_what_the_tokenizer_here_does_otherwise_is_warned_of(
    tmp_path, caplog, values, message
):
    read(tmp_path, **values)
    assert message in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"do_lower_case": "yes"}', "must be true or false. Received: 'yes'"),
        ("[]", "must hold a JSON object"),
        ("{", "is not valid JSON"),
    ],
)
def test_a_tokenizer_config_that_is_wrong_is_refused(
    golden, tmp_path, content, message
):
    folder = hf_folder.write(golden, tmp_path / "hf")
    (folder / CONFIG).write_text(content)
    assert_refused(folder, tmp_path / "out", message)


def test_a_special_token_that_the_vocabulary_lacks_is_null(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    vocab = tmp_path / "run/vocab.txt"
    vocab.write_text(vocab.read_text().replace("[MASK]", "[x]"))
    out = convert(tmp_path / "run", tmp_path / "hf")
    values = json.loads((out / CONFIG).read_text())
    assert values["mask_token"] is None
    assert values["cls_token"] == "[CLS]"


@pytest.mark.parametrize("token", ["[UNK]", "[CLS]", "[SEP]"])
def test_a_vocabulary_without_what_bert_needs_is_refused(token):
    tokens = {"[UNK]", "[CLS]", "[SEP]", "[PAD]"} - {token}
    with pytest.raises(UserError, match=rf"lacks \[{token[1:-1]}\]; name"):
        tokenizer_files.settings_to_write(sorted(tokens), True, 512)


def test_the_vocabulary_is_written_as_it_is_read_here(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    vocab = tmp_path / "run/vocab.txt"
    text = vocab.read_text()
    vocab.write_bytes(text.replace("\n", " \r\n").encode())
    out = convert(tmp_path / "run", tmp_path / "hf")
    assert (out / "vocab.txt").read_bytes() == text.encode()

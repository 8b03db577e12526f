import gzip
import importlib.util
import json
from pathlib import Path

import pytest

from bert.data.text import gpt_tokenizer
from bert.data.text.gpt_tokenizer import GptTokenizer
from bert.errors import UserError

SHARED = Path(__file__).parents[3] / "../shared/golden/gpt"
NAMES = ("encoder_bpe_40000.json", "vocab_40000.bpe")


needs_extras = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("ftfy", "spacy"))),
    reason="needs ftfy and spaCy: see requirements-gpt.txt",
)


@pytest.fixture(scope="module")
def strings(golden):
    return json.loads((golden / "gpt/strings.json").read_text())


@pytest.fixture(scope="module")
def small(golden):
    return GptTokenizer(golden / "gpt/model" / NAMES[0])


@needs_extras
def test_words_and_ids_of_hard_strings_are_the_originals(small, strings):
    assert len(strings) == 60
    for row in strings:
        assert small.words(row["text"]) == row["words"]
        assert small.encode(row["text"]) == row["small_ids"]
        tokens = small.tokenize(row["text"])
        assert small.convert_tokens_to_ids(tokens) == row["small_ids"]


@needs_extras
def test_with_the_published_merges_ids_are_the_originals(strings, tmp_path):
    if not SHARED.exists():
        pytest.skip("needs ../shared/golden/gpt: OpenAI's vocabulary")
    for name in NAMES:
        packed = (SHARED / f"{name}.gz").read_bytes()
        (tmp_path / name).write_bytes(gzip.decompress(packed))
    tokenizer = GptTokenizer(tmp_path / NAMES[0])
    for row in strings:
        assert tokenizer.encode(row["text"]) == row["ids"]
    assert tokenizer.vocab["_start_"] == 40478


def test_marks_and_spaces_are_made_plain():
    text = "a—b…  ´c´\t(d)\r\n \n++e\\f"
    assert gpt_tokenizer.standardize(text) == ("a - b... 'c' ( d ) \n ++ e\\f")


@needs_extras
def test_special_tokens_follow_the_pieces(small):
    names = gpt_tokenizer.SPECIAL_TOKENS
    assert names == ("_start_", "_delimiter_", "_classify_", "_mask_")
    assert small.convert_tokens_to_ids(names) == [213, 214, 215, 216]
    assert small.convert_ids_to_tokens([0, 213]) == ["<unk>", "_start_"]
    # In a text they are words.
    assert 213 not in small.encode("_start_")


@needs_extras
def test_words_are_encoded_one_by_one(small):
    found = small.encode_words(["river", "", "the boat"])
    assert found == [tuple(small.encode(w)) for w in ("river", "", "the boat")]
    assert found[1] == ()


@needs_extras
def test_what_it_cannot_do_is_one_line(small, golden):
    with pytest.raises(UserError, match=r"not known where they stand"):
        small.encode_with_offsets("river")
    path = golden / "gpt/model" / NAMES[0]
    with pytest.raises(UserError, match=r"lower-cased text alone\. .*=False"):
        GptTokenizer(path, do_lower_case=False)


@pytest.mark.parametrize("name", ["ftfy", "spacy"])
def test_a_missing_package_is_one_line(golden, name, monkeypatch):
    monkeypatch.setattr(
        gpt_tokenizer.importlib.util,
        "find_spec",
        lambda module: None if module == name else module,
    )
    message = rf"package {name}, .*-r requirements-gpt\.txt\.$"
    with pytest.raises(UserError, match=message):
        GptTokenizer(golden / "gpt/model" / NAMES[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected a JSON object"),
        ("3", "expected a JSON object"),
        ('{"<unk>": 0, "a": 2}', "other values"),
        ('{"<unk>": 0, "a": "1"}', "other values"),
        ('{"a": 0}', "none for <unk>"),
    ],
)
def test_a_vocabulary_that_is_none_is_one_line(tmp_path, text, message):
    path = tmp_path / NAMES[0]
    path.write_text(text)
    with pytest.raises(UserError, match=message) as raised:
        gpt_tokenizer.load_vocab(path)
    assert NAMES[0] in str(raised.value)

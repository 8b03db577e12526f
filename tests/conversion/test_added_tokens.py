import json

import pytest

from bert.conversion import added_tokens
from bert.errors import UserError

PIECES = ["[PAD]", "[UNK]", "[CLS]", "", "a"]


def write(folder, *tokens, name="tokenizer.json"):
    values = {
        "tokenizer.json": {"added_tokens": list(tokens)},
        "tokenizer_config.json": {
            "added_tokens_decoder": {
                str(t["id"]): t for t in tokens if isinstance(t, dict)
            }
        },
        "added_tokens.json": {
            t["content"]: t["id"] for t in tokens if isinstance(t, dict)
        },
    }
    (folder / name).write_text(json.dumps(values[name]))


def token(index, text, **values):
    return {"id": index, "content": text, **values}


def merge(folder, vocab_size=9, do_lower_case=True):
    return added_tokens.merge(PIECES, str(folder), vocab_size, do_lower_case)


def test_without_added_tokens_nothing_changes(tmp_path):
    assert merge(tmp_path) == PIECES
    write(tmp_path, token(0, "[PAD]"), token(4, "a"))
    assert merge(tmp_path) == PIECES


@pytest.mark.parametrize(
    "name",
    ["tokenizer.json", "tokenizer_config.json", "added_tokens.json"],
)
def test_whole_words_go_into_the_vocabulary(tmp_path, caplog, name):
    write(tmp_path, token(5, "covid"), token(3, "[SEP]"), name=name)
    assert merge(tmp_path) == [*PIECES[:3], "[SEP]", "a", "covid"]
    assert "no longer found inside of longer words: 'covid' (5)" in caplog.text
    assert "[SEP]" not in caplog.text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<url>", "<url>"),
        ("two words", ""),
        ("##ing", ""),
        (" a", ""),
        ("x" * 201, "x" * 201),
    ],
)
def test_what_is_no_word_here_keeps_its_row_and_is_named(
    tmp_path, caplog, text, line
):
    write(tmp_path, token(6, text))
    assert merge(tmp_path) == [*PIECES, "", line]
    assert "ids differ where they stand" in caplog.text
    assert "(6)" in caplog.text


@pytest.mark.parametrize(
    ("normalized", "do_lower_case", "line", "is_named"),
    [
        (True, True, "covid", False),
        (False, True, "Covid", True),
        (True, False, "Covid", False),
    ],
)
def test_a_capital_letter_is_found_in_the_text_as_it_is_read(
    tmp_path, caplog, normalized, do_lower_case, line, is_named
):
    one = token(5, "Covid", normalized=normalized, single_word=True)
    write(tmp_path, one)
    assert merge(tmp_path, do_lower_case=do_lower_case)[5] == line
    assert ("'Covid' (5)" in caplog.text) == is_named


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (token(9, "z"), "the id 9, and the word table 9 rows"),
        (token(-1, "z"), "the id -1, and the word table"),
        (token(4, "z"), "the id 4 of another piece, 'a'"),
        (token("5", "z"), "each with an id and a text. Received: {'id': '5'"),
        (token(5, None), "each with an id and a text"),
        ("covid", "must be a list of objects"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, wrong, message):
    write(tmp_path, wrong)
    with pytest.raises(UserError, match=message):
        merge(tmp_path)

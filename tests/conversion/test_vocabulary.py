import json

import pytest

from tests.conversion import hf_folder
from tests.conversion.hf_folder import assert_refused, convert, put, remove


def write_tokenizer(folder, **changes):
    """Puts tokenizer.json in the place of vocab.txt."""
    pieces = (folder / "vocab.txt").read_text().splitlines()
    (folder / "vocab.txt").unlink()
    model = {
        "type": "WordPiece",
        "continuing_subword_prefix": "##",
        "vocab": {piece: index for index, piece in enumerate(pieces)},
    }
    (folder / "tokenizer.json").write_text(
        json.dumps({"model": model | changes})
    )


def test_tokenizer_json_gives_the_vocabulary(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    write_tokenizer(folder)
    out = convert(folder)
    assert (out / "vocab.txt").read_bytes() == (
        golden / "inputs/vocab.txt"
    ).read_bytes()


def test_a_word_table_with_spare_rows_is_warned_of(golden, tmp_path, caplog):
    folder = hf_folder.write(golden, tmp_path / "hf")
    (folder / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")
    convert(folder)
    assert "has 3 tokens, the word table 391 rows" in caplog.text


def test_a_gap_and_a_piece_with_white_space_are_empty_lines(
    golden, tmp_path, caplog
):
    caplog.set_level("INFO", logger="absl")
    folder = hf_folder.write(golden, tmp_path / "hf")
    vocab = {"[UNK]": 0, "\u2028": 1, "a b": 2, "##\xa0": 4, "b": 5}
    write_tokenizer(folder, vocab=vocab)
    out = convert(folder)
    assert (out / "vocab.txt").read_text() == "[UNK]\n\n\n\n\nb\n"
    assert "4 ids have no piece, or one with white space" in caplog.text


def tokenizer_of(**changes):
    return lambda folder: write_tokenizer(folder, **changes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove("vocab.txt"), "Expected vocab.txt or tokenizer.json in"),
        (put("vocab.txt", b"a\n\xff\n"), "vocab.txt, line 2: expected UTF-8"),
        (put("vocab.txt", b""), "at least one. Received: 0"),
        (put("vocab.txt", b"a\n" * 392), "vocab.txt must have at most as many"),
        (tokenizer_of(type="BPE"), "tokenizer.json must hold a WordPiece"),
        (tokenizer_of(vocab={"a": 0, "b": 0}), "from 0, each with a number"),
        (tokenizer_of(vocab={"a": -1}), "from 0, each with a number of its"),
        (tokenizer_of(vocab={"a": [0]}), "from 0, each with a number of its"),
        (tokenizer_of(vocab={"a": 10**12}), "at least one. Received: 10000000"),
        (tokenizer_of(vocab={"\ud800": 0}), "UTF-8. Received: '\\ud800'"),
    ],
)
def test_a_vocabulary_that_is_missing_or_wrong_is_named(
    golden, tmp_path, spoil, message
):
    folder = hf_folder.write(golden, tmp_path / "hf")
    spoil(folder)
    assert_refused(folder, tmp_path / "out", message)

"""Sizes by name and by number, and what is refused."""

import logging

import pytest

from bert.errors import UserError
from bert.modeling.config import read_config
from bert.tools import make_config as script
from tests.scripts.runner import config_of


@pytest.fixture
def vocab(tmp_path):
    path = tmp_path / "vocab.txt"
    special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"
    pieces = "".join(f"piece{number}\n" for number in range(30517))
    path.write_text(special + pieces)
    return path


def make(vocab, out, *args):
    flags = (f"--vocab_file={vocab}", f"--output_file={out}", *args)
    script.make_config(config_of(script, *flags))


@pytest.mark.parametrize(
    ("size", "layers", "units", "heads", "parameters"),
    [
        # Turc et al. 2019 say 4.4 and 110.1 million without these heads.
        ("tiny", 2, 128, 2, "4,433,468"),
        ("base", 12, 768, 12, "110,106,428"),
        ("6x384", 6, 384, 6, "22,893,116"),
    ],
)
def test_sizes(vocab, tmp_path, caplog, size, layers, units, heads, parameters):
    caplog.set_level(logging.INFO)
    out = tmp_path / "config.json"
    make(vocab, out, f"--size={size}")
    config = read_config(str(out))
    assert config.vocab_size == 30522
    assert (config.num_hidden_layers, config.hidden_size) == (layers, units)
    assert config.num_attention_heads == heads
    assert config.intermediate_size == 4 * units
    assert config.type_vocab_size == 2
    assert f"{parameters} parameters" in caplog.text
    assert "GiB" in caplog.text


@pytest.mark.parametrize(
    ("encoder_type", "parameters"),
    [
        ("bert", "4,433,468"),
        # 4.5 and 6 times 128 * 128 a block, not 12; and its biases.
        ("textcnn", "4,185,404"),
        ("bilstm", "4,235,068"),
    ],
)
def test_sizes_of_another_encoder(
    vocab, tmp_path, caplog, encoder_type, parameters
):
    caplog.set_level(logging.INFO)
    out = tmp_path / "config.json"
    make(vocab, out, "--size=tiny", f"--encoder_type={encoder_type}")
    assert read_config(str(out)).encoder_type == encoder_type
    assert f"{parameters} parameters" in caplog.text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--size=huge"], "--size must be one of tiny"),
        (["--size=2x100"], "multiple of 64"),
        (["--size=0x128"], "--size must be"),
        (["--size=2x0"], "--size must be"),
        (["--size=9999999x128"], "is too large"),
        (["--vocab_file=no.txt"], "cannot read no.txt"),
        (["--vocab_file=empty.txt"], "Received: an empty file"),
        (["--output_file=no/c.json"], "a folder that does not exist"),
        (["--output_file=empty.txt"], "is there already"),
        (["--output_file=vocab.txt"], "is also an input"),
        (["--output_file=vocab.txt", "--overwrite"], "is also an input"),
        (["--max_position_embeddings=64"], "--max_seq_length must be at most"),
    ],
)
def test_what_is_refused(vocab, tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    before = vocab.read_bytes()
    with pytest.raises(UserError, match=message):
        make("vocab.txt", "new.json", "--size=tiny", *flags)
    assert not (tmp_path / "new.json").exists()
    assert vocab.read_bytes() == before


def test_what_is_no_vocabulary_is_refused(tmp_path):
    path, out = tmp_path / "text.txt", tmp_path / "config.json"
    path.write_text("[UNK]\n[CLS]\n[SEP]\na\n")
    with pytest.raises(UserError, match=r"\[MASK\] not found in its 4 tokens"):
        make(path, out, "--size=tiny")
    assert not out.exists()

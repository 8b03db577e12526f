"""C11: what can be read once is kept; what never ends is no input."""

import contextlib
import gzip
import os
import stat

import pytest

from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given


@contextlib.contextmanager
def piped(path):
    """Gives the name of a pipe that a file is in, as `<(cat file)` does."""
    read, write = os.pipe()
    with open(write, "wb") as file:  # short enough for a pipe to hold
        file.write(path.read_bytes())
    try:
        yield f"/dev/fd/{read}"
    finally:
        os.close(read)


def test_a_model_is_kept_of_pipes(golden, tag, tmp_path):
    """The copies were empty, and the model of no use."""
    vocabulary = golden / "inputs/vocab.txt"
    config = golden / "model_base/bert_config.json"
    with piped(vocabulary) as words, piped(config) as sizes:
        tag(f"--vocab_file={words}", f"--bert_config_file={sizes}")
        assert stat.S_ISFIFO(os.stat(words).st_mode)
    out = tmp_path / "out"
    assert (out / "vocab.txt").read_bytes() == vocabulary.read_bytes()
    assert (out / "bert_config.json").read_bytes() == config.read_bytes()
    model_files.check(model_files.find(str(out), Given()))


def test_the_copy_of_a_packed_vocabulary_is_plain(golden, tag, tmp_path):
    vocabulary = (golden / "inputs/vocab.txt").read_bytes()
    (tmp_path / "vocab.gz").write_bytes(gzip.compress(vocabulary))
    for _ in range(2):  # and it is the same when the run goes on
        tag(f"--vocab_file={tmp_path / 'vocab.gz'}")
    assert (tmp_path / "out/vocab.txt").read_bytes() == vocabulary


@pytest.mark.parametrize(
    "flag", ["vocab_file", "bert_config_file", "train_file"]
)
@pytest.mark.parametrize("device", ["/dev/full", "/dev/zero"])
def test_a_device_is_refused(tag, tmp_path, flag, device):
    """It gave bytes for ever."""
    with pytest.raises(UserError, match=f"{device}.*neither a file nor a"):
        tag(f"--{flag}={device}")
    assert not (tmp_path / "out").exists()

"""B7: text that is packed, or none, or not a sentence a line."""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import zipfile

import numpy as np
import pytest

from bert import create_pretraining_data, extract_features, predict
from bert.data.tables import conll, json_node, rows
from bert.data.text.tokenization import load_vocab
from bert.errors import UserError
from bert.modeling import BertConfig
from bert.serving import line_service
from bert.tasks.features import features_text
from tests.scripts.runner import config_of

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d"]


def text(num_documents=30, num_lines=4, num_words=6):
    rng = random.Random(1)
    return "\n".join(
        "".join(
            " ".join(rng.choices("abcd", k=num_words)) + "\n"
            for _ in range(num_lines)
        )
        for _ in range(num_documents)
    )


@pytest.fixture
def folder(tmp_path):
    """Holds a vocabulary and a text of 30 documents."""
    (tmp_path / "vocab.txt").write_text("".join(f"{t}\n" for t in VOCAB))
    (tmp_path / "text.txt").write_text(text())
    return tmp_path


def create(folder, *args, output="out", name="text.txt"):
    """Makes records; returns the bytes of each file of them."""
    config = config_of(
        create_pretraining_data,
        f"--input_file={folder / name}",
        f"--output_file={folder / output}",
        f"--vocab_file={folder / 'vocab.txt'}",
        "--max_seq_length=24",
        "--dupe_factor=2",
        *args,
    )
    create_pretraining_data.create_pretraining_data(config)
    return [
        path.read_bytes()
        for path in sorted(folder.glob(f"{output}*"))
        if not path.name.endswith(".json")
    ]


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("mode", [[], ["--num_workers=1"]])
def test_packed_text_gives_the_records_of_plain_text(folder, ending, mode):
    plain = create(folder, *mode)
    packed = PACK[ending]((folder / "text.txt").read_bytes())
    # The first bytes tell, not the name.
    (folder / "packed").write_bytes(packed)
    assert create(folder, *mode, output="other", name="packed") == plain
    assert plain
    assert not list(folder.glob(".tmp-bert-*"))


def test_packed_and_plain_files_stream_together(folder):
    """In several processes, and again: all is there already."""
    (folder / "part").mkdir()
    for number in range(3):
        data = text(9 + number).encode()
        (folder / f"text{number}").write_bytes(data)
        packed = gzip.compress(data) if number != 1 else data
        (folder / f"part/text{number}").write_bytes(packed)
    plain = create(folder, "--num_workers=2", name="text[012]")
    for _ in range(2):
        packed = create(
            folder, "--num_workers=2", output="other", name="part/text?"
        )
        assert packed == plain
    manifest = json.loads((folder / "other.manifest.json").read_text())
    assert manifest["input_file"][0][0] == str(folder / "part/text0")
    (folder / "part/text0").write_bytes(gzip.compress(b"a b\nc\n"))
    with pytest.raises(UserError, match="made with another input_file"):
        create(folder, "--num_workers=2", output="other", name="part/text?")


def test_a_line_that_is_too_long_is_placed_in_the_packed_file(folder):
    (folder / "text.gz").write_bytes(gzip.compress(b"a\n\n" + b"b " * 2**19))
    with pytest.raises(UserError, match=r"text\.gz, byte 3: expected a sent"):
        create(folder, "--num_workers=1", name="text.gz")
    assert not list(folder.glob("*out*"))


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("text", data)
    return out.getvalue()


BAD = {
    "zip": (zipped, "a zip archive"),
    "zstd": (lambda data: b"\x28\xb5\x2f\xfd\x04" + data, "zstd"),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without its mark": (
        lambda data: data.decode().encode("utf-16-le"),
        "binary data",
    ),
    "numbers": (lambda data: np.arange(99, dtype="<i8").tobytes(), "binary"),
    "cut off": (lambda data: gzip.compress(data)[:-9], "cut off or damaged"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("mode", [[], ["--num_workers=1"]])
def test_what_is_no_text_makes_no_records(folder, kind, mode):
    spoil, message = BAD[kind]
    (folder / "text.txt").write_bytes(spoil((folder / "text.txt").read_bytes()))
    with pytest.raises(UserError, match=message) as raised:
        create(folder, *mode)
    assert f"{folder}/text.txt" in str(raised.value)
    assert {path.name for path in folder.iterdir()} == {"text.txt", "vocab.txt"}


CONFIG = json.dumps({"vocab_size": 9, "hidden_size": 12})
# Each way to read text, and what it gives of a file.
READERS = {
    "table": ("x\ty\n", rows.read_rows),
    "CoNLL": (
        "x O\n",
        lambda path: (
            conll.read_conll(
                path, conll.Columns(0, 1), needs_labels=True
            ).sentences
        ),
    ),
    "JSON": ('{"x": 1}', lambda path: json_node.read(path).value),
    "vocabulary": ("x\n", load_vocab),
    "configuration": (
        CONFIG,
        lambda path: BertConfig.from_json_file(path).to_dict(),
    ),
    "lines": ("x\ny\n", lambda path: lines_of(path)),
}


def lines_of(path):
    """Returns the lines that extract_features.py reads."""
    with features_text.open_lines(path, "flag") as lines:
        return list(lines)


def answered(path):
    """Returns what predict.py and fill_mask.py are asked."""
    out = io.BytesIO()
    service = line_service.Service(lambda place: place.content, list, 9, 1)
    with line_service.open_input(path) as source:
        line_service.serve(source, service, out)
    return out.getvalue()


@pytest.mark.parametrize("name", [*READERS, "requests"])
@pytest.mark.parametrize("ending", PACK)
def test_every_reader_of_text_unpacks(tmp_path, name, ending):
    path = tmp_path / "file"
    content, read = READERS.get(name, ("x\ny\n", answered))
    path.write_text(content)
    expected = read(str(path))
    path.write_bytes(PACK[ending](content.encode()))
    assert read(str(path)) == expected


@pytest.mark.parametrize("name", [*READERS, "requests"])
@pytest.mark.parametrize("kind", BAD)
def test_every_reader_of_text_refuses_what_is_none(tmp_path, name, kind):
    path = tmp_path / "file"
    spoil, message = BAD[kind]
    path.write_bytes(spoil(text().encode()))
    _, read = READERS.get(name, ("", answered))
    with pytest.raises(UserError, match=message) as raised:
        read(str(path))
    assert str(path) in str(raised.value)
    assert len(str(raised.value)) - len(str(path)) < 300


def test_a_packed_pipe_of_requests_is_answered(monkeypatch):
    read, write = os.pipe()
    with open(write, "wb") as file:
        file.write(gzip.compress(b"x\ny\n"))
    with open(read, "rb") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert answered(None) == b'"x"\n"y"\n'


@pytest.mark.parametrize(
    ("name", "is_jsonl"),
    [("a.jsonl", True), ("a.jsonl.gz", True), ("a.txt.xz", False)],
)
def test_the_format_of_requests_is_that_of_what_is_packed(name, is_jsonl):
    config = config_of(predict, "--model_dir=x", f"--input_file={name}")
    assert config.is_jsonl == is_jsonl


def test_features_refuse_a_spreadsheet(folder, golden):
    """What left 0 lines of text, or garbage: bytes that are no UTF-8."""
    (folder / "text.txt").write_bytes(zipped(b"a b\n"))
    config = config_of(
        extract_features,
        f"--input_file={folder / 'text.txt'}",
        f"--output_file={folder / 'out'}",
        f"--vocab_file={golden / 'inputs/vocab.txt'}",
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        f"--init_checkpoint={golden / 'model_base'}",
        "--max_seq_length=24",
        "--layers=-1",
    )
    with pytest.raises(UserError, match="a zip archive"):
        extract_features.extract_features(config)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("mode", [[], ["--num_workers=1"]])
def test_documents_of_one_line_are_warned_of(folder, mode, caplog):
    (folder / "text.txt").write_text(text(300, num_lines=1))
    create(folder, *mode)
    assert "300 of 300 documents are one line" in caplog.text


@pytest.mark.parametrize("mode", [[], ["--num_workers=1"]])
def test_lines_that_are_mostly_lost_are_warned_of(folder, mode, caplog):
    (folder / "text.txt").write_text(text(5, num_lines=3, num_words=200))
    create(folder, *mode)
    assert "15 of 15 lines are longer than --max_seq_length=24" in caplog.text
    assert "2685 of their 3000 word pieces (89 %) are cut off" in caplog.text


@pytest.mark.parametrize("mode", [[], ["--num_workers=1"]])
def test_a_sentence_a_line_is_not_warned_of(folder, mode, caplog):
    create(folder, *mode)
    assert not [r for r in caplog.records if r.levelname == "WARNING"]

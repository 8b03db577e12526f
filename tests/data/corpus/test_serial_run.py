import contextlib

import pytest

from bert.data.corpus import serial_run
from bert.data.corpus.instance_settings import Vocabulary
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import record_bytes
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from tests.data.corpus.test_instance_settings import make_settings

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]


@contextlib.contextmanager
def progress(total, what):
    shown = type("Shown", (), {"total": total, "done": 0})()
    shown.update = lambda count: setattr(shown, "done", shown.done + count)
    yield shown
    assert shown.done == shown.total, what


def test_text_becomes_records_and_all_of_it_is_counted(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(VOCAB))
    tokenizer = FullTokenizer(tmp_path / "vocab.txt")
    text = tmp_path / "text.txt"
    text.write_text("a b\nb\n\na\n")
    documents = serial_run.read([str(text)], tokenizer, progress)
    assert list(documents.ids) == [5, 6, 6, 5]

    settings = make_settings(dupe_factor=2)
    fields = pretraining_fields(16, 4)
    vocabulary = Vocabulary.from_vocab(tokenizer.vocab)
    frames = [
        serial_run.records(
            documents, fields, settings, vocabulary, seed, progress
        )
        for seed in (1, 1, 2)
    ]
    assert frames[0] == frames[1] != frames[2]
    for frame in frames[0]:
        values = record_bytes.values(fields, record_bytes.record_of(frame))
        assert values["input_ids"][0] == 2
        assert sum(values["masked_lm_weights"]) == 1

    text.write_text("\n")
    with pytest.raises(UserError, match="without a line that holds a token"):
        serial_run.read([str(text)], tokenizer, progress)

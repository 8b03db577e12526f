import pytest

from bert.data.records import fields as record_fields
from bert.errors import UserError
from bert.serving import eval_batches
from tests.conversion import exports
from tests.tasks import models


def classifier_file(path, labels, kind="classification", num_labels=1):
    fields = record_fields.classification_fields(
        16, kind=kind, num_labels=num_labels
    )
    exports.write_records(path, fields, exports.classifier_rows(40, 16, labels))
    return [str(path)]


def read(files, name, **changes):
    return eval_batches.read(files, models.make(name, **changes))


def test_all_rows_come_longest_first_and_cut(tmp_path):
    batches = read(classifier_file(tmp_path / "r", [0, 1, 2]), "classification")
    assert [len(batch["label_ids"]) for batch in batches] == [32, 8]
    lengths = [batch["input_mask"].sum(axis=1) for batch in batches]
    assert lengths[0].min() >= lengths[1].max()
    assert batches[1]["input_ids"].shape[1] == lengths[1].max()
    rows = sorted(row for batch in batches for row in batch["row"])
    assert rows == list(range(40))


def test_labels_are_read_as_their_kind_has_them(tmp_path):
    files = classifier_file(tmp_path / "r", [1.5, -2.0], "regression")
    assert read(files, "regression")[0]["label_ids"].dtype == "float32"
    files = classifier_file(tmp_path / "m", [[0, 1]], "multi_label", 2)
    batches = read(files, "multi_label")
    assert batches[0]["label_ids"][0].tolist() == [0, 1]


@pytest.mark.parametrize("name", ["squad", "features", "pretraining"])
def test_tasks_without_labels_take_any_ids(tmp_path, name):
    files = classifier_file(tmp_path / "r", [9])
    batches = read(files, name)
    assert set(batches[0]) == {"input_ids", "input_mask", "segment_ids", "row"}


def test_records_of_another_model_are_refused(tmp_path):
    files = classifier_file(tmp_path / "r", [0, 3])
    with pytest.raises(UserError, match=r"record 2: label_ids must be .* 2\."):
        read(files, "classification")
    with pytest.raises(UserError, match=r"label_ids must be 16 int64"):
        read(files, "ner")
    with pytest.raises(UserError, match=r"input_ids must be from 0 to 99"):
        read(files, "features", vocab_size=100)
    with pytest.raises(UserError, match=r"at most 15 tokens.* Received: 16"):
        read(files, "features", max_position_embeddings=15)


@pytest.mark.parametrize("content", [b"", b"text\n", b"\0" * 40])
def test_files_without_records_are_refused(tmp_path, content):
    path = tmp_path / "r"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"(?:without any|no TFRecord file)"):
        read([str(path)], "classification")

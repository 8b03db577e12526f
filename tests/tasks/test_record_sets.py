import pytest

from bert.data.records import packing, record_files
from bert.data.records.fields import Field, sequence_fields
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.modeling import BertConfig
from bert.tasks import record_sets
from bert.tasks.record_sets import RecordSet

FIELDS = (*sequence_fields(16), Field("label_ids", 1))


@pytest.fixture
def tokenizer(golden):
    return FullTokenizer(golden / "inputs/vocab.txt")


def write_records(folder, tokenizer, made_from, num_logged=0, records_dir=None):
    """Writes three records, and returns the path and how many were made."""
    made = []

    def features():
        for number in range(3):
            made.append(number)
            ids = packing.Packed([number], 1)
            yield {**packing.pad(ids, 16), "label_ids": [0]}

    records = RecordSet(
        file="x.tf_record",
        fields=FIELDS,
        features=features,
        inputs=lambda: [made_from],
        num_logged=num_logged,
    )
    file = record_sets.write(records, str(folder), tokenizer, records_dir)
    assert file.lengths == [1, 1, 1]
    return file.path, len(made)


def test_records_are_made_again_only_where_they_would_differ(
    tmp_path, tokenizer, caplog
):
    caplog.set_level("INFO", logger="absl")
    path, num_made = write_records(tmp_path, tokenizer, "a")
    assert num_made == 3
    assert f"Wrote records to {path}" in caplog.text
    written = (tmp_path / "x.tf_record").stat().st_mtime_ns
    assert write_records(tmp_path, tokenizer, "a", num_logged=2) == (path, 2)
    assert (tmp_path / "x.tf_record").stat().st_mtime_ns == written
    assert f"The records in {path} are used again" in caplog.text
    assert write_records(tmp_path, tokenizer, "b") == (path, 3)
    assert write_records(tmp_path, tokenizer, "b") == (path, 0)
    (tmp_path / "x.tf_record").write_bytes(b"damaged")
    assert write_records(tmp_path, tokenizer, "b") == (path, 3)


def test_runs_share_the_records_of_a_folder(tmp_path, tokenizer):
    shared = str(tmp_path / "shared/records")
    of_a, num_made = write_records(
        tmp_path / "1", tokenizer, "a", records_dir=shared
    )
    assert num_made == 3
    of_b, num_made = write_records(
        tmp_path / "2", tokenizer, "b", records_dir=shared
    )
    assert num_made == 3
    assert of_a != of_b
    for key, path in (("a", of_a), ("b", of_b), ("a", of_a)):
        folder = tmp_path / "3"  # another run
        found = write_records(folder, tokenizer, key, records_dir=shared)
        assert found == (path, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


def test_a_worker_writes_nothing_to_output_dir(
    tmp_path, tokenizer, monkeypatch
):
    from bert.training import strategy

    monkeypatch.setattr(strategy, "is_chief", lambda: False)
    own, num_made = write_records(tmp_path, tokenizer, "a")
    assert num_made == 3
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    path, _ = write_records(tmp_path, tokenizer, "a")
    with open(own, "rb") as mine, open(path, "rb") as chiefs:
        assert mine.read() == chiefs.read()
    monkeypatch.setattr(strategy, "is_chief", lambda: False)
    assert write_records(tmp_path, tokenizer, "a") == (path, 0)


def test_ids_are_bounded_by_the_models_sizes(tmp_path, tokenizer):
    path, _ = write_records(tmp_path, tokenizer, "a")
    config = BertConfig(vocab_size=3, type_vocab_size=1)
    source = record_sets.source(config, [path], FIELDS, {"label_ids": 1})
    record_files.check_records(source)
    bad = record_sets.source(config, [path], FIELDS, {"label_ids": 0})
    with pytest.raises(UserError, match="label_ids must be from 0 to -1"):
        record_files.check_records(bad)
    explained = record_sets.unreadable(bad).explain(ValueError("x"))
    assert "x.tf_record, record 1" in str(explained)

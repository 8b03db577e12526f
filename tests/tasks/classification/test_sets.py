from typing import ClassVar

import pytest

from bert.errors import UserError
from bert.tasks.classification import kinds, sets
from bert.tasks.classification.processors import (
    DataProcessor,
    FileProcessor,
    InputExample,
    MnliProcessor,
)


class Other(FileProcessor):
    files: ClassVar = {"dev": "other.tsv", "test": "none.tsv"}

    def _create_examples(self, lines, set_type):
        return [InputExample("other", row[0], label="b") for row in lines]


class Mine(DataProcessor):
    also: ClassVar = {"other": Other}

    def get_train_examples(self, data_dir):
        return [
            InputExample("1", "x", label="a"),
            InputExample("2", "y", "z", label="b"),
        ]

    def get_dev_examples(self, data_dir):
        return [InputExample("3", "x", label="a")]

    def get_test_examples(self, data_dir):
        return []

    def get_labels(self):
        return ["a", "b"]


def read(folder, *needed):
    return sets.read(Mine(), str(folder), needed)[0]


def test_reads_what_is_asked_for(tmp_path):
    found = read(tmp_path, "train")
    assert list(found) == ["train"]
    assert list(found["train"]) == [""]
    assert [e.guid for e in found["train"][""]] == ["1", "2"]


def test_other_sets_are_read_where_their_files_are(tmp_path):
    assert list(read(tmp_path, "dev")["dev"]) == [""]
    (tmp_path / "other.tsv").write_text("text\n")
    found = read(tmp_path, "dev")["dev"]
    assert {k: [e.guid for e in v] for k, v in found.items()} == {
        "": ["3"],
        "other": ["other"],
    }


def test_another_set_that_is_broken_is_left_out(tmp_path, caplog):
    (tmp_path / "other.tsv").write_bytes(b"a\xff\n")

    assert list(read(tmp_path, "dev")["dev"]) == [""]
    assert "The other set is left out: " in caplog.text
    assert "other.tsv, line 1: expected text in UTF-8" in caplog.text


def test_what_a_task_may_lack_is_said_later(tmp_path):
    class NoTest(Mine):
        get_test_examples = DataProcessor.get_test_examples

    found, lacking = sets.read(
        NoTest(), str(tmp_path), ["dev", "test"], may_lack=["test"]
    )
    assert list(found) == ["dev"]
    assert "no test set (NoTest)" in str(lacking["test"])


def test_labels_may_be_whole_numbers():
    class Numbered(Mine):
        def get_labels(self):
            return [0, 1]

    names = sets.label_names(Numbered())
    kind = kinds.find("classification")
    examples = [InputExample("1", "x", label=1), InputExample("2", "x")]
    assert names == ["0", "1"]
    assert sets.label_ids(examples, kind, names, 5) == [[1], [0]]


def test_a_set_that_is_empty_or_missing_is_named(tmp_path):
    with pytest.raises(
        UserError, match=r"--do_predict. Received: none from Mi"
    ):
        read(tmp_path, "test")
    with pytest.raises(UserError, match=r"no train set \(DataProcessor\)"):
        sets.read(DataProcessor(), "", ["train"])


def label_ids(examples, kind="classification", length=5):
    return sets.label_ids(examples, kinds.find(kind), ["a", "b"], length)


def test_pairs_need_room(tmp_path):
    label_ids(read(tmp_path, "dev")["dev"][""], length=3)
    pairs = read(tmp_path, "train")["train"][""]
    assert label_ids(pairs, length=5) == [[0], [1]]
    with pytest.raises(UserError, match=r"at least 5 for pairs .*Received: 4"):
        label_ids(pairs, length=4)


def test_pairs_are_refused_where_texts_are_single(tmp_path):
    own = kinds.find("classification")
    single = read(tmp_path, "dev")["dev"][""]
    pairs = read(tmp_path, "train")["train"][""]
    sets.label_ids(single, own, ["a", "b"], 5, takes_pairs=False)
    with pytest.raises(UserError, match="--truncation is for single texts"):
        sets.label_ids(pairs, own, ["a", "b"], 5, takes_pairs=False)


def test_a_label_that_the_task_lacks_is_found():
    bad = [InputExample("no-1", "x", label="c")]
    with pytest.raises(UserError, match=r"Example no-1: .*Received: 'c'"):
        label_ids(bad)
    with pytest.raises(UserError, match=r"Example no-1: expected a number"):
        label_ids(bad, "regression")


def test_weights_come_from_the_training_set(tmp_path):
    train = read(tmp_path, "train")["train"][""]
    weigh = sets.label_weights
    assert weigh(Mine(), ["a", "b"], "balanced", train) == [1.0, 1.0]
    assert weigh(Mine(), ["a", "b"], "balanced", []) is None
    assert weigh(Mine(), ["a", "b"], None, train) is None


def test_numbers_have_no_labels_and_no_weights():
    class Numbers(Mine):
        kind = "regression"

    assert sets.label_names(Numbers()) == []
    examples = [InputExample("1", "x", label=1.0)]
    with pytest.raises(UserError, match="--class_weights is for labels"):
        sets.label_weights(Numbers(), [], "balanced", examples)


def test_mnlis_other_sets_are_the_mismatched_ones():
    (other,) = MnliProcessor.also.values()
    assert other.files["dev"] == "dev_mismatched.tsv"
    assert (MnliProcessor.glue_name, other.glue_name) == ("MNLI-m", "MNLI-mm")

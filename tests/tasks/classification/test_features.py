import logging as python_logging

import pytest
import tensorflow as tf

from bert import run_classifier
from bert.data.records import record_bytes
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.classification import features, kinds
from bert.tasks.classification import sets as classification_sets
from bert.tasks.classification.processors import InputExample


@pytest.fixture(scope="module")
def tokenizer(golden):
    return FullTokenizer(golden / "inputs/vocab.txt")


def only(example, tokenizer, length=10):
    ids = [[int(example.label)]]
    (found,) = features.featurize([example], ids, length, tokenizer)
    return found


def tokens(found, tokenizer):
    return " ".join(
        tokenizer.inv_vocab[i]
        for i, real in zip(found["input_ids"], found["input_mask"], strict=True)
        if real
    )


def test_a_pair_loses_the_end_of_the_longer_text(tokenizer):
    example = InputExample("a", "the tree vote was taken", "no tree vote", "1")
    found = only(example, tokenizer, 9)
    assert tokens(found, tokenizer) == (
        "[CLS] the tree vote [SEP] no tree vote [SEP]"
    )
    assert found["segment_ids"] == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert found["label_ids"] == [1]
    assert found["is_real_example"] == [1]


@pytest.mark.parametrize("text_b", [None, "", " \u200b "])
def test_without_a_second_text_it_is_a_single_one(tokenizer, text_b):
    example = InputExample("a", "the tree vote was taken", text_b, "0")
    found = only(example, tokenizer, 5)
    assert tokens(found, tokenizer) == "[CLS] the tree vote [SEP]"


def test_an_empty_text_is_cls_and_sep(tokenizer):
    found = only(InputExample("a", "", None, "0"), tokenizer, 5)
    assert tokens(found, tokenizer) == "[CLS] [SEP]"


def test_the_first_five_examples_are_logged(tokenizer, caplog):
    examples = [InputExample(f"g-{i}", "the tree", label="1") for i in range(7)]
    with caplog.at_level(python_logging.INFO, logger="absl"):
        list(features.featurize(examples, [[1]] * 7, 5, tokenizer))
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "Writing example 0 of 7"
    ids = tokenizer.convert_tokens_to_ids(["[CLS]", "the", "tree", "[SEP]"])
    assert lines[1:8] == [
        "*** Example ***",
        "guid: g-0",
        "tokens: [CLS] the tree [SEP]",
        f"input_ids: {' '.join(map(str, ids))} 0",
        "input_mask: 1 1 1 1 0",
        "segment_ids: 0 0 0 0 0",
        "label: 1 (id = 1)",
    ]
    assert lines.count("*** Example ***") == 5


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (task, name)
        for task in ("cola", "mnli", "mrpc", "xnli")
        for name in ("train", "eval", "predict")
        if (task, name) != ("xnli", "predict")
    ],
)
def test_records_are_the_originals(golden, tokenizer, task, name):
    processor = run_classifier.processors[task]()
    set_type = {"eval": "dev", "predict": "test"}.get(name, name)
    folder = str(golden / "inputs" / task)
    examples, _ = classification_sets.read(processor, folder, [set_type])
    examples = examples[set_type][""]
    kind = kinds.find("classification")
    fields = kind.fields(40, 1)
    ids = classification_sets.label_ids(
        examples, kind, processor.get_labels(), 40
    )
    path = golden / "classifier_records" / task / f"{name}.tf_record"
    theirs = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ours = features.featurize(examples, ids, 40, tokenizer)
    for our, their in zip(ours, theirs, strict=True):
        assert our == record_bytes.values(fields, their)

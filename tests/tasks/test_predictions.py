import numpy as np
import pytest
import tensorflow as tf

from bert.data.records import packing
from bert.data.records.fields import Field, sequence_fields
from bert.data.text.tokenization import FullTokenizer
from bert.modeling import BertConfig
from bert.tasks import record_sets
from bert.tasks.predictions import Predictions
from bert.tasks.record_sets import RecordSet

FIELDS = (*sequence_fields(8), Field("number", 1))
CONFIG = BertConfig(vocab_size=100, type_vocab_size=2)


@pytest.fixture
def source(golden, tmp_path):
    """Five records, of 1 to 5 ids, not in this order."""
    return of_lengths((3, 1, 5, 2, 4), golden, tmp_path)


def of_lengths(lengths, golden, folder):
    records = RecordSet(
        file="x.tf_record",
        fields=FIELDS,
        features=lambda: (
            {
                **packing.pad(packing.Packed([7] * length, length), 8),
                "number": [length],
            }
            for length in lengths
        ),
        inputs=lambda: [],
    )
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    file = record_sets.write(records, str(folder), tokenizer)
    return record_sets.source(CONFIG, [file.path], FIELDS, {})


def test_equal_records_are_computed_once(golden, tmp_path):
    lengths = [3, 1, 3, 2, 1, 3]
    computed = tf.Variable(0)

    def model(batch, training):
        computed.assign_add(tf.shape(batch["input_ids"])[0])
        return {"sum": tf.reduce_sum(batch["input_ids"], axis=1)}

    answers = Predictions(
        model,
        of_lengths(lengths, golden, tmp_path),
        2,
        lambda model, outputs, batch: outputs,
    )
    assert [row["sum"] for row in answers] == [7 * n for n in lengths]
    assert computed.numpy() == 3


@pytest.mark.parametrize("fixed_shapes", [False, True])
def test_each_record_has_its_answer_whenever_asked(source, fixed_shapes):
    factor = tf.Variable(1)

    def model(batch, training):
        assert not training
        return {"sum": factor * tf.reduce_sum(batch["input_ids"], axis=1)}

    answers = Predictions(
        model,
        source,
        2,
        lambda model, outputs, batch: {**outputs, "own": batch["number"]},
        fixed_shapes,
    )
    for now in (1, 2):
        factor.assign(now)
        found = list(answers)
        assert [int(row["own"][0]) for row in found] == [3, 1, 5, 2, 4]
        sums = [row["sum"] for row in found]
        np.testing.assert_array_equal(sums, np.array([21, 7, 35, 14, 28]) * now)

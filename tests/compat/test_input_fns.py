import pytest
import tensorflow as tf

from bert.compat import input_fns


def test_training_rows_come_without_end_in_full_batches():
    make = input_fns.of_features({"x": range(5)}, True, True)
    batches = make({"batch_size": 2})
    assert batches.element_spec["x"].shape == [2]
    rows = [x for batch in batches.take(25) for x in batch["x"].numpy()]
    assert set(rows) == set(range(5))
    assert rows[:5] != rows[5:10] or rows[:5] != [*range(5)]


def test_other_rows_come_once_in_order():
    make = input_fns.of_features({"x": [[1, 2], [3, 4], [5, 6]]})
    found = [batch["x"].numpy().tolist() for batch in make({"batch_size": 2})]
    assert found == [[[1, 2], [3, 4]], [[5, 6]]]


def test_a_record_without_a_feature_is_an_error(golden):
    file = golden / "squad_records/dev-v1.1.tf_record"
    make = input_fns.of_file(str(file), 48, ["label_ids"], False, False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label_ids"):
        next(iter(make({"batch_size": 2})))

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.data.records import fields as record_fields
from bert.data.records import input_pipeline, record_files
from tests.data.records import protobuf
from tests.data.records.test_record_files import source, write, write_gzip


def ids(dataset, count=None):
    batches = dataset if count is None else dataset.take(count)
    return [int(i) for b in batches for i in b["input_ids"][:, 0].numpy()]


def train(src, batch_size=2, seed=3, buffer=5, **kwargs):
    return input_pipeline.train_batches(
        src, batch_size, seed=seed, shuffle_buffer_size=buffer, **kwargs
    )


def test_every_epoch_has_every_record_once_in_an_order_of_its_own(tmp_path):
    src = source(write(tmp_path / "a", range(12)))
    order = ids(train(src), 18)
    epochs = [order[0:12], order[12:24], order[24:36]]
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 3
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_order_is_a_function_of_the_seed(tmp_path):
    src = source(write(tmp_path / "a", range(12)))
    assert ids(train(src), 18) == ids(train(src), 18)
    assert ids(train(src), 6) != ids(train(src, seed=4), 6)


@pytest.mark.parametrize("seen", [1, 5, 12, 13, 40])
def test_a_resumed_run_goes_on_where_it_stood(tmp_path, seen):
    src = source(write(tmp_path / "a", range(12)))
    whole = ids(train(src, batch_size=1), 60)
    rest = ids(train(src, batch_size=1, examples_seen=seen), 60 - seen)
    assert rest == whole[seen:]


def test_a_buffer_of_1_keeps_the_files_order(tmp_path):
    src = source(write(tmp_path / "a", range(5)))
    assert ids(train(src, batch_size=3, buffer=1), 4) == [
        *[0, 1, 2, 3, 4],
        *[0, 1, 2, 3, 4],
        *[0, 1],
    ]


def test_files_filled_in_turn_give_their_order_back(tmp_path):
    one = source(write(tmp_path / "one", range(10)))
    three = source(
        *(write(tmp_path / f"part{i}", range(i, 10, 3)) for i in range(3))
    )
    assert ids(train(one), 15) == ids(train(three), 15)


def test_of_very_many_files_other_ones_come_first_each_epoch(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(input_pipeline, "_OPEN_FILES", 2)
    src = source(*(write(tmp_path / f"f{i}", [i] * 3) for i in range(8)))
    order = ids(train(src, buffer=2), 24)
    epochs = [order[:24], order[24:]]
    assert [sorted(epoch) for epoch in epochs] == [sorted([*range(8)] * 3)] * 2
    assert set(epochs[0][:6]) != set(epochs[1][:6])
    assert ids(train(src, buffer=2, examples_seen=24), 12) == epochs[1]


def test_workers_and_replicas_share_the_global_batches(tmp_path):
    src = source(write(tmp_path / "a", range(16)))
    whole = ids(train(src, batch_size=8), 4)
    # Two workers of two replicas: each replica's batch has two rows.
    parts = [
        ids(
            train(
                src,
                batch_size=8,
                context=tf.distribute.InputContext(
                    num_input_pipelines=2,
                    input_pipeline_id=worker,
                    num_replicas_in_sync=4,
                ),
            ),
            8,
        )
        for worker in range(2)
    ]
    merged = np.stack([np.reshape(part, [4, 4]) for part in parts], axis=1)
    assert merged.reshape(-1).tolist() == whole


def test_evaluation_reads_in_file_order_and_keeps_the_last_batch(tmp_path):
    src = source(
        write(tmp_path / "b", range(3)), write(tmp_path / "a", range(10, 12))
    )
    batches = input_pipeline.eval_batches(src, 2)
    assert ids(batches) == [0, 1, 2, 10, 11]
    repeated = input_pipeline.eval_batches(
        src, 2, repeat=True, drop_remainder=True
    )
    assert ids(repeated, 4) == [0, 1, 2, 10, 11, 0, 1, 2]


def test_what_the_first_look_misses_is_met_and_named_in_training(tmp_path):
    src = source(write(tmp_path / "a", [*range(8), 100]))
    record_files.check_records(src, limit=8)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        ids(train(src, batch_size=3, buffer=1), 3)
    fault = record_files.explain(src, caught.value)
    assert "record 9: input_ids must be from 0 to 99" in str(fault)


LONG_FIELDS = record_fields.tagging_fields(4)


def write_long(path, lengths):
    """Writes a record of n ones in every field for each n."""
    rows = ([1] * n + [0] * (4 - n) for n in lengths)
    protobuf.write(
        path, LONG_FIELDS, ({f.name: row for f in LONG_FIELDS} for row in rows)
    )
    return record_files.RecordSource([str(path)], LONG_FIELDS, {})


def test_training_batches_are_cut_to_their_longest_row(tmp_path):
    src = write_long(tmp_path / "a", [2, 1, 3, 3])

    def shapes(**kwargs):
        batches = input_pipeline.train_batches(
            src, 2, seed=1, shuffle_buffer_size=1, **kwargs
        )
        return [
            {tuple(values.shape) for values in batch.values()}
            for batch in batches.take(2)
        ]

    assert shapes(cut=True) == [{(2, 2)}, {(2, 3)}]
    assert shapes() == [{(2, 4)}, {(2, 4)}]


def test_prediction_gives_each_record_once_and_cut(tmp_path):
    src = write_long(tmp_path / "a", [2, 1, 4])
    found = [
        (batch["row"].numpy().tolist(), batch["label_ids"].shape[1])
        for batch in input_pipeline.predict_batches(src, 2)
    ]
    assert found == [([2, 0], 4), ([1], 1)]


def test_no_iterator_waits_for_the_tuner(tmp_path):
    src = write_long(tmp_path / "a", [2, 1, 4])
    for batches in (
        input_pipeline.train_batches(src, 2, seed=1, shuffle_buffer_size=1),
        input_pipeline.train_batches(
            src, 2, seed=1, shuffle_buffer_size=None, cut=True, group=True
        ),
        input_pipeline.eval_batches(src, 2),
        input_pipeline.predict_batches(src, 2),
    ):
        assert batches.options().autotune.enabled is False


@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("seen", [0, 4, 10, 26])
def test_drawn_from_all_records_each_comes_once_an_epoch(tmp_path, group, seen):
    lengths = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]
    src = write_long(tmp_path / "a", lengths)

    def order(count, **kwargs):
        batches = input_pipeline.train_batches(
            src, 4, seed=3, shuffle_buffer_size=None, group=group, **kwargs
        )
        rows = [b["input_mask"].numpy() for b in batches.take(count)]
        return np.concatenate(rows).sum(axis=1).tolist()

    whole = order(10)
    epochs = [whole[i : i + 10] for i in range(0, 40, 10)]
    assert [sorted(epoch) for epoch in epochs] == [sorted(lengths)] * 4
    assert epochs[0] != epochs[1]
    assert order(2, examples_seen=seen) == whole[seen : seen + 8]


def test_files_may_be_gzip_each_for_itself(tmp_path):
    src = source(
        write(tmp_path / "a", range(5)), write_gzip(tmp_path / "b", range(5, 9))
    )
    record_files.check_records(src)
    assert record_files.num_records(src) == 9
    assert ids(input_pipeline.eval_batches(src, 4)) == list(range(9))
    assert sorted(ids(train(src, batch_size=3), 3)) == list(range(9))
    drawn = train(src, batch_size=3, buffer=None)
    assert sorted(ids(drawn, 3)) == list(range(9))


def test_the_order_of_gzip_files_is_that_of_plain_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(input_pipeline, "_OPEN_FILES", 2)
    plain = source(*(write(tmp_path / f"p{i}", [i] * 2) for i in range(4)))
    mixed = source(
        *(write_gzip(tmp_path / f"z{i}", [i] * 2) for i in range(2)),
        *plain.files[2:],
    )
    assert ids(train(mixed), 8) == ids(train(plain), 8)


def test_lengths_that_are_known_change_nothing(tmp_path, monkeypatch):
    lengths = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]
    src = write_long(tmp_path / "a", lengths)

    def rows(src):
        batches = input_pipeline.train_batches(
            src, 4, seed=3, shuffle_buffer_size=None, group=True, cut=True
        )
        return [b["input_mask"].numpy().tolist() for b in batches.take(6)]

    expected = rows(src)
    # Of a file that has changed since: not believed.
    assert rows(dataclasses.replace(src, lengths=[4] * 9)) == expected
    monkeypatch.setattr(input_pipeline, "_all_lengths", None)
    assert rows(dataclasses.replace(src, lengths=lengths)) == expected


def test_records_in_memory_are_read_once(tmp_path, monkeypatch):
    src = write_long(tmp_path / "a", [1, 2, 3, 4])
    opened = []
    read = tf.data.TFRecordDataset
    monkeypatch.setattr(
        tf.data, "TFRecordDataset", lambda *a: opened.append(a) or read(*a)
    )
    for known in (src, dataclasses.replace(src, lengths=[1, 2, 3, 4])):
        opened.clear()
        batches = input_pipeline.train_batches(
            known, 2, seed=3, shuffle_buffer_size=None, group=True
        )
        assert len(list(batches.take(4))) == 4
        assert len(opened) == 1

import gzip

import numpy as np
import pytest
import tensorflow as tf

from bert.data.records import input_pipeline, record_files, record_io
from bert.errors import UserError

FIELDS = (
    record_io.Field("input_ids", 2, "int64"),
    record_io.Field("weights", 1, "float32"),
)


def write(path, values, fields=FIELDS):
    """Writes a record for each value v: ids [v, v], weight v."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for v in values:
            writer.write(
                record_io.encode(
                    fields,
                    {
                        f.name: [float(v) if f.dtype == "float32" else v]
                        * f.length
                        for f in fields
                    },
                )
            )
    return str(path)


def source(*files, limit=100):
    return record_files.RecordSource(
        files, FIELDS, {"input_ids": limit}, {"input_ids": "max_seq_length"}
    )


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


def test_patterns_keep_their_order_and_sort_their_files(tmp_path):
    for name in ("b2", "b1", "a"):
        write(tmp_path / name, [1])
    found = record_files.matching_files(
        f"{tmp_path}/b*,{tmp_path}/a", "input_file"
    )
    assert [name[-2:] for name in found] == ["b1", "b2", "/a"]


@pytest.mark.parametrize("pattern", ["nothing*", "a,,a", ""])
def test_a_pattern_without_files_is_an_error(tmp_path, monkeypatch, pattern):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a", [1])
    with pytest.raises(UserError, match="No file matches --input_file"):
        record_files.matching_files(pattern, "input_file")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match="names a folder"):
        record_files.matching_files(str(tmp_path), "input_file")


def check(path, **kwargs):
    record_files.check_records(source(path, limit=100), **kwargs)


def test_sound_records_pass(tmp_path):
    check(write(tmp_path / "a", range(100)))


@pytest.mark.parametrize(
    ("values", "place", "received"),
    [
        ([1, 100], 2, 100),
        ([-1], 1, -1),
        ([*range(50), 2**32 + 5], 51, 2**32 + 5),
    ],
)
def test_an_id_out_of_range_names_file_and_record(
    tmp_path, values, place, received
):
    path = write(tmp_path / "a", values)
    with pytest.raises(
        UserError,
        match=f"{path}, record {place}: input_ids must be from 0 to 99. "
        f"Received: {received}",
    ):
        check(path)


def test_another_length_names_the_flag(tmp_path):
    fields = (FIELDS[0]._replace(length=3), FIELDS[1])
    path = write(tmp_path / "a", [1], fields)
    with pytest.raises(
        UserError,
        match="input_ids has 3 values, but --max_seq_length is 2; "
        "pass --max_seq_length=3",
    ):
        check(path)


def test_a_record_of_another_task_lists_what_it_has(tmp_path):
    path = write(tmp_path / "a", [1], FIELDS[:1])
    with pytest.raises(UserError, match="feature weights"):
        check(path)


def test_a_feature_of_another_type_is_an_error(tmp_path):
    fields = (FIELDS[0], FIELDS[1]._replace(dtype="int64"))
    path = write(tmp_path / "a", [1], fields)
    with pytest.raises(UserError, match="weights must be 1 float32 values"):
        check(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: raw[:-3], "record 20: the file is truncated"),
        (lambda raw: raw[:100] + b"x" + raw[101:], "record 2: .*corrupt"),
        (lambda raw: b"plain text, no records at all", "record 1: .*no TFRec"),
        (lambda raw: b"", "Expected records. Received: 1 files"),
    ],
)
def test_a_damaged_file_names_the_record(tmp_path, spoil, message):
    path = tmp_path / "a"
    write(path, range(20))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=message):
        check(str(path))


def test_bytes_that_are_no_example_are_an_error(tmp_path):
    path = str(tmp_path / "a")
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(b"\xff\xff")
    with pytest.raises(
        UserError, match=r"record 1: expected a tf\.train\.Exam"
    ):
        check(path)


def test_what_the_first_look_misses_is_met_and_named_in_training(tmp_path):
    src = source(write(tmp_path / "a", [*range(8), 100]))
    record_files.check_records(src, limit=8)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        ids(train(src, batch_size=3, buffer=1), 3)
    fault = record_files.explain(src, caught.value)
    assert "record 9: input_ids must be from 0 to 99" in str(fault)


LONG_FIELDS = record_io.tagging_fields(4)


def write_long(path, lengths):
    """Writes a record of n ones in every field for each n."""
    with record_io.record_writer(str(path)) as writer:
        for n in lengths:
            row = [1] * n + [0] * (4 - n)
            writer.write(
                record_io.encode(
                    LONG_FIELDS, {f.name: row for f in LONG_FIELDS}
                )
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


def test_records_are_counted(tmp_path):
    files = [write(tmp_path / "a", range(5)), write(tmp_path / "b", range(3))]
    assert record_files.num_records(files) == 8


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


def write_gzip(path, values):
    write(path, values)
    path.write_bytes(gzip.compress(path.read_bytes()))
    return str(path)


def test_files_may_be_gzip_each_for_itself(tmp_path):
    src = source(
        write(tmp_path / "a", range(5)), write_gzip(tmp_path / "b", range(5, 9))
    )
    record_files.check_records(src)
    assert record_files.num_records(src.files) == 9
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


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: raw[:-12], r"a, record \d+: .*truncated, corrupt"),
        (
            lambda raw: raw[:60] + b"xxxx" + raw[64:],
            r"a, record \d+: .*truncated, corrupt",
        ),
        (lambda raw: raw[:10], "Expected records. Received: 1 files without"),
    ],
)
def test_a_damaged_gzip_file_is_an_error(tmp_path, spoil, message):
    path = tmp_path / "a"
    write_gzip(path, range(20))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=message):
        check(str(path))


def test_a_record_as_long_as_gzips_mark_is_a_record(tmp_path):
    path = tmp_path / "a"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"x" * 0x088B1F)
    assert path.read_bytes()[:3] == b"\x1f\x8b\x08"
    assert record_files.compressions([str(path)]) == [""]

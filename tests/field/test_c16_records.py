"""Issue 15, C 16: record files whose lengths lie, and what they take."""

import gzip
import re

import pytest
import tensorflow as tf

from bert import run_pretraining
from bert.data.records import input_pipeline, record_files
from bert.errors import UserError
from bert.modeling import BertConfig
from bert.tasks.pretraining import training
from tests.data.records import test_frame_lengths
from tests.scripts.runner import config_of, run_code


def flags(golden, tmp_path, file):
    return [
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        f"--output_dir={tmp_path / 'out'}",
        f"--input_file={file}",
        "--max_seq_length=64",
        "--max_predictions_per_seq=10",
        "--train_batch_size=2",
        "--num_train_steps=1",
        "--do_train",
    ]


@pytest.mark.parametrize("power", [36, 48, 62])
@pytest.mark.parametrize("is_gzip", [False, True])
def test_a_length_of_many_gigabytes_is_one_line_and_no_crash(
    golden, tmp_path, power, is_gzip
):
    records = (golden / "pretraining_data/default.tfrecord").read_bytes()
    number = (
        len(
            list(
                tf.data.TFRecordDataset(
                    str(golden / "pretraining_data/default.tfrecord")
                )
            )
        )
        + 1
    )
    data = records + test_frame_lengths.frame(2**power, b"few")
    file = tmp_path / "a"
    file.write_bytes(gzip.compress(data) if is_gzip else data)
    config = config_of(run_pretraining, *flags(golden, tmp_path, file))
    message = f"{file}, record {number}: the file is truncated, corrupt or no"
    with pytest.raises(UserError, match=message):
        run_pretraining.pretrain(config)
    assert not (tmp_path / "out").exists()


def test_behind_the_first_thousand_it_ends_the_training_with_one_line(
    golden, tmp_path
):
    records = (golden / "pretraining_data/default.tfrecord").read_bytes()
    file = tmp_path / "a"
    long = test_frame_lengths.frame(2**40, b"few")
    file.write_bytes(records * 60 + long)
    config = config_of(run_pretraining, *flags(golden, tmp_path, file))
    source = training.record_source(
        config,
        BertConfig.from_json_file(config.bert_config_file),
        [str(file)],
        is_trained=True,
    )
    record_files.check_records(source)
    batches = input_pipeline.train_batches(
        source, 2, seed=1, shuffle_buffer_size=1
    )
    with pytest.raises(record_files.READ_ERRORS) as caught:
        next(iter(batches))
    line = str(record_files.explain(source, caught.value))
    assert re.match(rf"{file}, record [1-9]\d\d\d: the file is trunc", line)


def test_a_gzip_bomb_takes_little_memory(tmp_path):
    file = tmp_path / "bomb"
    with gzip.open(file, "wb", 1) as out:
        for _ in range(10):
            out.write(test_frame_lengths.frame(2**23, b"\0" * 2**23))
        out.write(test_frame_lengths.frame(10 * 2**30, b"\0"))
    assert file.stat().st_size < 2**21
    code = (
        "import resource, sys\n"
        "from bert.data.records import frame_lengths\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "most = pages * resource.getpagesize() + 2**25\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "print(frame_lengths.first_impossible(sys.argv[1], 'GZIP'))\n"
    )
    done = run_code(code, str(file))
    assert (done.stdout, done.stderr) == ("11\n", "")

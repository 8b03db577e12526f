import math

import pytest

from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import record_writer
from bert.data.records.record_files import RecordSource
from bert.errors import UserError
from bert.tasks.pretraining import unigrams

FIELDS = pretraining_fields(4, 2)
LIMITS = {"masked_lm_ids": 9}


def source(tmp_path, *files):
    """Writes files of records: of each, pairs of ids and whether they count."""
    paths = []
    for number, rows in enumerate(files):
        paths.append(str(tmp_path / f"{number}.tfrecord"))
        features = (
            {
                **dict.fromkeys(("input_ids", "input_mask"), [1] * 4),
                "segment_ids": [0] * 4,
                "masked_lm_positions": [1, 2],
                "masked_lm_ids": [one for one, _ in row],
                "masked_lm_weights": [weight for _, weight in row],
                "next_sentence_labels": [0],
            }
            for row in rows
        )
        record_writer.write(paths[-1], FIELDS, features)
    return RecordSource(paths, FIELDS, LIMITS)


def test_it_is_that_of_the_ids_that_count(tmp_path):
    # 5 twice, 6 and 7 once; the zeros are padding.
    records = source(
        tmp_path,
        [[(5, 1.0), (5, 1.0)], [(6, 1.0), (0, 0.0)]],
        [[(7, 1), (0, 0)]],
    )
    assert unigrams.entropy(records) == pytest.approx(1.5 * math.log(2))


def test_of_each_file_the_first_records_are_counted(tmp_path):
    rows = [[(5, 1.0), (6, 1.0)], [(7, 1.0), (8, 1.0)]]
    records = source(tmp_path, rows, rows)
    assert unigrams.entropy(records, 2) == pytest.approx(math.log(2))
    assert unigrams.entropy(records, 3) == pytest.approx(math.log(4))


def test_one_id_or_none_has_no_entropy(tmp_path):
    for weight in (1.0, 0.0):
        assert unigrams.entropy(source(tmp_path, [[(5, weight)] * 2])) == 0


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    records = source(tmp_path, [[(5, 1.0), (9, 1.0)]])
    with pytest.raises(
        UserError, match=r"0\.tfrecord, record 1: masked_lm_ids"
    ):
        unigrams.entropy(records)

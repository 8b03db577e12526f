import json
import sys

import numpy as np
import pytest

from benchmarks import padding


def test_rows_of_one_length_have_no_padding():
    assert padding.predicted([7] * 20, 8) == padding.trained([7] * 20, 8) == 1


def test_padding_is_that_of_the_longest_row_of_each_batch():
    assert padding.predicted([1, 9, 2], 2) == (9 * 2 + 1) / 12
    # One batch an epoch, of all rows.
    assert padding.trained([1, 9, 2], 3) == 27 / 12


@pytest.mark.parametrize("batch_size", [8, 32])
def test_texts_of_all_lengths_leave_little_padding(batch_size):
    rng = np.random.default_rng(2)
    lengths = np.clip(rng.normal(53, 17, 2000), 15, 128).astype(int).tolist()
    assert padding.predicted(lengths, batch_size) <= 1.03
    assert padding.trained(lengths, batch_size) <= 1.10


def test_a_line_is_printed_for_each_file(tmp_path, monkeypatch, capsys):
    path = tmp_path / "train.tf_record"
    note = {"lengths": [3] * 64}
    (tmp_path / "train.tf_record.fingerprint").write_text(json.dumps(note))
    monkeypatch.setattr(sys, "argv", ["padding", str(path)])
    padding.main()
    *_, line = capsys.readouterr().out.splitlines()
    assert line == f"| {path} |" + " 1.000 |" * 6

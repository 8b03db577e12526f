import json
import os

import numpy as np
import pytest

from bert import extract_features as script
from bert.tasks.features import output_files
from tests.scripts.runner import config_of


@pytest.mark.parametrize("pooled", [False, True])
def test_a_row_goes_to_all_files_at_the_end(tmp_path, pooled):
    config = config_of(
        script,
        *("--input_file=x", "--vocab_file=x", "--bert_config_file=x"),
        *("--init_checkpoint=x", "--layers=-1"),
        f"--output_file={tmp_path / 'out'}",
        f"--attention_file={tmp_path / 'a.npz'}",
        f"--projector_dir={tmp_path / 'points'}",
        *["--pooling=cls"] * pooled,
    )
    values = np.ones([1, 4] if pooled else [1, 2, 4], np.float32)
    probs = np.full([3, 2, 2, 2], 0.5, np.float32)
    with output_files.opened(config, 4, 5) as write:
        write(["[CLS]", "[SEP]"], values, probs)
        assert not {*os.listdir(tmp_path)} & {"out", "a.npz", "points"}
    (line,) = (tmp_path / "out").read_text().splitlines()
    assert ("features" in json.loads(line)) is not pooled
    with np.load(tmp_path / "a.npz") as found:
        np.testing.assert_array_equal(found["attention_0"], probs)
    points = (tmp_path / "points/layer_-1.tsv").read_text().splitlines()
    assert points == ["1.0\t1.0\t1.0\t1.0"] * (1 if pooled else 2)

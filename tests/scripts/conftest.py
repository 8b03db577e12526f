"""The golden run of pre-training, as flags and a record file."""

import json

import numpy as np
import pytest

from bert.data.records import fields as record_fields
from bert.data.records import record_writer

STEPS, ROWS = 12, 8  # of the golden run


@pytest.fixture(scope="session")
def record_file(golden, tmp_path_factory):
    """The golden run's batches as a record file, in their order."""
    path = tmp_path_factory.mktemp("records") / "batches.tfrecord"
    with np.load(golden / "train_pretraining/batches.npz") as batches:
        rows = {
            name: values.reshape(STEPS * ROWS, -1)
            for name, values in batches.items()
        }
    record_writer.write(
        str(path),
        record_fields.pretraining_fields(24, 6),
        (
            {name: values[row] for name, values in rows.items()}
            for row in range(STEPS * ROWS)
        ),
    )
    return path


@pytest.fixture
def command(golden, record_file, tmp_path):
    """The golden run's flags; output_dir is tmp_path/out."""
    trajectory = json.loads(
        (golden / "train_pretraining/trajectory.json").read_text()
    )
    return [
        f"--input_file={record_file}",
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        f"--output_dir={tmp_path / 'out'}",
        "--max_seq_length=24",
        "--max_predictions_per_seq=6",
        "--train_batch_size=8",
        f"--learning_rate={trajectory['learning_rate']}",
        f"--num_train_steps={trajectory['num_train_steps']}",
        f"--num_warmup_steps={trajectory['num_warmup_steps']}",
        "--shuffle_buffer_size=1",
    ]

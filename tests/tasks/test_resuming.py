"""What a training keeps of itself, and from whom it keeps output_dir."""

import json
import re

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.model_folder.task_files import Task
from bert.tasks import resuming
from bert.training import checkpointing
from tests.training.configs import training_config

TASK = Task(task="pretraining", do_lower_case=None, max_seq_length=128)


@pytest.fixture
def config(tmp_path):
    """Returns a function: values → a configuration of a run in tmp_path."""
    (tmp_path / "config.json").write_text('{"vocab_size": 3}')
    return lambda **values: training_config(
        bert_config_file=str(tmp_path / "config.json"),
        output_dir=str(tmp_path),
        **values,
    )


def test_a_run_goes_on_with_other_steps_but_not_with_another_model(
    config, tmp_path, caplog
):
    resuming.check(config(), TASK)
    resuming.keep(config(), TASK, (), ["a"])
    tensors = {"global_step": tf.Variable(4, dtype=tf.int64)}
    state = checkpointing.RunState(1, 32)
    checkpointing.save(str(tmp_path), 4, tensors, state)
    other = config(train_batch_size=4)
    resuming.check(other, TASK)
    assert not caplog.messages
    resuming.keep(other, TASK, (), ["b"])
    (message,) = caplog.messages
    assert message.endswith(
        "another data, train_batch_size (32 before, 4 now)."
    )
    kept = json.loads((tmp_path / "resume.json").read_text())
    assert kept["train_batch_size"] == 4
    (tmp_path / "config.json").write_text('{"vocab_size": 4}')
    with pytest.raises(UserError, match="made with another bert_config"):
        resuming.check(config(), TASK)
    resuming.check(config(force_resume=True), TASK)


def test_best_weights_of_an_earlier_run_would_pass_for_the_new_ones(
    config, tmp_path
):
    tensors = {"global_step": tf.Variable(4, dtype=tf.int64)}
    state = checkpointing.RunState(1, 32)
    (tmp_path / "best").mkdir()
    checkpointing.save(str(tmp_path / "best"), 4, tensors, state)
    with pytest.raises(UserError, match=r"best/model\.ckpt-4, and no check"):
        resuming.check(config(), TASK)
    checkpointing.save(str(tmp_path), 4, tensors, state)
    resuming.check(config(), TASK)


@pytest.mark.parametrize(
    ("values", "is_chief", "is_kept_out"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"do_train": False}, True, False),
    ],
)
def test_who_is_kept_out(config, tmp_path, values, is_chief, is_kept_out):
    half = tmp_path / ".tmp-bert-train.tf_record.fingerprint"
    half.write_text("half")
    first = resuming.alone(config(), ["train.tf_record"], is_chief=True)
    second = resuming.alone(config(**values), [], is_chief)
    with first:
        assert not half.exists()
        if is_kept_out:
            message = re.escape(
                f"Another run is writing --output_dir={tmp_path}"
            )
            with pytest.raises(UserError, match=message), second:
                pass
        else:
            with second:
                pass

"""The groups of flags of scripts that train."""

import pytest
from absl import flags

from bert.cli import training_flags

FILES = ["--bert_config_file=a", "--output_dir=b", "--vocab_file=c"]


@pytest.fixture
def values():
    found = flags.FlagValues()
    training_flags.define_fine_tuning_flags(found, max_seq_length=384)
    return found


def test_defaults_are_the_originals(values):
    values(["script.py", *FILES])
    assert {
        "max_seq_length": 384,
        "train_batch_size": 32,
        "predict_batch_size": 8,
        "learning_rate": 5e-5,
        "num_train_epochs": 3.0,
        "warmup_proportion": 0.1,
        "save_checkpoints_steps": 1000,
        "keep_checkpoint_max": 5,
        "save_optimizer": "all",
        "log_steps": 100,
        "checkpoint": None,
        "iterations_per_loop": 1000,
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "do_lower_case": True,
        "do_train": False,
    }.items() <= values.flag_values_dict().items()


@pytest.mark.parametrize("missing", range(3))
def test_model_files_must_be_given(values, missing):
    given = FILES[:missing] + FILES[missing + 1 :]
    name = FILES[missing].partition("=")[0]
    with pytest.raises(flags.Error, match=f"{name}=None: must be given"):
        values(["script.py", *given])


@pytest.mark.parametrize(
    "arg",
    [
        "--learning_rate=nan",
        "--learning_rate=-1",
        "--weight_decay=inf",
        "--adam_epsilon=0",
        "--max_grad_norm=0",
        "--warmup_proportion=1.1",
        "--num_train_epochs=-1",
        "--random_seed=-1",
        "--eval_steps=0",
        "--optimizer=sgd",
        "--log_steps=0",
        "--log_steps=10001",
        "--log_steps=1.5",
        "--keep_checkpoint_max=-1",
        "--keep_checkpoint_max=all",
        "--save_optimizer=best",
        "--save_optimizer=",
    ],
)
def test_numbers_without_sense_are_errors(values, arg):
    with pytest.raises(flags.Error, match=arg.partition("=")[0]):
        values(["script.py", *FILES, arg])

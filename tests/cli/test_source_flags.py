import dataclasses

import pytest
from absl import flags

from bert.cli import source_flags
from bert.cli.config import FlagConfig
from bert.model_folder.given import Given


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """What a script is given."""


@pytest.fixture
def values():
    found = flags.FlagValues()
    source_flags.define_source_flags(found)
    source_flags.define_task_flags(found, ["squad", "ner"])
    source_flags.define_runtime_flag(found, ["tensorflow", "onnx"])
    source_flags.define_input_flags(found)
    return found


def test_flags_are_what_is_given_of_a_model(values):
    values(["script.py", "--model_dir=m"])
    assert Config.from_flags(values) == Config()
    values(
        [
            "script.py",
            "--task=ner",
            "--checkpoint=best",
            "--nodo_lower_case",
            "--max_seq_length=9",
            "--labels=a,b",
            "--vocab_file=v",
            "--bert_config_file=c",
            "--runtime=onnx",
        ]
    )
    assert Config.from_flags(values) == Config(
        task="ner",
        checkpoint="best",
        do_lower_case=False,
        max_seq_length=9,
        labels="a,b",
        vocab_file="v",
        bert_config_file="c",
        runtime="onnx",
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "--model_dir"),
        (["--model_dir=m", "--task=sing"], "squad|ner"),
        (["--model_dir=m", "--runtime=x"], "tensorflow|onnx"),
        (["--model_dir=m", "--batch_size=0"], "batch_size=0"),
        (["--model_dir=m", "--max_seq_length=2"], "max_seq_length=2"),
    ],
)
def test_what_no_model_takes_is_refused(values, args, message):
    with pytest.raises(flags.Error, match=message):
        values(["script.py", *args])


@pytest.mark.parametrize("takes", [True, False])
def test_help_says_whether_saved_models_are_taken(takes):
    found = flags.FlagValues()
    source_flags.define_source_flags(found, takes_saved_models=takes)
    assert ("SavedModel" in found["model_dir"].help) is takes

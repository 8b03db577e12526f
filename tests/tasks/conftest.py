"""What the tests of the tasks share."""

import pytest
from absl import flags

from bert.cli import table_flags, training_flags
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.config import FineTuningConfig
from tests.tasks import models


@pytest.fixture
def config(golden, tmp_path):
    """Returns a function: flags to the Config of a run in tmp_path/out."""

    def parse(*args):
        flag_values = flags.FlagValues()
        table_flags.define_set_flags(flag_values, ".txt")
        training_flags.define_fine_tuning_flags(flag_values, max_seq_length=16)
        given = [
            f"--bert_config_file={golden / 'model_base/bert_config.json'}",
            f"--vocab_file={golden / 'inputs/vocab.txt'}",
            f"--output_dir={tmp_path / 'out'}",
            "--do_train",
            "--train_batch_size=2",
            "--learning_rate=1e-3",
            "--random_seed=1",
        ]
        flag_values(["test", *given, *args])
        return FineTuningConfig.from_flags(flag_values)

    return parse


@pytest.fixture
def task(request, golden):
    """The `Inference` of the test module's NAME, which can be asked."""
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt", True)
    return models.make(request.module.NAME, tokenizer)

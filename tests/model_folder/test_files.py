import pytest

from bert.errors import UserError
from bert.model_folder import files
from bert.model_folder.files import ModelFiles
from bert.model_folder.task_files import Task
from tests.conversion import run_folder


@pytest.mark.parametrize(
    ("changes", "length", "message"),
    [
        ({}, 49, "49"),
        ({"vocab_size": 390}, 32, "390"),
    ],
)
def test_sequences_and_vocabulary_must_fit(
    tmp_path, golden, changes, length, message
):
    config = tmp_path / "config.json"
    config.write_text(run_folder.tiny_config(**changes).to_json_string())
    found = ModelFiles(
        task=Task(task="ner", do_lower_case=True, max_seq_length=length),
        checkpoint="",
        bert_config_file=str(config),
        vocab_file=str(golden / "inputs/vocab.txt"),
    )
    with pytest.raises(UserError, match=message):
        files.check_words(found)

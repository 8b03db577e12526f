"""run_classifier.py's flags for one's own files."""

import dataclasses

import pytest
from absl import flags

from bert import run_classifier, run_multiple_choice
from bert.cli import config, table_flags
from bert.tasks.classification.table_settings import TableSettings
from tests.scripts.runner import flags_of


def test_settings_of_tables_can_be_read_from_them():
    values = flags.FlagValues()
    table_flags.define_table_flags(values)
    values(["script.py", "--text_column=body", "--noheader"])

    found = config.read_fields(TableSettings, values)
    names = {field.name for field in dataclasses.fields(TableSettings)}
    assert set(found) == names - {"format"}
    assert found["text_column"] == "body"
    assert found["header"] is False
    assert found["label_column"] == "label"


def test_results_are_off_by_default():
    values = flags.FlagValues()
    table_flags.define_result_flags(values)
    values(["script.py"])
    assert values.flag_values_dict() == {
        "class_weights": None,
        "predictions_text": False,
        "glue_submission": False,
    }


def test_files_of_sets_are_told_with_their_extension():
    values = flags.FlagValues()
    table_flags.define_set_flags(values, ".txt", "Mine: ")
    assert set(values) >= {"train_file", "dev_file", "test_file", "labels"}
    help_text = values["test_file"].help
    assert help_text.startswith("Mine: The set to predict")
    assert help_text.endswith("data_dir's test.txt.")


@pytest.mark.parametrize("script", [run_classifier, run_multiple_choice])
def test_a_task_has_a_name_or_files(script):
    given = ("--bert_config_file=x", "--vocab_file=x", "--output_dir=x")
    with pytest.raises(flags.Error, match="--task_name=None: must be given"):
        flags_of(script, *given, "--data_dir=x")
    values = flags_of(script, *given, "--dev_file=x.csv")
    assert values.task_name is None
    # The tasks of GLUE are in a folder.
    if script is run_classifier:
        with pytest.raises(flags.Error, match="--data_dir=None: must be given"):
            flags_of(script, *given)

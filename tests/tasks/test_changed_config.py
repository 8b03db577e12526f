import dataclasses
import json

import pytest

from bert.errors import UserError
from bert.modeling.config import read_config
from bert.tasks import changed_config
from tests.conversion import gpt_folder


@dataclasses.dataclass(frozen=True)
class Config:
    bert_config_file: str
    attention_mask: str | None = None


def test_without_the_flag_or_with_what_the_file_says_nothing_changes(
    golden, tmp_path
):
    folder = gpt_folder.write(golden, tmp_path / "gpt")
    for mask in (None, "causal"):
        config = Config(str(folder / "bert_config.json"), mask)
        assert changed_config.applied(config) is config
    config = Config(
        str(golden / "model_base/bert_config.json"), "bidirectional"
    )
    assert changed_config.applied(config) is config


def test_the_flag_changes_the_mask_alone(golden, tmp_path):
    path = gpt_folder.write(golden, tmp_path / "gpt") / "bert_config.json"
    config = Config(str(path), "bidirectional")
    found = changed_config.applied(config)
    before = json.loads(path.read_text())
    with open(found.bert_config_file, encoding="utf-8") as file:
        assert json.load(file) == {**before, "attention_mask": "bidirectional"}
    assert not read_config(found.bert_config_file).is_causal
    # A run that goes on has the same.
    assert changed_config.applied(found) is found


def test_an_encoder_without_such_a_mask_is_one_line(golden):
    path = golden / "model_base/bert_config.json"
    with pytest.raises(UserError, match=r"--attention_mask must be left out"):
        changed_config.applied(Config(str(path), "causal"))

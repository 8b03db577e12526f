import os

import pytest

from bert import run_ner
from bert.errors import UserError
from tests.scripts.runner import config_of

GIVEN = ("--bert_config_file=x", "--vocab_file=x", "--output_dir=x")


def parse(*args):
    return config_of(run_ner, *GIVEN, *args)


def test_a_file_is_where_its_flag_says_else_in_data_dir():
    config = parse("--data_dir=d", "--dev_file=e", "--do_eval")
    assert config.path("dev") == "e"
    assert config.path("test") == os.path.join("d", "test.txt")
    with pytest.raises(UserError, match="--dev_file must be given, or --data"):
        parse("--do_eval")


def test_a_column_is_of_words_or_of_labels():
    with pytest.raises(UserError, match=r"must differ\. Received: 1 for both"):
        parse("--do_export", "--token_column=1", "--label_column=1")

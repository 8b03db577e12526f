import os

import pytest

from bert import run_multiple_choice
from bert.errors import UserError
from tests.scripts.runner import config_of

GIVEN = ("--bert_config_file=x", "--vocab_file=x", "--output_dir=x")


def parse(*args):
    return config_of(run_multiple_choice, *GIVEN, *args)


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("swag", ["train.csv", "val.csv", "test.csv"]),
        ("RACE", ["train.jsonl", "dev.jsonl", "test.jsonl"]),
        ("tsv", ["train.tsv", "dev.tsv", "test.tsv"]),
    ],
)
def test_files_of_a_data_dir_are_named_by_the_task(task, names):
    own = ["--choice_columns=a,b"] if task == "tsv" else []
    config = parse(f"--task_name={task}", "--data_dir=d", "--do_train", *own)
    assert [config.path(name) for name in ("train", "dev", "test")] == [
        os.path.join("d", name) for name in names
    ]


def test_columns_are_those_of_the_flags():
    config = parse(
        "--task_name=csv",
        "--train_file=t",
        "--do_train",
        "--choice_columns= a, 2",
        "--text_column=q",
        "--noheader",
    )
    assert config.columns == ("q", ("a", "2"), "label", False)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--task_name=mrpc"], "must be one of swag, race, csv"),
        (["--task_name=csv"], "Expected --choice_columns=a,b"),
        (["--task_name=csv", "--choice_columns="], "Expected --choice_col"),
        (["--task_name=csv", "--choice_columns=a,,b"], "Expected --choice"),
        (["--task_name=csv", "--choice_columns=a,a"], "Expected --choice_co"),
        (
            ["--task_name=csv", "--choice_columns=a,text"],
            "--text_column='text'",
        ),
        (["--task_name=csv", "--choice_columns=label"], "other ones than"),
        (["--task_name=swag", "--choice_columns=a,b"], "--choice_columns is"),
        (["--task_name=race", "--noheader"], "--header is for one's own"),
        (["--task_name=swag", "--max_seq_length=4"], "at least 5 for a text"),
        (["--task_name=swag"], "--train_file must be given, or --data_dir"),
    ],
)
def test_what_cannot_be_meant_is_refused(args, expected):
    with pytest.raises(UserError) as caught:
        parse("--do_train", *args)
    assert expected in str(caught.value)

import pytest

from bert import run_classifier
from bert.errors import UserError
from bert.tasks.classification.config import processors
from tests.scripts.runner import config_of

GIVEN = (
    "--bert_config_file=x",
    "--vocab_file=x",
    "--output_dir=x",
    "--data_dir=x",
    "--do_eval",
)


def parse(*args):
    return config_of(run_classifier, *GIVEN, *args)


@pytest.mark.parametrize(
    ("args", "table_format", "kind"),
    [
        (["--task_name=MRPC"], None, "classification"),
        (["--task_name=STS-B"], None, "regression"),
        (["--task_name=TSV"], "tsv", "classification"),
        (["--task_name=csv", "--label_type=multi"], "csv", "multi_label"),
    ],
)
def test_a_tasks_name_tells_its_kind(args, table_format, kind):
    config = parse(*args)
    assert (config.table_format, config.kind.name) == (table_format, kind)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--task_name=x"], "Task not found: x. .* cola, .*jsonl"),
        (["--task_name=cola", "--labels=a"], "--labels is for one's own files"),
        (["--task_name=tsv", "--glue_submission"], "needs --do_predict"),
        (["--task_name=tsv", "--label_separator="], "must not be empty"),
    ],
)
def test_flags_that_do_not_fit_are_named(args, message):
    with pytest.raises(UserError, match=message):
        parse(*args)


def test_what_code_adds_is_a_task():
    assert run_classifier.processors is processors

import pytest
from absl import flags

from bert import run_classifier
from bert.data.records.long_texts import LongTexts
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


TSV = ("--task_name=tsv",)
MIDDLE = (*TSV, "--truncation=middle")
WINDOWS = (*TSV, "--truncation=windows")


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
        (
            [*TSV, "--doc_stride=3"],
            r"--doc_stride is for --truncation=windows.*3 and --truncation=end",
        ),
        ([*MIDDLE, "--max_windows=3"], "--max_windows is for --truncation=win"),
        ([*MIDDLE, "--window_pooling=max"], "--window_pooling is for --trunc"),
        (
            [*WINDOWS, "--max_seq_length=32", "--doc_stride=31"],
            "--doc_stride must be at most 30, .*=32 less 2.* Received: 31",
        ),
        (
            [*MIDDLE, "--pair_column=b"],
            r"--truncation=middle is for single texts.* a --pair_column \(b\)",
        ),
        ([*WINDOWS, "--dev_pair_column=b"], "windows is for single texts"),
        (
            [*WINDOWS, "--lm_loss_weight=0.5"],
            "--lm_loss_weight learns of one sequence a text.*several; leave",
        ),
        ([*WINDOWS, "--use_xla"], "any number of windows; leave --use_xla"),
        ([*WINDOWS, "--do_export"], "--do_export writes .* leave --do_export"),
    ],
)
def test_flags_that_do_not_fit_are_named(args, message):
    with pytest.raises(UserError, match=message) as raised:
        parse(*args)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("args", "values"),
    [
        (TSV, ("end",)),
        (MIDDLE, ("middle",)),
        (
            [*WINDOWS, "--max_seq_length=33"],
            ("windows", 16, 16, "mean"),
        ),
        (
            [*WINDOWS, "--doc_stride=9", "--max_windows=2"],
            ("windows", 9, 2, "mean"),
        ),
        ([*WINDOWS, "--window_pooling=max"], ("windows", 64, 16, "max")),
    ],
)
def test_flags_say_how_long_texts_are_read(args, values):
    config = parse(*args)
    assert config.long_texts == LongTexts(*values)
    assert config.course["truncation"] == values[0]
    assert config.most_sequences == (values[2] if len(values) > 1 else 1)


def test_a_run_that_goes_on_is_told_of_another_language_model():
    assert "lm_loss_weight" not in parse(*TSV).course
    assert parse(*TSV, "--lm_loss_weight=0.5").course["lm_loss_weight"] == 0.5


@pytest.mark.parametrize(
    "flag",
    ["--truncation=centre", "--doc_stride=0", "--max_windows=0"]
    + ["--window_pooling=sum", "--max_windows=9999999"]
    + [f"--layerwise_lr_decay={value}" for value in ("0", "1.1", "-1", "nan")],
)
def test_values_that_cannot_be_are_refused(flag):
    with pytest.raises(flags.IllegalFlagValueError, match=flag.split("=")[0]):
        parse(*TSV, flag)


def test_what_code_adds_is_a_task():
    assert run_classifier.processors is processors

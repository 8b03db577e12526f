"""What a user may get wrong: one line that names the place, nothing spoiled."""

import json
import re

import pytest

from bert import run_classifier as script
from bert.errors import UserError
from tests.modeling import checkpoints
from tests.scripts import runner
from tests.scripts.runner import config_of, error_of

SCRIPT = "run_classifier.py"
RTE = "index\tsentence1\tsentence2\tlabel\n"
ROW = "0\tA tree.\tA text.\tentailment\n"
TSV = "text\tlabel\na tree\tyes\nno tree\tno\n"
JSONL = '{"text": "a tree", "label": "a"}\n{"text": "no", "label": "b"}\n'
CSV = "text,label\na tree,1\nno tree,0\n"
REGRESSION = "--label_type=regression"
TRAIN, EVAL, PREDICT = "--do_train", "--do_eval", "--do_predict"


def put_model(golden, folder, name="train_classifier"):
    """Makes a folder that a training run has left."""
    checkpoints.put(golden / name / "model.ckpt-12", folder)


def classify(*args):
    script.classify(config_of(script, *args))


@pytest.fixture
def command(golden, tmp_path):
    """A command that would train, and a model to start from."""
    return [
        *runner.model_flags(golden),
        f"--init_checkpoint={golden / 'model_base'}",
        f"--output_dir={tmp_path / 'out'}",
        f"--data_dir={tmp_path}",
        "--max_seq_length=16",
        "--train_batch_size=1",
    ]


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def expect_error(tmp_path, pattern, *args):
    out = tmp_path / "out"
    before = contents(out)
    with pytest.raises(UserError) as raised:
        classify(*args)
    assert re.search(pattern, str(raised.value)), raised.value
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600
    assert contents(out) == before


# Task, its training file's content, further flags, the line.
BAD_TRAINING_FILES = {
    "no file": ("rte", None, [], r"cannot read .*train\.tsv: No such file"),
    "an empty file": ("rte", "", [], r"train\.tsv: .*an empty file"),
    "header only": ("rte", RTE, [], r"train\.tsv: .*no row but the header"),
    "columns missing": (
        "rte",
        RTE + ROW + "1\tA tree.\tentailment\n",
        [],
        r"train\.tsv, line 3: expected 4 columns .*Received: '1\\tA tree\.",
    ),
    "columns too many": (
        "rte",
        RTE + "0\ta\tb\tc\tentailment\n",
        [],
        r"train\.tsv, line 2: expected 4 columns .* 5\. Received",
    ),
    "another task's file": (
        "rte",
        "sentence\tlabel\nfine\t1\n",
        [],
        r"train\.tsv, line 1: expected a header with a column sentence1",
    ),
    "an unknown label": (
        "rte",
        RTE + ROW + "1\ta\tb\tyes\n",
        [],
        r"train\.tsv, line 3: .*entailment, not_entailment.* found 'yes'",
    ),
    "an empty label": (
        "mrpc",
        "Quality\t1\t2\t3\t4\n\t1\t2\ta\tb\n",
        [],
        r"train\.tsv, line 2: expected a label \(0, 1\).* found ''",
    ),
    "NUL bytes": (
        "rte",
        RTE + ROW + "1\ta\0\tb\tentailment\n",
        [],
        r"train\.tsv, line 3: expected text in UTF-8.*0x00",
    ),
    "no UTF-8": (
        "rte",
        (RTE + ROW + "1\té\tb\tentailment\n").encode("latin-1"),
        [],
        r"train\.tsv, line 3: expected text in UTF-8.*0xe9",
    ),
    "a file of Excel's Unicode text": (
        "tsv",
        TSV.encode("utf-16"),
        [],
        r"train\.tsv, line 1: expected text in UTF-8.*0xff",
    ),
    "STS-B without a number": (
        "sts-b",
        "index\tsentence1\tsentence2\tscore\n0\ta\tb\thigh\n",
        [],
        r"train\.tsv, line 2: expected a finite number as label, found 'high'",
    ),
    "CoLA with too few columns": (
        "cola",
        "gj04\t1\t\n",
        [],
        r"train\.tsv, line 1: .*the text in column 3",
    ),
    "an unknown text column": (
        "tsv",
        TSV,
        ["--text_column=sentence"],
        r"train\.tsv, line 1: .*'sentence'. Received: the columns text, label",
    ),
    "an unknown label column": (
        "csv",
        CSV,
        ["--label_column=2"],
        r"train\.csv, line 1: expected the column '2'",
    ),
    "own row too short": (
        "tsv",
        TSV + "a tree\n",
        [],
        r"train\.tsv, line 4: expected 2 columns \(text, label\)",
    ),
    "own label empty": (
        "tsv",
        TSV + "a tree\t\n",
        [],
        r"train\.tsv, line 4: expected a label .*found an empty one",
    ),
    "an unclosed quote": (
        "csv",
        CSV + '"a tree,1\n',
        [],
        r"train\.csv, line 4: .*close the quotes",
    ),
    "broken JSON": (
        "jsonl",
        JSONL + '{"text": "a tree, "label": 1}\n',
        [],
        r"train\.jsonl, line 3: expected a JSON object \(",
    ),
    "a JSON line that is no object": (
        "jsonl",
        JSONL + '["a tree", "a"]\n',
        [],
        r"train\.jsonl, line 3: expected a JSON object \(\{",
    ),
    "a key missing": (
        "jsonl",
        JSONL + '{"txt": "a tree", "label": "a"}\n',
        [],
        r"train\.jsonl, line 3: .*text is missing",
    ),
    "a text that is a number": (
        "jsonl",
        JSONL + '{"text": 5, "label": "a"}\n',
        [],
        r"train\.jsonl, line 3: expected a text in text, found 5",
    ),
    "half a character": (
        "jsonl",
        '{"text": "\\ud83d", "label": "a"}\n',
        [],
        r"train\.jsonl, line 1: .*not a sound text",
    ),
    "a label that is no number": (
        "csv",
        CSV + "some tree,high\n",
        [REGRESSION],
        r"train\.csv, line 4: expected a finite number as label, found 'high'",
    ),
    "a label that is nan": (
        "csv",
        CSV + "some tree,nan\n",
        [REGRESSION],
        r"train\.csv, line 4: .*found 'nan'",
    ),
    "a label that is infinite": (
        "jsonl",
        '{"text": "a", "label": 1e999}\n',
        [REGRESSION],
        r"train\.jsonl, line 1: .*found inf",
    ),
    "a label that --labels lacks": (
        "tsv",
        TSV,
        ["--labels=no,maybe"],
        r"train\.tsv, line 2: .*labels no, maybe \(those of --labels='no,maybe'"
        r"\), found 'yes'",
    ),
    "one label only": (
        "tsv",
        "text\tlabel\na\tyes\nb\tyes\n",
        [],
        r"the training set: expected at least 2 labels\. Received: yes; "
        r".*--label_column",
    ),
    "a label of two lines": (
        "csv",
        CSV + 'a,"one\ntwo"\n',
        [],
        r"texts of one line.*'one\\ntwo'",
    ),
    "a label twice": ("tsv", TSV, ["--labels=no,yes,no"], "'no' twice"),
    "a weight for no label": (
        "tsv",
        TSV,
        ["--class_weights=yes:1,no:1,maybe:1"],
        "--class_weights: .*no, yes; 'maybe' is none",
    ),
    "a weight missing": (
        "tsv",
        TSV,
        ["--class_weights=yes:1"],
        "--class_weights: .*no has none",
    ),
    "a weight below 0": (
        "tsv",
        TSV,
        ["--class_weights=yes:1,no:-1"],
        "--class_weights: .*'-1' is no number above 0",
    ),
    "weights of numbers": (
        "csv",
        CSV,
        [REGRESSION, "--class_weights=balanced"],
        "--class_weights is for labels",
    ),
}


@pytest.mark.parametrize("case", BAD_TRAINING_FILES)
def test_a_bad_training_file(tmp_path, command, case):
    task, content, more, pattern = BAD_TRAINING_FILES[case]
    extension = task if task in ("csv", "jsonl") else "tsv"
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / f"train.{extension}").write_bytes(data)
    expect_error(
        tmp_path, pattern, TRAIN, f"--task_name={task}", *command, *more
    )
    assert not (tmp_path / "out").exists()


# Task, flags, the line; train.tsv, dev.tsv and test.tsv are sound.
BAD_FLAGS = {
    "an unknown task": ("glue", [TRAIN], "Task not found: glue. Expected"),
    "nothing to do": ("tsv", [], "At least one of --do_train, --do_eval"),
    "a folder that is not there": (
        "rte",
        [TRAIN, "--data_dir=/nothing"],
        r"cannot read /nothing/train\.tsv",
    ),
    "a folder for a file": (
        "tsv",
        [TRAIN, "--train_file=/tmp"],
        "cannot read /tmp: Is a directory",
    ),
    "own flags for a task": (
        "rte",
        [TRAIN, "--train_file=a.tsv"],
        "--train_file is for one's own files",
    ),
    "own label type for a task": (
        "rte",
        [TRAIN, "--label_type=multi"],
        "--label_type is for one's own files",
    ),
    "names of numbers": (
        "tsv",
        [TRAIN, REGRESSION, "--labels=a,b"],
        "--labels is for names",
    ),
    "a label without a name": (
        "tsv",
        [TRAIN, "--labels=a,,b"],
        "--labels='a,,b': .*not empty",
    ),
    "a set that the task lacks": (
        "xnli",
        [PREDICT, "--init_checkpoint=GOLDEN/train_classifier/model.ckpt-12"],
        r"no test set \(XnliProcessor\), which --do_predict needs",
    ),
    "training on AX": ("ax", [TRAIN], "no training set: train with --task_na"),
    "sequences too long": (
        "tsv",
        [TRAIN, "--max_seq_length=100"],
        "Cannot use sequence length 100",
    ),
    "no room for a pair": (
        "tsv",
        [TRAIN, "--pair_column=text", "--max_seq_length=4"],
        "--max_seq_length must be at least 5 for pairs",
    ),
    "no such metric": (
        "tsv",
        [TRAIN, "--eval_steps=1", "--save_best=f2"],
        r"--save_best must be one of .*macro_f1\. Received: 'f2'",
    ),
    "another task's metric": (
        "tsv",
        [TRAIN, REGRESSION, "--eval_steps=1", "--save_best=eval_accuracy"],
        r"--save_best must be one of .*pearson, spearman\. Received",
    ),
    "a submission without predictions": (
        "rte",
        [TRAIN, "--glue_submission"],
        "--glue_submission needs --do_predict",
    ),
    "a submission of one's own data": (
        "tsv",
        [PREDICT, "--glue_submission"],
        "--glue_submission is for the tasks of GLUE",
    ),
    "no labels known": (
        "tsv",
        [PREDICT, "--init_checkpoint=GOLDEN/train_classifier/model.ckpt-12"],
        r"Expected labels\.txt, .*--labels=a,b,c",
    ),
    "a model that is not trained": (
        "tsv",
        [PREDICT],
        r"bert_model\.ckpt has no output_weights, but .*: train it first "
        r"\(--do_train\), or check --output_dir=.*/out,",
    ),
    "a model that is not trained, for a task": (
        "rte",
        [EVAL],
        r"bert_model\.ckpt has no output_weights, but .*: train it first ",
    ),
    "too few examples for a step": (
        "tsv",
        [TRAIN, "--train_batch_size=32"],
        "--num_train_epochs gives 0 steps of --train_batch_size=32",
    ),
    "too few epochs for a step": (
        "tsv",
        [TRAIN, "--num_train_epochs=0.4"],
        "--num_train_epochs gives 0 steps of --train_batch_size=1",
    ),
    "no model": (
        "tsv",
        [PREDICT, "--labels=no,yes", "--init_checkpoint="],
        "There is no trained model: no checkpoint in --output_dir",
    ),
    "no such checkpoint": (
        "tsv",
        [TRAIN, "--init_checkpoint=/nothing"],
        "No checkpoint found.*Received: /nothing",
    ),
    "no such vocabulary": (
        "tsv",
        [TRAIN, "--vocab_file=/nothing"],
        "cannot read /nothing",
    ),
    "output_dir is a file": (
        "tsv",
        [TRAIN, "--output_dir=/dev/null"],
        "--output_dir=/dev/null must be a folder",
    ),
}


@pytest.fixture
def data(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(TSV)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("case", BAD_FLAGS)
def test_bad_flags(golden, tmp_path, command, case):
    task, more, pattern = BAD_FLAGS[case]
    more = [flag.replace("GOLDEN", str(golden)) for flag in more]
    args = [f"--task_name={task}", *command, *more]
    expect_error(tmp_path, pattern, *args)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        (
            {"vocab_size": 100},
            r"vocab\.txt has 391 tokens, but vocab_size .* 100",
        ),
        ({"num_hidden_layers": "two"}, "num_hidden_layers"),
    ],
)
def test_a_configuration_that_does_not_fit(
    golden, tmp_path, command, changes, pattern
):
    file = checkpoints.changed_config(golden, tmp_path, **changes)
    expect_error(tmp_path, pattern, TRAIN, "--task_name=tsv", *command, file)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("flag", [TRAIN, EVAL, PREDICT])
@pytest.mark.parametrize(
    "changes", [{"num_hidden_layers": 4}, {"hidden_size": 16}]
)
@pytest.mark.parametrize("folder", ["out", "other"])
def test_a_configuration_of_another_model_than_the_checkpoints(
    golden, tmp_path, command, flag, changes, folder
):
    put_model(golden, tmp_path / folder)
    if folder == "other":
        command = [*command, f"--init_checkpoint={tmp_path / folder}"]
    else:
        for name in ("train", "eval", "predict"):
            (tmp_path / f"out/{name}.tf_record").write_text("mine")
    rows = "text\tlabel\ntree\ta\ntree\tb\ntree\tc\n"
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(rows)
    expect_error(
        tmp_path,
        r"other/model\.ckpt-12|out/model\.ckpt-12",
        flag,
        "--task_name=tsv",
        "--labels=a,b,c",
        "--num_train_epochs=9",
        *command,
        checkpoints.changed_config(golden, tmp_path, **changes),
    )
    assert (tmp_path / "out").exists() == (folder == "out")


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("flag", [TRAIN, EVAL, PREDICT])
def test_a_model_of_another_label_count_in_output_dir(
    golden, tmp_path, command, flag
):
    put_model(golden, tmp_path / "out")
    pattern = r"out/model\.ckpt-12 has a head for 3 label\(s\), the task has 2"
    args = [flag, "--task_name=tsv", "--labels=no,yes", *command]
    expect_error(tmp_path, pattern, *args)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("flag", [TRAIN, EVAL, PREDICT])
def test_a_model_of_another_task_in_output_dir(golden, tmp_path, command, flag):
    put_model(golden, tmp_path / "out", "train_squad")
    pattern = (
        r"model\.ckpt-12 has no output_weights, but cls/squad/output_weights: "
        "it is of another task; name another --output_dir"
    )
    args = [flag, "--task_name=tsv", "--labels=no,yes", *command]
    expect_error(tmp_path, pattern, *args)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("kind", ["multi", "regression"])
def test_another_kind_of_label_than_the_model_was_trained_for(
    golden, tmp_path, command, kind
):
    put_model(golden, tmp_path / "out")
    (tmp_path / "out/labels.txt").write_text("a\nb\nc\n")
    pattern = (
        r"model\.ckpt-12 has no cls/(multi_label|regression)/output_weights, "
        "but output_weights: it is of another task"
    )
    args = [PREDICT, "--task_name=tsv", f"--label_type={kind}", *command]
    expect_error(tmp_path, pattern, *args)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    "name", ["predictions.jsonl", "labels.txt", "test_results.tsv"]
)
def test_an_input_that_a_result_would_replace(golden, tmp_path, command, name):
    put_model(golden, tmp_path / "out")
    path = tmp_path / "out" / name
    path.write_text("text\nhe walked\n")
    args = [PREDICT, "--task_name=tsv", f"--test_file={path}", *command]
    pattern = f"out/{name} would be replaced by this command's own {name}"
    expect_error(tmp_path, pattern, *args)


@pytest.mark.usefixtures("data")
def test_a_start_from_a_model_of_another_label_count(golden, tmp_path, command):
    start = f"--init_checkpoint={golden / 'train_classifier/model.ckpt-12'}"
    pattern = r"a head for 3 label\(s\), the task has 2; name a checkpoint with"
    expect_error(tmp_path, pattern, TRAIN, "--task_name=tsv", *command, start)


@pytest.mark.parametrize(
    ("flag", "more", "received"),
    [
        (TRAIN, ["--labels=c,b,a"], r"c, b, a \(--labels='c,b,a'\)"),
        (TRAIN, ["--labels=x,b,a"], "x, b, a"),
        (EVAL, ["--labels=a,b,d"], "a, b, d"),
        (PREDICT, ["--labels=x,b,a"], "x, b, a"),
    ],
)
@pytest.mark.parametrize("folder", ["out", "other"])
def test_labels_that_contradict_the_models(
    golden, tmp_path, command, flag, more, received, folder
):
    put_model(golden, tmp_path / folder)
    (tmp_path / folder / "labels.txt").write_text("a\nb\nx\n")
    rows = "text\tlabel\ntree\ta\ntree\tb\n"
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(rows)
    if folder == "other":
        more = [*more, f"--init_checkpoint={tmp_path / folder}"]
    pattern = (
        rf"{folder}/labels\.txt: .* 3 labels a, b, x\. Received: the 3 labels "
        + received
    )
    expect_error(tmp_path, pattern, flag, "--task_name=tsv", *command, *more)


def test_training_sets_of_other_labels_than_the_models(
    golden, tmp_path, command
):
    put_model(golden, tmp_path / "other")
    (tmp_path / "other/labels.txt").write_text("a\nb\nx\n")
    rows = "text\tlabel\ntree\ta\ntree\tb\ntree\tc\n"
    (tmp_path / "train.tsv").write_text(rows)
    flags = [TRAIN, "--task_name=tsv", *command]
    # A new model would begin with the head of other labels.
    init = f"--init_checkpoint={tmp_path / 'other'}"
    pattern = r"other/labels\.txt: .*a, b, x\. Rec.*a, b, c \(--task_name=tsv"
    expect_error(tmp_path, pattern, *flags, init)
    # A model that is there keeps its labels.
    (tmp_path / "other").rename(tmp_path / "out")
    pattern = (
        r"train\.tsv, line 4: expected one of the labels a, b, x \(those of "
        r".*out/labels\.txt\), found 'c'"
    )
    expect_error(tmp_path, pattern, *flags)


@pytest.mark.usefixtures("data")
def test_a_tasks_labels_that_are_not_the_models(golden, tmp_path, command):
    put_model(golden, tmp_path / "other")
    (tmp_path / "other/labels.txt").write_text("a\nb\nx\n")
    (tmp_path / "diagnostic.tsv").write_text(
        "index\tsentence1\tsentence2\n0\ta\tb\n"
    )
    init = f"--init_checkpoint={tmp_path / 'other'}"
    pattern = r"other/labels\.txt: .*a, b, x\. Received: .*\(--task_name=ax\)"
    expect_error(tmp_path, pattern, PREDICT, "--task_name=ax", *command, init)


def test_labels_without_a_model_in_output_dir_are_nobodys(
    golden, tmp_path, command
):
    put_model(golden, tmp_path / "other")
    (tmp_path / "other/labels.txt").write_text("a\nb\nx\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/labels.txt").write_text("x\nb\na\n")
    (tmp_path / "test.tsv").write_text("text\na tree\n")
    classify(
        PREDICT,
        "--task_name=tsv",
        *command,
        f"--init_checkpoint={tmp_path / 'other'}",
    )
    line = (tmp_path / "out/predictions.jsonl").read_text()
    assert list(json.loads(line)["probabilities"]) == ["a", "b", "x"]


def test_a_label_in_the_dev_set_that_the_model_lacks(golden, tmp_path, command):
    put_model(golden, tmp_path / "out")
    (tmp_path / "out/labels.txt").write_text("a\nb\nx\n")
    (tmp_path / "dev.tsv").write_text("text\tlabel\ntree\ta\ntree\tc\n")
    pattern = (
        r"dev\.tsv, line 3: expected one of the labels a, b, x \(those of "
        r".*out/labels\.txt\), found 'c'"
    )
    expect_error(tmp_path, pattern, EVAL, "--task_name=tsv", *command)


@pytest.mark.usefixtures("data")
def test_a_bad_dev_or_test_set_stops_before_training(tmp_path, command):
    (tmp_path / "test.tsv").write_text("sentence\na\n")
    args = ["--task_name=tsv", *command]
    expect_error(tmp_path, r"test\.tsv, line 1", TRAIN, PREDICT, *args)
    (tmp_path / "dev.tsv").write_text(TSV + "a\tmaybe\n")
    pattern = r"dev\.tsv, line 4: .*found 'maybe'"
    expect_error(tmp_path, pattern, TRAIN, EVAL, *args)
    expect_error(tmp_path, pattern, TRAIN, "--eval_steps=9", *args)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("data")
def test_the_shell_shows_one_line(tmp_path, command):
    flags = [flag for flag in command if not flag.startswith("--data_dir")]
    line = error_of(SCRIPT, TRAIN, "--task_name=rte", *flags)
    assert "required flags are missing: --data_dir" in line
    line = error_of(SCRIPT, TRAIN, "--task_name=tsv", *flags)
    assert "Expected --train_file, or --data_dir" in line
    (tmp_path / "train.tsv").write_text(TSV + "\n\na\0\tyes\n")
    line = error_of(SCRIPT, TRAIN, "--task_name=tsv", *command)
    assert f"{tmp_path}/train.tsv, line 6: expected text in UTF-8" in line
    assert not (tmp_path / "out").exists()

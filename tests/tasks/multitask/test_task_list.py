"""The file of --tasks."""

import dataclasses
import json

import pytest
from absl import flags

import bert.run_multitask as script
from bert import run_classifier, run_multiple_choice, run_ner, run_squad
from bert.cli import command_line, parser
from bert.errors import UserError
from bert.tasks.multitask import task_list
from bert.tasks.multitask.config import Config
from bert.tasks.multitask.task_list import Script
from tests.scripts.runner import config_of, flags_of

OF_NER = (
    *("--train_file=a", "--do_train", "--vocab_file=v"),
    *("--bert_config_file=c", "--output_dir=out/x"),
)


def command(tmp_path, tasks, *args):
    """Returns the values of a command's flags."""
    file = tmp_path / "tasks.json"
    text = tasks if isinstance(tasks, str) else json.dumps(tasks)
    file.write_text(text)
    return flags_of(
        script,
        *(f"--tasks={file}", "--vocab_file=v", "--bert_config_file=c"),
        *("--output_dir=out", "--do_train", *args),
    )


def entries(tmp_path, tasks, *args):
    values = command(tmp_path, tasks, *args)
    return task_list.read(Config.from_flags(values))


def test_a_name_of_glue_alone_finds_its_folder(tmp_path):
    (tmp_path / "STS-B").mkdir()
    found = entries(
        tmp_path, ["mrpc", {"name": "stsb"}], f"--data_dir={tmp_path}"
    )
    assert found == [
        (
            "mrpc",
            "classification",
            ["--task_name=mrpc", f"--data_dir={tmp_path}/mrpc"],
        ),
        (
            "stsb",
            "classification",
            ["--task_name=stsb", f"--data_dir={tmp_path}/STS-B"],
        ),
    ]


def test_other_tasks_say_what_they_are_and_their_flags(tmp_path):
    (found,) = entries(
        tmp_path,
        [
            {
                "name": "own",
                "task": "ner",
                "train_file": "a.txt",
                "label_column": 2,
                "labels": ["x", "y"],
                "eval_report": False,
            }
        ],
    )
    assert found.task == "ner"
    assert found.words == [
        *("--train_file=a.txt", "--label_column=2", "--labels=x,y"),
        "--eval_report=False",
    ]


def made(tmp_path, entry, *args, **options):
    """Returns the flags that a task of the list is made with."""
    values = command(tmp_path, [entry], *args)

    def define_flags(flag_values):
        script.define_flags(flag_values)
        flags.DEFINE_string("train_file", None, "", flag_values=flag_values)
        flags.DEFINE_integer("folds", None, "", flag_values=flag_values)

    (found,) = task_list.read(Config.from_flags(values))
    return task_list.make(
        *(found, Script(define_flags, lambda values: values), values, "out/x"),
        **options,
    )


def test_a_task_alone_has_what_is_of_all_tasks(tmp_path):
    entry = {"name": "x", "task": "ner", "train_file": "a"}
    args = ("--eval_steps=5", "--save_best=f1", "--early_stopping_patience=2")
    found = made(tmp_path, entry, *args, is_alone=True)
    assert (found.save_best, found.early_stopping_patience) == ("f1", 2)
    found = made(tmp_path, entry, *args)
    assert (found.save_best, found.early_stopping_patience) == (None, None)


@pytest.mark.parametrize("best", ["", "/best"])
def test_a_task_alone_starts_from_its_own_head(tmp_path, best):
    run = tmp_path / "run"
    (run / "tasks/x").mkdir(parents=True)
    (run / "tasks/x/task.json").write_text("{}")
    for way in (f"{run}{best}", f"{run}{best}/model.ckpt-3"):
        start = f"--init_checkpoint={way}"
        entry = {"name": "x", "task": "ner", "train_file": "a"}
        found = made(tmp_path, entry, start, is_alone=True)
        assert found.init_checkpoint == f"{way}#x"
        assert made(tmp_path, entry, start).init_checkpoint == way
        other = {**entry, "name": "y"}
        found = made(tmp_path, other, start, is_alone=True)
        assert found.init_checkpoint == way
    start = f"--init_checkpoint={run}#other"
    found = made(tmp_path, entry, start, is_alone=True)
    assert found.init_checkpoint == f"{run}#other"


def test_a_task_has_the_flags_of_the_run_and_its_own(tmp_path):
    entry = {"name": "x", "task": "ner", "train_file": "a"}
    found = made(
        tmp_path,
        {**entry, "max_seq_length": 32},
        *("--learning_rate=1e-3", "--max_seq_length=64", "--eval_batch_size=3"),
        *("--eval_steps=5", "--save_best=mean"),
    )
    assert found.learning_rate == 1e-3
    assert found.max_seq_length == 32  # its own
    assert found.eval_batch_size == 3
    assert found.train_file == "a"
    assert found.output_dir == "out/x"
    assert found.save_best is None  # mean is none of a task's metrics
    assert made(tmp_path, entry, "--max_seq_length=64").max_seq_length == 64


OF_SCRIPTS = {
    "classification": (
        *(run_classifier, {"train_file": "a.csv", "dev_file": "b.csv"}),
        {"label_type": "multi", "eval_batch_size": 5},
    ),
    "multiple_choice": (
        *(run_multiple_choice, {"train_file": "a.csv"}),
        {"choice_columns": "a,b,c"},
    ),
    "ner": (run_ner, {"train_file": "a.txt"}, {"label_column": 2}),
    "squad": (run_squad, {"train_file": "a.json"}, {"doc_stride": 64}),
}


@pytest.mark.parametrize("kind", OF_SCRIPTS)
def test_a_task_is_as_its_own_script_would_have_it(tmp_path, kind):
    own, files, values = OF_SCRIPTS[kind]
    of_run = ["--learning_rate=1e-3", "--optimizer=lamb", "--freeze_layers=1"]
    of_run += ["--use_xla", "--precision=bfloat16", "--do_lower_case=False"]
    entry = {"name": "x", "task": kind, **files, **values}
    run_flags = command(tmp_path, [entry], *of_run)
    (found,) = task_list.read(Config.from_flags(run_flags))
    task = task_list.make(found, script._script(kind), run_flags, "out")
    given = {**files, **values}
    expected = config_of(
        own,
        *("--vocab_file=v", "--bert_config_file=c", "--output_dir=out"),
        *("--do_train", *of_run),
        *(f"--{name}={value}" for name, value in given.items()),
    )
    length = task.config.max_seq_length
    assert task.config == dataclasses.replace(expected, max_seq_length=length)
    assert length == expected.max_seq_length


def test_masked_words_are_all_that_is_trained_on_text(tmp_path):
    entry = {"name": "x", "task": "pretraining", "input_file": "a.tfrecord"}
    run_flags = command(tmp_path, [entry], "--do_lower_case", "--eval_steps=3")
    (found,) = task_list.read(Config.from_flags(run_flags))
    config = task_list.make(
        found, script._script("pretraining"), run_flags, "out/x"
    ).config
    assert config.next_sentence == "none"
    assert not config.do_predict
    assert (config.vocab_file, config.do_lower_case) == ("v", True)
    assert config.eval_steps == 3


@pytest.mark.parametrize(
    "args", [["--nodo_train"], ["--checkpoint=newest", "--do_train"]]
)
def test_masked_words_are_beside_tasks_that_predict(tmp_path, args):
    entry = {"name": "x", "task": "pretraining", "input_file": "a.tfrecord"}
    run_flags = command(tmp_path, [entry], "--do_predict", *args)
    config = task_list.make(
        *task_list.read(Config.from_flags(run_flags)),
        *(script._script("pretraining"), run_flags, "out/x"),
    ).config
    assert config.do_predict
    assert not config.do_eval


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"num_train_steps": 9}, "num_train_steps.*which is the whole run's"),
        ({"num_warmup_steps": 9}, "which is the whole run's"),
        ({"next_sentence": "nsp"}, "next_sentence.* of masked words alone"),
        ({"distill_data": "a"}, "which pretraining does not have"),
        (
            {
                **{"teacher_dir": "x", "relation_heads": 2},
                **{"distill_alpha": 1, "distill_top_k": 0},
            },
            "learns no words",
        ),
        ({"max_predictions_per_seq": 129}, "larger than --max_seq_length"),
        ({"masked_lm_prob": 0.2}, "needs --masking=dynamic"),
        ({"eval_file": "b"}, "--eval_file needs --eval_steps"),
    ],
)
def test_bad_flags_of_masked_words_are_one_line(tmp_path, own, message):
    entry = {"name": "x", "task": "pretraining", "input_file": "a", **own}
    run_flags = command(tmp_path, [entry])
    with pytest.raises(UserError, match=message) as caught:
        task_list.make(
            *task_list.read(Config.from_flags(run_flags)),
            *(script._script("pretraining"), run_flags, "out/x"),
        )
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ("", "expected JSON"),
        ("{}", r"tasks\.json: expected a list"),
        ("[]", "expected a task or more. Received: an empty list"),
        ([3], r"\[0\]: expected an object. Received: 3"),
        ([{}], r'\[0\]: expected the key "name"'),
        ([{"name": 3}], r"\[0\].name: expected a string"),
        ([{"name": "a/b"}], "expected a name of letters"),
        ([{"name": "a" * 101}], "at most 100, the first a letter"),
        ([{"name": "mean", "task": "ner"}], "expected another name"),
        ([{"name": "a", "task": "ner"}] * 2, "expected names that differ"),
        (
            [{"name": n, "task": "ner"} for n in ("a", "A")],
            "expected names that differ, in more than case",
        ),
        (["mine"], 'expected the key "task"'),
        ([{"name": "a", "task": "poem"}], "expected one of classification"),
        (["mrpc"], 'expected the key "data_dir", or --data_dir'),
        ([{"name": "a", "task": "ner", "x": None}], r"\[0\].x: expected a str"),
        ([{"name": "a", "task": "ner", "x": {}}], r"\[0\].x: expected a str"),
        ([{"name": "a", "task": "ner", "x": []}], r"strings without commas"),
        ([{"name": "a", "task": "ner", "x": [3]}], r"strings without commas"),
        (
            [{"name": "a", "task": "ner", "x": ["b,c", "d"]}],
            r'a list of strings without commas. Received: \["b,c", "d"\]',
        ),
    ],
)
def test_a_bad_list_is_one_line(tmp_path, tasks, message):
    with pytest.raises(UserError, match=message) as caught:
        entries(tmp_path, tasks)
    assert len(str(caught.value)) <= 300 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"train_fil": "a"}, "which ner does not have"),
        ({"learning_rate": 1}, "which is the whole run's"),
        ({"folds": 3}, "for a task that is trained alone: use its own script"),
        ({"log_style": "json"}, "which is the whole run's"),
        ({"max_seq_length": "x"}, "--tasks, x: .*max_seq_length"),
    ],
)
def test_a_bad_flag_of_a_task_is_one_line(tmp_path, own, message):
    with pytest.raises(UserError, match=message):
        made(tmp_path, {"name": "x", "task": "ner", **own})


def test_a_teacher_is_one_tasks(tmp_path):
    entry = {"name": "x", "task": "ner", "train_file": "a"}
    taught = {**entry, "teacher_dir": "large", "distill_alpha": 0.9}
    found = made(tmp_path, taught)
    assert (found.teacher_dir, found.distill_alpha) == ("large", 0.9)
    assert made(tmp_path, entry).teacher_dir is None
    for flag in ("--teacher_dir=a", "--distill_alpha=1", "--distill_data=a"):
        name = flag[2:].partition("=")[0]
        with pytest.raises(UserError, match=f'is for one task: .*"{name}"'):
            entries(tmp_path, ["mrpc"], flag)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--folds=3", "--folds, which is for a task that is trained alone"),
        ("--nogrow_labels", "which is for a task that is trained alone"),
        ("--num_train_steps=9", "the whole run's: give --num_train_epochs"),
        ("--train_file=a", r'--tasks, as its key "train_file"'),
        ("--relation_heads=2", r'as its key "relation_heads"'),
    ],
)
def test_a_flag_of_one_task_is_not_the_runs(tmp_path, capsys, flag, message):
    argv = ["x", "--tasks=a", flag, "--vocab_file=v", "--do_train"]
    argv += ["--bert_config_file=c", "--output_dir=out"]
    values = command_line.flags_of(script.define_flags)
    with pytest.raises(SystemExit):
        parser.parse(values, argv, check_unknown=script._check_unknown)
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert len(line) <= 300
    script._check_unknown("of_nobody")  # is ignored, as everywhere


def test_a_teachers_share_falls_where_there_is_one(tmp_path):
    entry = {"name": "x", "task": "ner", "train_file": "a"}
    taught = {**entry, "teacher_dir": "large"}
    assert made(tmp_path, taught, "--teacher_annealing").teacher_annealing
    assert not made(tmp_path, entry, "--teacher_annealing").teacher_annealing
    with pytest.raises(UserError, match="which is the whole run's"):
        made(tmp_path, {**taught, "teacher_annealing": True})
    values = command(tmp_path, [taught], "--teacher_annealing")
    config = Config.from_flags(values)
    own = config_of(run_ner, *OF_NER, "--teacher_dir=large")
    config.check_teachers({"x": own})
    with pytest.raises(UserError, match="needs a task with the key") as caught:
        config.check_teachers({"x": config_of(run_ner, *OF_NER)})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("teacher", ["out", "out#x", "out/best", "./out/"])
def test_a_teacher_is_apart_from_what_is_trained(tmp_path, teacher):
    config = Config.from_flags(command(tmp_path, ["mrpc"]))
    own = config_of(
        run_ner, *OF_NER, "--output_dir=out/tasks/x", f"--teacher_dir={teacher}"
    )
    with pytest.raises(UserError, match=r"--tasks, x: --teacher_dir=.* is in"):
        config.check_teachers({"x": own})


def test_an_export_is_one_tasks(tmp_path):
    with pytest.raises(UserError, match=r"export each by export_model\.py"):
        entries(tmp_path, ["mrpc"], "--do_export")

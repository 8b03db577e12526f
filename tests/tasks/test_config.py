import pytest

from bert.errors import UserError


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--nodo_train"], "At least one of --do_train"),
        (["--save_best=f1"], "--save_best needs --eval_steps"),
        (
            ["--early_stopping_patience=2", "--eval_steps=1"],
            "--early_stopping_patience needs --save_best",
        ),
        (["--grow_labels"], "--grow_labels needs --do_train and --init"),
        (
            ["--grow_labels", "--init_checkpoint=x", "--output_dir=x/"],
            "--grow_labels begins a new run.*--output_dir=x/; name another",
        ),
        (
            ["--grow_labels", "--init_checkpoint=x/best", "--output_dir=x"],
            "--grow_labels begins a new run",
        ),
        (
            ["--grow_labels", "--nodo_train", "--do_eval"],
            "--grow_labels needs --do_train and --init",
        ),
    ],
)
def test_flags_that_contradict_each_other_are_refused(config, args, message):
    with pytest.raises(UserError, match=message):
        config(*args)


def test_an_unknown_metric_is_refused(config):
    chosen = config("--eval_steps=1", "--save_best=f2")
    with pytest.raises(UserError, match=r"one of the metrics a, f1.*'f2'"):
        chosen.check_metric(["f1", "a"])


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--eval_steps=1"], True),
        ([], False),
        (["--eval_steps=1", "--nodo_train", "--do_eval"], False),
    ],
)
def test_evaluation_in_training_needs_both(config, args, expected):
    assert config(*args).evaluates_in_training == expected


@pytest.mark.parametrize(
    ("args", "sets"),
    [
        ([], ["train"]),
        (["--eval_steps=1"], ["train", "dev"]),
        (["--nodo_train", "--do_eval", "--do_predict"], ["dev", "test"]),
        (["--nodo_train", "--do_export"], []),
    ],
)
def test_sets_are_those_that_are_asked_for(config, args, sets):
    assert config(*args).needed_sets == sets

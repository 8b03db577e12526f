import pytest

from bert import run_squad
from bert.errors import UserError
from tests.scripts.runner import config_of

GIVEN = ("--bert_config_file=x", "--vocab_file=x", "--output_dir=x")
V2 = "--version_2_with_negative"
AUTO = "--null_score_diff_threshold=auto"


def parse(*args):
    return config_of(run_squad, *GIVEN, *args)


@pytest.mark.parametrize(
    ("args", "predicts", "writes_results", "evaluates"),
    [
        (["--do_predict"], True, False, False),
        (["--do_eval"], True, True, True),
        (["--do_predict", V2, AUTO], True, True, True),
        (["--do_train", "--train_file=x"], False, False, False),
        (
            ["--do_train", "--train_file=x", "--eval_steps=1"],
            False,
            False,
            True,
        ),
    ],
)
def test_what_is_done_with_predict_file(
    args, predicts, writes_results, evaluates
):
    config = parse("--predict_file=x", *args)
    assert config.predicts == predicts
    assert config.writes_results == writes_results
    assert config.evaluates == evaluates


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--do_train"], "then `train_file` must be specified"),
        (["--do_eval"], "If `do_eval` is given, then `predict_file`"),
        (
            ["--do_predict", "--predict_file=x", "--max_seq_length=67"],
            r"\(67\) must be greater than max_query_length \(64\) \+ 3",
        ),
        (["--do_predict", "--predict_file=x", AUTO], "auto needs --version_2"),
    ],
)
def test_flags_that_do_not_fit_are_named(args, message):
    with pytest.raises(UserError, match=message):
        parse(*args)


def test_settings_are_the_flags_of_their_names():
    args = ["--doc_stride=7", "--n_best_size=3", V2]
    config = parse("--predict_file=x", "--do_predict", *args)
    assert config.window_settings == (384, 7, 64)
    assert config.answer_settings == (3, 30, True, True, False)

import pytest

from bert import run_pretraining
from bert.errors import UserError
from tests.scripts.runner import config_of


def parse(*args):
    given = ["--bert_config_file=x", "--input_file=x", "--output_dir=x"]
    return config_of(run_pretraining, *given, *args)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "At least one of --do_train, --do_eval and --do_export"),
        (
            ["--do_eval", "--max_seq_length=8"],
            "larger than --max_seq_length. Received: 20 and 8",
        ),
        (
            ["--do_eval", "--masked_lm_prob=0.2"],
            "--masked_lm_prob needs --masking=dynamic",
        ),
        (
            ["--do_eval", "--nodo_whole_word_mask"],
            "--do_whole_word_mask needs --masking=dynamic",
        ),
    ],
)
def test_flags_that_do_not_fit_are_named(args, message):
    with pytest.raises(UserError, match=message):
        parse(*args)
    assert parse("--do_eval").max_predictions_per_seq == 20

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
        (["--do_train", "--relation_heads=4"], "--relation_heads needs --tea"),
        (["--do_train", "--teacher_layer=4"], "--teacher_layer needs --teach"),
        (
            ["--do_train", "--teacher_dir=t", "--teacher_layer=4"],
            "--teacher_layer needs --relation_heads",
        ),
        (
            ["--do_train", "--teacher_dir=t", "--distill_top_k=0"],
            "--distill_top_k=0 leaves nothing to learn of the teacher",
        ),
        (
            [
                *("--do_train", "--teacher_dir=t", "--relation_heads=4"),
                *("--distill_top_k=0", "--distill_alpha=1"),
                *("--save_best=loss", "--eval_steps=1"),
            ],
            "--save_best needs masked words that are learned",
        ),
    ],
)
def test_flags_that_do_not_fit_are_named(args, message):
    with pytest.raises(UserError, match=message):
        parse(*args)
    assert parse("--do_eval").max_predictions_per_seq == 20


def test_relations_leave_no_trace_where_they_are_not_learned():
    plain = parse("--do_train")
    assert plain.learns_words
    assert plain.meaning["relations_alone"] is False
    assert "relation_heads" not in plain.course
    taught = parse("--do_train", "--teacher_dir=t")
    assert taught.course["relation_heads"] == 0
    related = ("--do_train", "--teacher_dir=t", "--relation_heads=4")
    alone = parse(*related, "--distill_alpha=1", "--distill_top_k=0")
    assert not alone.learns_words
    assert alone.meaning["relations_alone"] is True
    assert alone.course["relation_heads"] == 4
    for words in ("--distill_alpha=1", "--distill_top_k=0"):
        assert parse(*related, words).learns_words
    # The teacher has no part.
    assert parse(
        *related, "--distill_alpha=0", "--distill_top_k=0"
    ).learns_words

import math

import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks.pretraining import (
    config,
    metrics,
    records,
    unigrams,
    watching,
)
from tests.tasks.pretraining.test_config import parse
from tests.tasks.pretraining.test_metrics import batch

BATCHES = [batch([1, 3, 9], [1, 1, 0], [1, 0, 1], [0.5, 1.5], [1, 0])]


def begin(monkeypatch, *args):
    def entropy(source):
        assert source == "the training's, as evaluated"
        return 2.5

    monkeypatch.setattr(
        records, "for_evaluation", lambda config, s: f"{s}, as evaluated"
    )
    monkeypatch.setattr(unigrams, "entropy", entropy)
    return watching.begin(parse(*args), "the training's", "others")


@pytest.mark.parametrize(
    "args",
    [
        ["--do_train", "--eval_steps=5"],
        ["--do_eval", "--eval_file=y"],
        ["--do_eval", "--save_best=perplexity"],
    ],
)
def test_a_run_is_compared_with_the_unigrams_it_is_trained_on(
    monkeypatch, caplog, args
):
    with caplog.at_level("INFO"):
        watch = begin(monkeypatch, *args)
    assert (watch.source, watch.unigram_entropy) == ("others", 2.5)
    assert "entropy of the masked ids: 2.5 nats, perplexity 12.18" in (
        caplog.text
    )
    figures = watch.figures(BATCHES)
    assert figures["unigram_entropy"] == np.float32(2.5)
    assert figures["perplexity"] == pytest.approx(math.exp(2))
    # Its own lines come after the original's, which are sorted by name.
    assert sorted(figures) == [
        *sorted(metrics.metrics(BATCHES)),
        *("perplexity", "unigram_entropy"),
    ]
    assert {*config.METRICS} == {*figures} - {"unigram_entropy"}


@pytest.mark.parametrize(
    "args", [["--do_train"], ["--do_eval"], ["--do_export", "--eval_file=y"]]
)
def test_without_its_flags_figures_are_the_originals(monkeypatch, caplog, args):
    with caplog.at_level("INFO"):
        watch = begin(monkeypatch, *args)
    assert not caplog.messages
    assert watch == ("others", None)
    assert watch.figures(BATCHES) == metrics.metrics(BATCHES)


def test_without_a_second_task_its_figures_cannot_be_the_best():
    flags = ["--do_train", "--eval_steps=5", "--next_sentence=none"]
    for name in ("perplexity", "loss", "masked_lm_loss"):
        assert parse(*flags, f"--save_best={name}").save_best == name
    with pytest.raises(UserError, match=r"masked_lm_loss, perplexity\. Rec"):
        parse(*flags, "--save_best=next_sentence_loss")

import itertools
import math

import numpy as np
import pytest

from bert.errors import UserError
from bert.model_folder.given import Given
from bert.serving.masked_words import MaskedWords
from bert.tasks.requests import UnfitError
from tests.conversion import run_folder

NUM_WORDS = 391
# Of several lengths, and each of other numbers of masks.
TEXTS = ["the [MASK] in the lake [MASK]", "[MASK]", "the boat of [MASK] ."]


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """A run of pre-training; nobody writes to it."""
    path = tmp_path_factory.mktemp("runs") / "run"
    run_folder.write(golden, path, "pretraining", num_hidden_layers=1)
    return str(path)


@pytest.fixture(scope="module")
def words(folder):
    return MaskedWords.load(folder, 2)


def test_the_places_of_masks_are_asked_for(words):
    text = words.request("the [MASK] in[MASK]")

    # [CLS] the [MASK] in [MASK] [SEP]
    assert text.positions == [2, 4]
    assert len(text.packed.ids) == 6
    assert text.packed.ids[2] == text.packed.ids[4]


def test_all_words_of_a_whole_text_are_asked_for(words):
    text = words.whole_text("the boat")

    assert text.positions == [1, 2]
    assert len(text.packed.ids) == 4


@pytest.mark.parametrize(
    ("text", "whole", "message"),
    [
        ("the boat", False, r"\[MASK\] in the text"),
        ("the [MASK]", True, r"a text without \[MASK\]"),
        ("the " * 46 + "[MASK]", False, "at most 46 word pieces"),
        ("the " * 47, True, "at most 46 word pieces"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(words, text, whole, message):
    with pytest.raises(UnfitError, match=message):
        words.whole_text(text) if whole else words.request(text)


def test_each_mask_has_all_words_of_the_model_best_first(words):
    texts = [words.request(text) for text in TEXTS]

    answers = list(words.fill(texts, NUM_WORDS))

    assert [len(answer["masks"]) for answer in answers] == [2, 1, 1]
    for mask in itertools.chain(*(answer["masks"] for answer in answers)):
        found = [word["probability"] for word in mask]
        assert found == sorted(found, reverse=True)
        assert sum(found) == pytest.approx(1, abs=1e-5)
        assert len({word["token"] for word in mask}) == NUM_WORDS


def test_answers_do_not_depend_on_what_is_computed_together(words):
    texts = [words.request(text) for text in TEXTS]

    together = words.fill(texts, 3)

    for text, answer in zip(texts, together, strict=True):
        (alone,) = words.fill([text], 3)
        for found, expected in zip(
            answer["masks"], alone["masks"], strict=True
        ):
            assert [word["token"] for word in found] == [
                word["token"] for word in expected
            ]
            np.testing.assert_allclose(
                [word["probability"] for word in found],
                [word["probability"] for word in expected],
                atol=1e-6,
            )


def test_a_score_is_the_sum_of_the_words_in_the_place_of_masks(words):
    pieces = ["the", "boat", "of"]
    (answer,) = words.scores([words.whole_text(" ".join(pieces))])
    masked = [
        words.request(" ".join([*pieces[:i], "[MASK]", *pieces[i + 1 :]]))
        for i in range(3)
    ]

    expected = 0.0
    filled = words.fill(masked, NUM_WORDS)
    for piece, found in zip(pieces, filled, strict=True):
        (mask,) = found["masks"]
        likely = {word["token"]: word["probability"] for word in mask}
        expected += math.log(likely[piece])

    assert answer["num_tokens"] == 3
    assert answer["pseudo_log_likelihood"] == pytest.approx(expected, abs=1e-4)


def test_texts_that_are_equal_but_for_what_is_masked_score_apart(words):
    texts = [words.whole_text(t) for t in ("the boat", "the lake", "the boat")]

    boat, lake, again = words.scores(texts)

    assert again == boat
    for text, own in ((texts[0], boat), (texts[1], lake)):
        (alone,) = words.scores([text])
        assert own["pseudo_log_likelihood"] == pytest.approx(
            alone["pseudo_log_likelihood"], abs=1e-5
        )
    assert boat["pseudo_log_likelihood"] != lake["pseudo_log_likelihood"]


def test_a_text_without_words_scores_nothing_and_the_next_is_its_own(words):
    texts = [words.whole_text(text) for text in ("", "the boat", "")]

    empty, boat, last = words.scores(texts)

    assert empty == last == {"pseudo_log_likelihood": 0.0, "num_tokens": 0}
    assert boat["num_tokens"] == 2
    assert boat["pseudo_log_likelihood"] < 0


@pytest.mark.parametrize("top_k", [0, NUM_WORDS + 1])
def test_a_mask_has_from_one_to_all_words(words, top_k):
    with pytest.raises(UserError, match="--top_k must be from 1 to 391"):
        next(words.fill([words.request("[MASK]")], top_k))
    words.check_top_k(1)
    words.check_top_k(NUM_WORDS)


def test_a_run_of_pre_training_needs_its_vocabulary(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "pretraining")
    MaskedWords.load(str(tmp_path / "run"))
    (tmp_path / "run/vocab.txt").unlink()
    with pytest.raises(UserError, match="--vocab_file"):
        MaskedWords.load(str(tmp_path / "run"))
    vocab_file = str(golden / "inputs/vocab.txt")
    given = Given(vocab_file=vocab_file)
    assert MaskedWords.load(str(tmp_path / "run"), given=given)

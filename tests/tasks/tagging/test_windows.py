import random

import pytest

from bert.data.tables.conll import Sentence
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.tagging import windows as tagging

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "##c", "##d", "."]
PAD, UNK, CLS, SEP, A, B, C, D, DOT = range(len(VOCAB))
LABELS = {"O": 0, "X": 1, "Y": 2}


@pytest.fixture
def features(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
    tokenizer = FullTokenizer(tmp_path / "vocab.txt")

    def make(words, labels, seq_length):
        featurizer = tagging.Featurizer(tokenizer, LABELS, seq_length)
        sentence = Sentence(words, labels, 1)
        windows = list(featurizer.features(sentence))
        assert featurizer.num_windows(sentence) == len(windows)
        return windows

    return make


def test_the_first_piece_of_a_word_has_its_label(features):
    (window,) = features(["ac", "b.", "A"], ["X", "O", "Y"], 9)
    assert window == {
        "input_ids": [CLS, A, C, B, DOT, A, SEP, PAD, PAD],
        "input_mask": [1, 1, 1, 1, 1, 1, 1, 0, 0],
        "segment_ids": [0] * 9,
        "label_ids": [0, 1, 0, 0, 0, 2, 0, 0, 0],
        "label_mask": [0, 1, 0, 1, 0, 1, 0, 0, 0],
    }


def test_a_word_of_which_nothing_is_left_is_unknown(features):
    (window,) = features(["\u00ad", "\u00a0", "b"], ["X", "O", "Y"], 5)
    assert window["input_ids"] == [CLS, UNK, UNK, B, SEP]
    assert window["label_mask"] == [0, 1, 1, 1, 0]


def test_a_word_longer_than_a_window_is_cut(features):
    first, second = features(["acdcd", "b"], ["X", "Y"], 5)
    assert first["input_ids"] == [CLS, A, C, D, SEP]
    assert second["input_ids"] == [CLS, B, SEP, PAD, PAD]
    assert second["label_ids"] == [0, 2, 0, 0, 0]


def test_without_labels_all_label_ids_are_0(features):
    (window,) = features(["a", "b"], None, 5)
    assert window["label_ids"] == [0] * 5
    assert window["label_mask"] == [0, 1, 1, 0, 0]


def test_windows_overlap_and_each_word_is_labelled_once(features):
    words = ["a", "b", "a", "b", ".", "b"]
    windows = features(words, ["X", "Y", "X", "Y", "O", "Y"], 6)
    assert [w["input_ids"][1:-1] for w in windows] == [
        [A, B, A, B],
        [A, B, DOT, B],
    ]
    assert [w["label_mask"][1:-1] for w in windows] == [
        [1, 1, 1, 0],
        [0, 1, 1, 1],
    ]


def test_a_sentence_that_fits_is_one_window():
    assert tagging.split_into_windows([2, 1, 3], 6) == [(0, 3, 0, 3)]
    assert len(tagging.split_into_windows([2, 1, 3], 5)) == 2


def test_the_last_window_begins_as_early_as_it_can():
    assert tagging.split_into_windows([1] * 9, 8) == [
        (0, 8, 0, 5),
        (1, 9, 5, 9),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_each_word_is_kept_once_where_it_has_most_context(seed):
    rng = random.Random(seed)
    for _ in range(20):
        room = rng.randint(1, 12)
        words = rng.randint(1, 40)
        check_windows([rng.randint(1, room) for _ in range(words)], room)


def check_windows(lengths, room):
    windows = tagging.split_into_windows(lengths, room)
    kept = [w for x in windows for w in range(x.first_kept, x.end_kept)]
    assert kept == list(range(len(lengths)))

    def context(window, word):
        return min(
            sum(lengths[window.start : word]),
            sum(lengths[word + 1 : window.end]),
        )

    for window in windows:
        assert sum(lengths[window.start : window.end]) <= room
        assert window.start <= window.first_kept < window.end_kept
        assert window.end_kept <= window.end
        for word in range(window.first_kept, window.end_kept):
            assert context(window, word) == max(
                context(other, word)
                for other in windows
                if other.start <= word < other.end
            )


def test_windows_stay_few():
    # Half a window apart, so about two for each window's worth of pieces.
    assert len(tagging.split_into_windows([1] * 1000, 100)) <= 20

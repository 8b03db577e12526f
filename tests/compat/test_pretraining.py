import random

import pytest

from bert import create_pretraining_data as script

WORDS = ["[CLS]", "a", "##b", "c", "[SEP]"]


def masked_places():
    return {
        tuple(
            script.create_masked_lm_predictions(
                WORDS, 0.4, 2, ["x"], random.Random(seed)
            )[1]
        )
        for seed in range(20)
    }


def test_a_flag_of_the_script_decides(monkeypatch):
    assert masked_places() == {(1, 2), (1, 3), (2, 3)}
    monkeypatch.setattr(script.FLAGS["do_whole_word_mask"], "_value", True)
    assert masked_places() == {(1, 2), (3,)}
    assert WORDS == ["[CLS]", "a", "##b", "c", "[SEP]"]  # not changed


def test_documents_are_not_changed():
    documents = [[["a", "b"], ["c"]], [["d", "e", "f"]]]
    made = script.create_instances_from_document(
        documents, 0, 8, 0.1, 0.2, 2, ["x"], random.Random(1)
    )
    assert made
    assert documents == [[["a", "b"], ["c"]], [["d", "e", "f"]]]


def test_nothing_to_draw_from_is_an_error_and_no_endless_loop():
    with pytest.raises(ValueError, match="below 0"):
        script.create_instances_from_document(
            [[["a"]], [], []], 0, 8, 0.0, 0.2, 2, ["x"], random.Random(1)
        )

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.tasks.requests import UnfitError
from bert.tasks.squad import answers, inference, windows

NAME = "squad"
CONTEXT = "The boat sailed on the lake. " * 10


def test_the_measure_is_of_spans(task):
    assert task.measure == "same_span"


def test_questions_about_a_context_share_its_pieces(task, monkeypatch):
    made = []
    make = windows.make_document
    monkeypatch.setattr(
        windows,
        "make_document",
        lambda words, _: made.append(words) or make(words, task.tokenizer),
    )
    first, second, third = (
        task.request((question, context))
        for question, context in (
            ("who?", CONTEXT),
            ("where?", CONTEXT),
            # The words may stand elsewhere.
            ("who?", "the  boat"),
        )
    )
    assert first.document is second.document
    assert [r.example.question_text for r in (first, second)] == [
        *("who?", "where?"),
    ]
    assert third.document is not first.document
    assert third.example.doc_tokens == ["the", "boat"]
    for request in (first, second, third):
        task.ask(request)
    assert len(made) == 2


@pytest.mark.parametrize("context", ["", " \n\u200b", "\u00ad"])
def test_a_context_needs_words(task, context):
    with pytest.raises(UnfitError, match="a context with words"):
        task.request(("who?", context))


def test_a_question_is_asked_in_windows(task):
    request = task.request(("who sailed?", CONTEXT))
    (example, own), rows = task.ask(request)
    assert example.question_text == "who sailed?"
    assert len(own) > 1
    query = task.tokenizer.encode("who sailed?")
    for window, row in zip(own, rows, strict=True):
        assert row.ids == task.tokenizer.convert_tokens_to_ids(window.tokens)
        assert row.first_length == len(query) + 2
        assert len(row.ids) <= 32


def test_the_best_span_is_answered(task):
    asked, _ = task.ask(task.request(("who?", "the boat of the lake")))
    start, end = (np.full([40], -9, np.float32) for _ in range(2))
    pieces = asked[1][0].tokens
    start[pieces.index("of")] = end[len(pieces) - 2] = 5
    outputs = [{"start_logits": start, "end_logits": end}]
    found = task.answer(asked, outputs)
    assert found["text"] == found["nbest"][0]["text"] == "of the lake"
    assert found["probability"] == found["nbest"][0]["probability"]
    assert found["null_odds"] == -28


def test_padding_gets_a_number_that_float16_has():
    logits = {"start_logits": tf.constant([[1.0, 2.0]])}
    batch = {"input_mask": tf.constant([[1, 0]])}
    found = inference.mask_padding(logits, batch)["start_logits"]
    assert found.numpy().tolist() == [[1, -10000]]
    assert np.isfinite(np.float16(answers.NO_LOGIT))


def spans(task, starts, ends, **options):
    changed = {"version_2_with_negative": False, **options}
    own = dataclasses.replace(
        task.task, options={**task.task.options, **changed}
    )
    task = type(task)(own, task.config, task.labels, task.tokenizer, 1)
    batch = {
        "input_mask": np.array([[1, 1, 1, 1], [1, 1, 1, 0]]),
        "segment_ids": np.array([[0, 1, 1, 1], [0, 1, 1, 0]]),
    }
    outputs = {"start_logits": starts, "end_logits": ends}
    return task.predictions(outputs, batch)


def test_a_span_is_the_likeliest_that_ends_after_its_start(task):
    starts = np.array([[9.0, 1.0, 0.0, 5.0], [9.0, 0.0, 5.0, -1e4]])
    ends = np.array([[9.0, 3.0, 4.0, 1.0], [9.0, 5.0, 1.0, -1e4]])
    # Row 0: 5 + 1 at the last token beats 1 + 4. Row 1: 5 + 5 would be
    # backwards. [CLS] is the likeliest, and not in the second segment.
    assert spans(task, starts, ends).tolist() == [[3, 3], [2, 2]]


def test_a_span_is_as_long_as_an_answer_may_be(task):
    starts, ends = np.zeros([2, 4]), np.zeros([2, 4])
    starts[0, 1], ends[0, 3] = 5, 4
    assert spans(task, starts, ends).tolist()[0] == [1, 3]
    assert spans(task, starts, ends, max_answer_length=2).tolist()[0] == [1, 1]


def test_whether_there_is_an_answer_counts_too(task):
    starts, ends = np.zeros([2, 4]), np.zeros([2, 4])
    starts[:, 0] = [3, 1]
    ends[:, 1] = 2
    found = spans(task, starts, ends, version_2_with_negative=True)
    assert found.tolist() == [[1, 1, 1], [1, 1, 0]]
    higher = {"null_score_diff_threshold": 1.5}
    found = spans(task, starts, ends, version_2_with_negative=True, **higher)
    assert found.tolist() == [[1, 1, 0], [1, 1, 0]]


def test_a_span_is_the_same_when_start_and_end_are(task):
    starts, ends = np.zeros([2, 4]), np.zeros([2, 4])
    starts[:, 1] = ends[:, 2] = 3
    expected = spans(task, starts, ends)
    assert expected.tolist() == [[1, 2], [1, 2]]
    assert task.quality(expected, expected) == 1
    ends[1, 1] = 4
    found = spans(task, starts, ends)
    assert task.quality(found, expected) == 0.5

import numpy as np
import pytest

from bert.evaluation import compression

MASK = np.array([[1, 1, 1], [1, 1, 0]])


@pytest.mark.parametrize(
    ("task", "kind", "name", "labelled"),
    [
        ("classification", "classification", "eval_accuracy", True),
        ("classification", "multi_label", "eval_accuracy", True),
        ("classification", "regression", "pearson", True),
        ("ner", None, "tag_accuracy", True),
        ("squad", None, "same_span", False),
        ("features", None, "mean_cosine", False),
        ("pretraining", None, "same_word", False),
    ],
)
def test_every_task_has_a_measure(task, kind, name, labelled):
    assert compression.measure(task, kind) == name
    assert compression.has_labels(task) == labelled


def test_a_label_counts_when_it_is_right():
    logits = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 4.0], [1.0, 0.0]])
    found = compression.answers(
        "classification", {"logits": logits}, {"input_mask": np.ones([4, 2])}
    )
    labels = compression.labels(
        "classification", {"label_ids": np.array([[0], [1], [0], [0]])}
    )
    accuracy = compression.quality(
        "classification", "classification", found, labels
    )
    assert accuracy == 0.75


def test_numbers_count_by_their_correlation():
    true = np.array([[1.0], [2.0], [3.0]])
    found = np.array([[2.0], [4.0], [6.0]])
    for sign in (1, -1):
        pearson = compression.quality(
            "classification", "regression", sign * found, true
        )
        assert pearson == pytest.approx(sign)


def test_words_count_and_other_pieces_do_not():
    logits = np.zeros([2, 3, 2])
    logits[..., 1] = [[-1, 1, 9], [1, -1, 9]]
    batch = {
        "input_mask": MASK,
        "label_mask": np.array([[1, 1, 0], [1, 1, 0]]),
        "label_ids": np.array([[0, 1, 0], [0, 0, 1]]),
    }
    found = compression.answers("ner", {"logits": logits}, batch)
    labels = compression.labels("ner", batch)
    assert found.shape == (4, 2)
    assert compression.quality("ner", None, found, labels) == 0.75


def spans(starts, ends):
    batch = {
        "input_mask": np.array([[1, 1, 1, 1], [1, 1, 1, 0]]),
        "segment_ids": np.array([[0, 1, 1, 1], [0, 1, 1, 0]]),
    }
    outputs = {"start_logits": starts, "end_logits": ends}
    return compression.answers("squad", outputs, batch)


def test_a_span_is_the_likeliest_that_ends_after_its_start():
    starts = np.array([[9.0, 1.0, 0.0, 5.0], [9.0, 0.0, 5.0, -1e4]])
    ends = np.array([[9.0, 3.0, 4.0, 1.0], [9.0, 5.0, 1.0, -1e4]])
    # Row 0: 5 + 1 at the last token beats 1 + 4. Row 1: 5 + 5 would be
    # backwards. [CLS] is the likeliest, and not in the second segment.
    assert spans(starts, ends).tolist() == [[3, 3], [2, 2]]


def test_a_span_is_the_same_when_start_and_end_are():
    starts, ends = np.zeros([2, 4]), np.zeros([2, 4])
    starts[:, 1] = ends[:, 2] = 3
    expected = spans(starts, ends)
    assert expected.tolist() == [[1, 2], [1, 2]]
    assert compression.quality("squad", None, expected, expected) == 1
    ends[1, 1] = 4
    found = spans(starts, ends)
    assert compression.quality("squad", None, found, expected) == 0.5


def test_vectors_count_by_their_angle_and_padding_does_not():
    vectors = np.random.default_rng(0).normal(size=[2, 3, 4])
    batch = {"input_mask": MASK}
    expected = compression.answers(
        "features", {"sequence_output": vectors}, batch
    )
    assert expected.shape == (5, 4)
    for factor, cosine in ((3, 1), (-1, -1)):
        found = compression.quality(
            "features", None, factor * expected, expected
        )
        assert found == pytest.approx(cosine)


def test_of_the_likeliest_words_the_first_counts():
    ids = np.array([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 1], [0, 0]]])
    batch = {"input_mask": MASK}
    expected = compression.answers("pretraining", {"top_k_ids": ids}, batch)
    assert expected.tolist() == [1, 3, 5, 7, 9]
    found = np.array([1, 3, 5, 7, 1])
    assert compression.quality("pretraining", None, found, expected) == 0.8


def test_the_difference_is_that_of_the_worst_output_without_padding():
    expected = {
        "start_logits": np.array([[4.0, -8.0, 1.0], [0.0, 1.0, -1e4]]),
        "end_logits": np.zeros([2, 3]),
    }
    found = {name: value.copy() for name, value in expected.items()}
    batch = {"input_mask": MASK}
    found["start_logits"][1, 2] = 7  # padding
    assert compression.difference("squad", found, expected, batch) == 0
    found["start_logits"][0, 0] = 5
    assert compression.difference("squad", found, expected, batch) == 1 / 8
    found["end_logits"][0, 0] = 0.5
    assert compression.difference("squad", found, expected, batch) == 0.5
    found["end_logits"][0, 0] = np.inf
    assert np.isnan(compression.difference("squad", found, expected, batch))


def test_ids_have_no_difference():
    outputs = {"top_k_ids": np.zeros([2, 3, 1], np.int32)}
    others = {"top_k_ids": np.ones([2, 3, 1], np.int32)}
    batch = {"input_mask": MASK}
    assert compression.difference("pretraining", outputs, others, batch) == 0

import numpy as np
import pytest

from bert.data.corpus import packed_texts


def text(ids, first, predictions=(), label=0):
    """A record of one text: S = 12, P = 4."""
    real = [1] * len(ids) + [0] * (12 - len(ids))
    positions = [*predictions, 0, 0, 0, 0][:4]
    used = [1.0] * len(predictions) + [0.0] * (4 - len(predictions))
    return {
        "input_ids": [*ids, *[0] * (12 - len(ids))],
        "input_mask": real,
        "segment_ids": [int(i >= first) * r for i, r in enumerate(real)],
        "masked_lm_positions": positions,
        "masked_lm_ids": [100 * p + 1 if p else 0 for p in positions],
        "masked_lm_weights": used,
        "next_sentence_labels": [label],
    }


def batch(*texts):
    return {
        name: np.array(
            [one[name] for one in texts],
            np.float32 if "weights" in name else np.int32,
        )
        for name in texts[0]
    }


TEXTS = batch(
    text([1, 2, 3, 4, 5, 6, 7], 4, [1, 5], label=1),
    text([11, 12, 13, 14, 15], 3, [2]),
    text([21, 22, 23, 24, 25, 26], 3, [4], label=1),
)


def test_texts_share_rows_and_keep_their_tokens_predictions_and_labels():
    packed = packed_texts.pack(TEXTS)
    assert {name: v.tolist() for name, v in packed.items()} == {
        "input_ids": [
            [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15],
            [21, 22, 23, 24, 25, 26, *[0] * 6],
        ],
        "input_mask": [[1] * 12, [1] * 6 + [0] * 6],
        "segment_ids": [
            [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1],
            [0, 0, 0, 1, 1, 1, *[0] * 6],
        ],
        "masked_lm_positions": [[1, 5, 9, 0], [4, 0, 0, 0]],
        "masked_lm_ids": [[101, 501, 201, 0], [401, 0, 0, 0]],
        "masked_lm_weights": [[1, 1, 1, 0], [1, 0, 0, 0]],
        "next_sentence_labels": [[1, 0], [1, 0]],
        "text_starts": [[0, 7], [0, 0]],
    }


def test_texts_come_back_from_their_rows():
    texts, rows = packed_texts.texts_of(packed_texts.pack(TEXTS))
    assert rows.tolist() == [0, 0, 1]
    for name, values in TEXTS.items():
        np.testing.assert_array_equal(texts[name], values, err_msg=name)


def test_masks_are_undone_by_the_labels():
    ids = packed_texts.unmask(packed_texts.pack(TEXTS))
    assert ids[0].tolist() == [1, 101, 3, 4, 5, 501, 7, 11, 12, 201, 14, 15]
    np.testing.assert_array_equal(
        packed_texts.unmask(TEXTS)[1, :5], [11, 12, 201, 14, 15]
    )


def rows_of(sizes, predictions=None, seq_length=64, limit=9):
    return packed_texts.rows_of(
        sizes, predictions or [1] * len(sizes), seq_length, limit
    )


@pytest.mark.parametrize(
    ("sizes", "predictions", "rows"),
    [
        # The longest first, each where it fills the row best.
        ([20, 60, 40, 4, 24], None, [2, 0, 1, 0, 1]),
        # No room for the predictions.
        ([32, 32, 30], [8, 2, 1], [0, 1, 0]),
        # Four texts are the most in 64.
        ([10] * 5, None, [0, 0, 0, 0, 1]),
    ],
)
def test_a_row_takes_what_fits(sizes, predictions, rows):
    assert rows_of(sizes, predictions) == rows


def test_rows_of_random_texts_are_nearly_full():
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 512, 1000)
    rows = rows_of(sizes.tolist(), None, 512, 77)
    filled = np.bincount(rows, weights=sizes)
    assert filled.max() <= 512
    assert filled.mean() > 0.95 * 512


def test_what_a_row_has_no_room_to_predict_is_put_back():
    crowded = batch(
        text([1, 2, 3, 4, 5], 3, [1, 2, 3]), text([11, 12, 13, 14], 2, [1, 2])
    )
    packed = packed_texts.lay_out(crowded, np.array([0, 0]))
    assert packed["masked_lm_positions"].tolist() == [[1, 2, 3, 6]]
    assert packed["input_ids"][0].tolist() == [
        *[1, 2, 3, 4, 5, 11, 12, 201, 14],
        *[0, 0, 0],
    ]

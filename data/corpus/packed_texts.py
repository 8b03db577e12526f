"""Several texts in a row: which ones share it, and where each stands.

    text_starts 0           5       11           (then zeros)
    row         [CLS] a …   [CLS] … [CLS] …      padding

A record of several texts has the fields of one text. Its positions count from
the row's start, its predictions are those of all its texts, and there is a
next-sentence label for each. All rules are here, with NumPy alone; what the
model makes of such rows is in `modeling.packed_rows`.

Letters of shapes: n texts, R rows, S sequence, P predictions of a row at most,
T texts of a row at most.

Source: Krell et al. 2021, section 3.
"""

import bisect
from collections.abc import Mapping, Sequence

import numpy as np

from bert.data.corpus.record_fields import TEXT_STARTS, most_texts

Arrays = Mapping[str, np.ndarray]

_TOKENS = ("input_ids", "input_mask", "segment_ids")
_PREDICTIONS = ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights")
_LABELS = "next_sentence_labels"


def pack(texts: Arrays, num_predictions: np.ndarray | None = None) -> Arrays:
    """Puts texts together into as few rows as `rows_of` finds.

    Args:
        texts: the fields of records of one text, [n, length] each; n > 0.
        num_predictions: how many predictions each text is to have room for,
            [n]; None: those it has.

    Returns:
        The fields of records of several texts, [R, length] each.
    """
    if num_predictions is None:
        num_predictions = np.count_nonzero(texts["masked_lm_weights"], axis=1)
    rows = rows_of(
        lengths(texts).tolist(),
        num_predictions.tolist(),
        texts["input_ids"].shape[1],
        texts["masked_lm_ids"].shape[1],
    )
    return lay_out(texts, np.array(rows))


def rows_of(
    sizes: Sequence[int],
    num_predictions: Sequence[int],
    seq_length: int,
    max_predictions: int,
) -> list[int]:
    """Returns the row of each text.

    The longest text comes first; each goes to the row that it fills best
    among those that have room for it and for its predictions.

    Args:
        sizes: ids of each text, at most seq_length.
        num_predictions: of each text, at most max_predictions.
        seq_length: S.
        max_predictions: P.
    """
    rows = [0] * len(sizes)
    taken: list[tuple[int, int]] = []  # texts and predictions of each row
    # (free ids, row) of the rows that may get another text, ascending.
    has_room: list[tuple[int, int]] = []
    texts = most_texts(seq_length)
    for text in sorted(range(len(sizes)), key=lambda text: -sizes[text]):
        size, more = sizes[text], num_predictions[text]
        start = bisect.bisect_left(has_room, (size, -1))
        for place in range(start, len(has_room)):
            free, row = has_room[place]
            if taken[row][1] + more <= max_predictions:
                del has_room[place]
                break
        else:
            free, row = seq_length, len(taken)
            taken.append((0, 0))
        rows[text] = row
        count, predictions = taken[row][0] + 1, taken[row][1] + more
        taken[row] = count, predictions
        if count < texts and predictions < max_predictions:
            bisect.insort(has_room, (free - size, row))
    return rows


def lay_out(texts: Arrays, rows: np.ndarray) -> Arrays:
    """Returns rows of several texts.

    Predictions that a row has no room for are left out: the ids are put back.

    Args:
        texts: the fields of records of one text, [n, length] each.
        rows: the row of each text, int [n]; each from 0 on has one.
    """
    order = np.argsort(rows, kind="stable")
    texts = {name: values[order] for name, values in texts.items()}
    rows = rows[order]
    count, seq_length = rows[-1] + 1, texts["input_ids"].shape[1]
    sizes = lengths(texts)
    first_of_row = np.searchsorted(rows, rows)
    before = np.cumsum(sizes) - sizes
    starts = before - before[first_of_row]
    numbers = np.arange(len(rows)) - first_of_row

    packed = {
        name: np.zeros((count, values.shape[1]), values.dtype)
        for name, values in texts.items()
    }
    text, place = np.nonzero(texts["masked_lm_weights"])
    where = np.arange(len(text)) - np.searchsorted(rows[text], rows[text])
    fits = where < texts["masked_lm_weights"].shape[1]
    _put_back(texts["input_ids"], texts, text[~fits], place[~fits])
    text, place, where = text[fits], place[fits], where[fits]
    for name in _PREDICTIONS:
        packed[name][rows[text], where] = texts[name][text, place]
    packed["masked_lm_positions"][rows[text], where] += starts[text]

    text, place = np.nonzero(np.arange(seq_length) < sizes[:, None])
    for name in _TOKENS:
        packed[name][rows[text], starts[text] + place] = texts[name][
            text, place
        ]
    for name, values in (
        (TEXT_STARTS, starts),
        (_LABELS, texts[_LABELS][:, 0]),
    ):
        packed[name] = np.zeros((count, most_texts(seq_length)), np.int32)
        packed[name][rows, numbers] = values
    return packed


def texts_of(rows: Arrays) -> tuple[Arrays, np.ndarray]:
    """Undoes `lay_out`.

    Args:
        rows: the fields of records of several texts, [R, length] each.

    Returns:
        The fields of records of one text, [n, length] each; and the row of
        each text, int [n], ascending.
    """
    starts = rows[TEXT_STARTS]
    is_text = starts > 0
    is_text[:, 0] = True
    row, number = np.nonzero(is_text)
    start = starts[row, number]
    # A text ends where the next one of its row begins, or the row's padding.
    stop = np.where(
        np.append(row[1:], -1) == row,
        np.append(start[1:], 0),
        lengths(rows)[row],
    )
    places = np.arange(rows["input_ids"].shape[1])
    text, place = np.nonzero(places < (stop - start)[:, None])
    texts = {}
    for name in _TOKENS:
        values = rows[name]
        texts[name] = np.zeros((len(row), values.shape[1]), values.dtype)
        texts[name][text, place] = values[row[text], start[text] + place]
    texts[_LABELS] = rows[_LABELS][row, number][:, None]

    in_row, place = np.nonzero(rows["masked_lm_weights"])
    # The text of each prediction, by where it and the texts are in all rows.
    text = np.searchsorted(
        row * len(places) + start,
        in_row * len(places) + rows["masked_lm_positions"][in_row, place],
        side="right",
    )
    text -= 1
    where = np.arange(len(text)) - np.searchsorted(text, text)
    for name in _PREDICTIONS:
        values = rows[name]
        texts[name] = np.zeros((len(row), values.shape[1]), values.dtype)
        texts[name][text, where] = values[in_row, place]
    texts["masked_lm_positions"][text, where] -= start[text]
    return texts, row


def unmask(texts: Arrays) -> np.ndarray:
    """Returns the ids as they were before they were masked, [n, S]."""
    ids = texts["input_ids"].copy()
    _put_back(ids, texts, *np.nonzero(texts["masked_lm_weights"]))
    return ids


def _put_back(
    ids: np.ndarray, rows: Arrays, row: np.ndarray, place: np.ndarray
) -> None:
    """Undoes, in place, the masks of some predictions."""
    positions = rows["masked_lm_positions"][row, place]
    ids[row, positions] = rows["masked_lm_ids"][row, place]


def lengths(rows: Arrays) -> np.ndarray:
    """Returns how many ids each row has up to its padding, at least 1: [R]."""
    mask = rows["input_mask"]
    places = np.arange(1, mask.shape[1] + 1)
    return np.maximum(((mask != 0) * places).max(axis=1), 1)

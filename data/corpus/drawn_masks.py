"""Masks that are drawn anew, each time that a row is trained on.

The rules are those of `instance_rows.features`. The random numbers of a text
follow from the seed, the number of its row in the run and its own in the row:
so a run that goes on, other workers or parts of a batch change nothing.

Source: Liu et al. 2019 (RoBERTa), section 4.1.
"""

import numpy as np

from bert.data.corpus import instance_rows, packed_texts
from bert.data.corpus.draws import seeded
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.packed_texts import Arrays
from bert.data.corpus.record_fields import TEXT_STARTS


def draw(
    seed: int,
    numbers: np.ndarray,
    rows: Arrays,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
) -> Arrays:
    """Returns rows with other masks, or with masks where they had none.

    Args:
        seed: of the run.
        numbers: of the rows in the run, int [R].
        rows: the fields of records, of one text or several; unmasked by their
            labels.
        settings: what to mask.
        vocabulary: the one that the ids are of.
    """
    texts, row = rows, np.arange(len(numbers))
    if is_packed := TEXT_STARTS in rows:
        texts, row = packed_texts.texts_of(rows)
    in_row = np.arange(len(row)) - np.searchsorted(row, row)
    size = instance_rows.num_random_bytes(settings)
    random_bytes = b"".join(
        seeded(seed, "masks", *place).randbytes(size)
        for place in zip(numbers[row].tolist(), in_row.tolist(), strict=True)
    )
    is_first = (texts["input_mask"] != 0) & (texts["segment_ids"] == 0)
    masked: Arrays = instance_rows.features(
        instance_rows.Rows(
            packed_texts.unmask(texts),
            is_first.sum(axis=1),
            packed_texts.lengths(texts),
        ),
        texts["next_sentence_labels"][:, 0],
        random_bytes,
        settings,
        vocabulary,
    )
    if is_packed:
        masked = packed_texts.lay_out(masked, row)
    return {name: masked[name].astype(rows[name].dtype) for name in rows}

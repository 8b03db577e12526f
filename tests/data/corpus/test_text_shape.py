"""Text in a form that spoils the records is warned of, and no other."""

import pytest

from bert.data.corpus import text_shape
from bert.data.corpus.documents import Documents


def documents(*sizes):
    """Returns documents of sentences of so many ids."""
    made = Documents()
    for sentences in sizes:
        for size in sentences:
            made.add_sentence(range(size))
        made.end_document()
    return made


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([[5, 5]] * 3 + [[5]] * 2, None),
        ([[5, 5]] * 2 + [[5]] * 2, "2 of 4 documents are one line"),
        ([[13, 7]] * 9, None),  # just fits
        ([[15, 7, 7, 7, 7]] * 9, None),  # 2 of 43 are lost
        (
            [[113, 7]],
            "1 of 2 lines are longer than --max_seq_length=16: at least 100 of "
            "their 120 word pieces (83 %) are cut off and lost.",
        ),
    ],
)
def test_what_is_warned_of(sizes, expected, caplog):
    text_shape.warn(documents(*sizes), 16, ["a", "b", "c", "d"])
    if expected is None:
        assert not caplog.messages
        return
    (message,) = caplog.messages
    assert expected in message
    assert "(in a, b, c, ...)" in message

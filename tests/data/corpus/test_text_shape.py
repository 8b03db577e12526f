"""Text in a form that spoils the records is warned of, and no other."""

import numpy as np
import pytest

from bert.data.corpus import text_shape
from bert.data.corpus.documents import Documents
from bert.errors import UserError
from tests.data.corpus.test_instance_settings import make_settings


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
    text_shape.check(documents(*sizes), make_settings(), list("abcd"))
    messages = [m for m in caplog.messages if "is one document" not in m]
    assert len(messages) == len(caplog.messages) - (len(sizes) == 1)
    if expected is None:
        assert not messages
        return
    (message,) = messages
    assert expected in message
    assert "(in a, b, c, ...)" in message


def test_each_objective_asks_for_other_text(caplog):
    def check(*sizes, objective):
        caplog.clear()
        settings = make_settings(next_sentence=objective)
        text_shape.check(documents(*sizes), settings, ["a"])
        return [message.partition(":")[2] for message in caplog.messages]

    one_line = " the two texts of their records are parts of one sentence."
    (message,) = check([5], [6], objective="sop")
    assert message.startswith(one_line)
    assert len(check([5], objective="nsp")) == 2  # also: one document
    assert not check([5], objective="none")
    # Of [CLS] a [SEP] there is room for an id more.
    assert check([14, 2], [14, 2], objective="none") == []
    assert check([1], [1, 1], objective="sop")
    with pytest.raises(UserError, match=r"sop needs two texts.*a, whose"):
        check([1], [1], objective="sop")


@pytest.mark.parametrize("of", [list, np.array])
def test_text_that_the_vocabulary_has_no_pieces_for_is_warned_of(of, caplog):
    made = documents([5, 5])  # 0 is in it twice
    made.ids = of(made.ids)
    text_shape.warn_of_unknown(made, 7, "vocab.txt", ["a"])
    assert not caplog.text
    text_shape.warn_of_unknown(made, 0, "vocab.txt", ["a"])
    assert "20 % of 10 word pieces are [UNK]: --vocab_file=vocab.txt" in (
        caplog.text
    )

import copy
import pickle

import pytest

from bert.data.text.vocab import Vocab


@pytest.mark.parametrize(
    "change",
    [
        lambda vocab: vocab.__setitem__("new", 2),
        lambda vocab: vocab.__delitem__("a"),
        lambda vocab: vocab.__ior__({"new": 2}),
        lambda vocab: vocab.clear(),
        lambda vocab: vocab.pop("a"),
        lambda vocab: vocab.popitem(),
        lambda vocab: vocab.setdefault("new", 2),
        lambda vocab: vocab.update(new=2),
    ],
)
def test_every_change_is_counted(change):
    vocab = Vocab(a=0, bb=1)
    plain = dict(vocab)

    assert change(vocab) == change(plain) or vocab == plain
    assert vocab == plain
    assert vocab.changes == 1


def test_the_longest_token_is_known_after_a_change():
    vocab = Vocab(a=0, bb=1)
    assert vocab.longest == 2
    vocab["cccc"] = vocab.pop("a")
    assert vocab.longest == 4
    vocab.clear()
    assert vocab.longest == 0


def test_it_can_be_copied_and_sent():
    vocab = Vocab(a=0)
    for other in (copy.deepcopy(vocab), pickle.loads(pickle.dumps(vocab))):
        assert (other, type(other)) == (vocab, Vocab)

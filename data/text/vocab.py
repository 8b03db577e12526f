"""Tokenizers and vocabularies that tell when they change.

Code for the original adds words to a tokenizer's `vocab`, or puts them in the
place of `[unused1]`, and replaces a tokenizer's parts; what is remembered of
words is then out of date. Imports neither TensorFlow nor NumPy.
"""

from collections.abc import Callable


class Watched:
    """What counts how often attributes are set, of all instances together.

    One number that is cheap to look at: who remembers something looks again
    where it has grown.
    """

    changes = 0

    def __setattr__(self, name: str, value: object) -> None:
        Watched.changes += 1
        super().__setattr__(name, value)


class Vocab(dict[str, int]):
    """Token to id, as a dict.

    Attributes:
        changes: how often it may have changed; `Watched` counts that, too.
    """

    changes = 0
    _longest = (-1, 0)  # at which change, and what it was

    @property
    def longest(self) -> int:
        """The characters of the longest token."""
        if self._longest[0] != self.changes:
            self._longest = self.changes, max(map(len, self), default=0)
        return self._longest[1]


def _counted(name: str) -> Callable:
    change = getattr(dict, name)

    def method(self, *args, **kwargs):
        self.changes += 1
        Watched.changes += 1
        return change(self, *args, **kwargs)

    return method


for _name in (
    *("__delitem__", "__ior__", "__setitem__"),
    *("clear", "pop", "popitem", "setdefault", "update"),
):
    setattr(Vocab, _name, _counted(_name))

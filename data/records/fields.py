"""What is in a record: a table of fields; imports no TensorFlow.

A table is a tuple of `Field`s: `record_writer` writes a file by it, and
`record_files` checks and parses one by it.
"""

from typing import Literal, NamedTuple

from bert.tasks.spec import INPUTS


class Field(NamedTuple):
    """One feature of a record; all have a fixed length.

    Attributes:
        name: its key in the tf.train.Example.
        length: how many numbers it holds.
        dtype: what they are in the file.
        per_token: whether it has a number for each position of the sequence,
            so that padding can be cut off.
        sequences: how many sequences of equal length it holds, one after the
            other.
    """

    name: str
    length: int
    dtype: Literal["int64", "float32"] = "int64"
    per_token: bool = False
    sequences: int = 1

    @property
    def shape(self) -> list[int]:
        """The shape of its tensor in a batch, without the batch axis."""
        if self.sequences == 1:
            return [self.length]
        return [self.sequences, self.length // self.sequences]


def sequence_fields(seq_length: int, sequences: int = 1) -> tuple[Field, ...]:
    """Returns the fields of what every encoder takes.

    Args:
        seq_length: the flag max_seq_length, S.
        sequences: how many sequences a record has.
    """
    return tuple(
        Field(name, sequences * seq_length, per_token=True, sequences=sequences)
        for name in INPUTS
    )

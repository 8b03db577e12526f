"""What a model reads of a text that does not fit into a sequence.

Of a text of more than S - 2 pieces (S: max_seq_length; [CLS] and [SEP] take
two places), by what is cut off:

    end        read is the start; the original's rule
    start      read is the end
    middle     read are a quarter from the start and the rest from the end
    windows    all is read, in sequences that begin every doc_stride pieces

Imports neither TensorFlow nor NumPy.

Source: Sun et al. 2019, section 5.3.1 (middle).
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from bert.data.records import packing
from bert.data.records.packing import Packed, SpecialIds

TRUNCATIONS = ("end", "start", "middle", "windows")
WINDOW_POOLINGS = ("mean", "max")


@dataclasses.dataclass(frozen=True)
class LongTexts:
    """How texts that are too long are read.

    Attributes:
        truncation: one of TRUNCATIONS. Pairs of texts have `end` alone.
        doc_stride: of windows: pieces from the start of one to that of the
            next; one that is longer than a window counts as that.
        max_windows: of windows: how many of a text are read.
        window_pooling: of windows: one of WINDOW_POOLINGS; how their logits
            become the text's.

    Raises:
        ValueError: a value is none of these, or goes with another truncation.
    """

    truncation: str = "end"
    doc_stride: int | None = None
    max_windows: int | None = None
    window_pooling: str | None = None

    def __post_init__(self):
        if self.truncation not in TRUNCATIONS:
            raise ValueError(f"truncation {self.truncation!r}")
        for name in ("doc_stride", "max_windows"):
            value = getattr(self, name)
            if self.is_windows:
                fits = type(value) is int and value >= 1
            else:
                fits = value is None
            if not fits:
                raise ValueError(f"{name} {value!r} of {self.truncation}")
        poolings = WINDOW_POOLINGS if self.is_windows else (None,)
        if self.window_pooling not in poolings:
            raise ValueError(
                f"window_pooling {self.window_pooling!r} of {self.truncation}"
            )

    @property
    def is_windows(self) -> bool:
        """Whether a text may become several sequences."""
        return self.truncation == "windows"

    @property
    def takes_pairs(self) -> bool:
        """Whether texts may be pairs."""
        return self.truncation == "end"

    def to_dict(self) -> dict[str, str | int]:
        """Returns the values that there are; {} for the original's rule."""
        if self == END:
            return {}
        values = dataclasses.asdict(self)
        return {k: v for k, v in values.items() if v is not None}

    def flags(self) -> str:
        """Returns the flags of run_classifier.py that say so."""
        values = {"truncation": self.truncation, **self.to_dict()}
        return " ".join(f"--{name}={value}" for name, value in values.items())

    def pack(
        self,
        text_a: str,
        text_b: str | None,
        encode: Callable[[str, int | None], list[int]],
        special: SpecialIds,
        seq_length: int,
    ) -> list[Packed]:
        """Returns the sequences of a text or a pair; at least one.

        Of those the first max_windows are read.

        Args:
            text_a: the text, or the first one.
            text_b: the second one.
            encode: text → ids, the first so many of them, or all for None.
            special: [CLS] and [SEP].
            seq_length: S, at least 3.

        Raises:
            ValueError: a pair, where there may be none.
        """
        room = seq_length - 2
        if self.takes_pairs:

            def encode_start(text: str) -> list[int]:
                # More of it is cut off, whatever the other text is.
                return encode(text, room)

            return [
                packing.pack_texts(
                    text_a, text_b, encode_start, special, seq_length
                )
            ]
        if text_b:
            raise ValueError("Expected a single text. Received: a pair.")
        parts = self.parts(encode(text_a, self._most_ids(room)), room)
        return [packing.pack_single(part, special) for part in parts]

    def parts(self, ids: list[int], room: int) -> list[list[int]]:
        """Returns what is read of a single text; at least one list.

        Args:
            ids: of its pieces.
            room: how many fit into a sequence, at least 1.
        """
        if self.is_windows:
            assert self.doc_stride is not None
            spans = list(windows(len(ids), room, self.doc_stride))
            found = [ids[start : start + n] for start, n in spans]
            return found or [[]]
        first, last = self.ends(room)
        if len(ids) > room:
            ids = ids[:first] + ids[len(ids) - last :]
        return [ids]

    def _most_ids(self, room: int) -> int | None:
        """Returns how many of a text's first pieces decide; None: all do."""
        if self.max_windows is None or self.doc_stride is None:
            return None
        stride = min(self.doc_stride, room)
        # One more, which says that there is another window.
        return room + (self.max_windows - 1) * stride + 1

    def ends(self, room: int) -> tuple[int, int]:
        """Returns how many pieces of a long text's start and end are read."""
        first = {"end": room, "start": 0, "middle": room // 4}[self.truncation]
        return first, room - first


# The original's rule.
END = LongTexts()


def windows(
    num_pieces: int, room: int, doc_stride: int
) -> Iterator[tuple[int, int]]:
    """Yields (first piece, length) of the windows over a text.

    Args:
        num_pieces: the text's; 0 for no window.
        room: pieces of a window.
        doc_stride: pieces from the start of one to that of the next.
    """
    start = 0
    while start < num_pieces:
        length = min(num_pieces - start, room)
        yield start, length
        if start + length == num_pieces:
            return
        # No piece is left out where the stride is longer than a window.
        start += min(length, doc_stride)


def pad(
    sequences: Sequence[Packed], num: int, seq_length: int
) -> dict[str, list[int]]:
    """Returns the features of a text's sequences, one after the other.

    Args:
        sequences: at most `num`; those that are missing are all padding.
        num: how many places there are, W.
        seq_length: S.

    Returns:
        As `packing.pad`, each W * S ints.
    """
    missing = [Packed([], 0)] * (num - len(sequences))
    features: dict[str, list[int]] = {}
    for each in (*sequences, *missing):
        for name, values in packing.pad(each, seq_length).items():
            features.setdefault(name, []).extend(values)
    return features

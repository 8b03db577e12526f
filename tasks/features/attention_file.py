"""The file of attention: a .npz with two arrays for each line of text.

    attention_0   float32 [layers, heads, S, S], of the first line: how much
                  (0 to 1) each token, of the third axis, looks at each one,
                  of the fourth
    tokens_0      text [S]

Written line by line, so that memory does not grow with it.
"""

import contextlib
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np

from bert.files import atomic_files
from bert.tasks.features import feature_files


class AttentionFile:
    """Writes lines, in their order.

    Args:
        archive: open for writing.
    """

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        self._num_rows = 0

    def write(self, tokens: Sequence[str], probs: np.ndarray) -> None:
        """Appends a line.

        Args:
            tokens: [S].
            probs: float32 [layers, heads, S, S].
        """
        arrays = {"attention": probs, "tokens": np.array(tokens)}
        for name, array in arrays.items():
            entry = f"{name}_{self._num_rows}"
            with feature_files.npz_entry(self._archive, entry) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array))
        self._num_rows += 1


@contextlib.contextmanager
def writer(path: str) -> Iterator[AttentionFile]:
    """Writes a local file that is there when it is whole or not at all."""
    with (
        atomic_files.replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", allowZip64=True) as archive,
    ):
        yield AttentionFile(archive)

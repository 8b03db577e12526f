"""Files of vectors: JSON lines as the original writes them, and .npz.

Both are written row by row, so that memory does not grow with them. What a row
holds is float32, [L, T, D] or, pooled, [L, D]: L layers, T tokens, D hidden.
"""

import contextlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Protocol

import numpy as np

from bert.data.tables import decimal_text
from bert.files import atomic_files
from bert.files.file_bytes import gfile


class Writer(Protocol):
    """Writes rows to a file, in their order."""

    def write(self, tokens: Sequence[str], values: np.ndarray) -> None:
        """Appends a row.

        Args:
            tokens: [T].
            values: float32 [L, T, D], or [L, D].
        """


class JsonLines:
    """One JSON object a line, as the original's extract_features.py.

    Args:
        file: open for bytes.
        layers: the layers' indices as they are to be named.
    """

    def __init__(self, file: IO[bytes], layers: Sequence[int]):
        self._file = file
        self._layers = layers
        self._num_rows = 0

    def write(self, tokens: Sequence[str], values: np.ndarray) -> None:
        """See `Writer`."""
        if values.ndim == 2:
            (layers,) = self._layers_of(values[None])
            content = f'"layers": {layers}'
        else:
            features = ", ".join(
                f'{{"token": {json.dumps(token)}, "layers": {layers}}}'
                for token, layers in zip(
                    tokens, self._layers_of(values.swapaxes(0, 1)), strict=True
                )
            )
            content = f'"features": [{features}]'
        line = f'{{"linex_index": {self._num_rows}, {content}}}\n'
        self._file.write(line.encode("ascii"))
        self._num_rows += 1

    def _layers_of(self, values: np.ndarray) -> Iterator[str]:
        """Yields the JSON of the layers of each token of [T, L, D]."""
        size = values.shape[-1]
        texts = iter(decimal_text.join_rounded(values.reshape(-1, size)))
        for _ in values:
            layers = ", ".join(
                f'{{"index": {index}, "values": [{next(texts)}]}}'
                for index in self._layers
            )
            yield f"[{layers}]"


class _Column:
    """An array of a .npz file that grows by rows, in a temporary file."""

    def __init__(self, dtype: np.dtype, row_shape: Sequence[int], folder: str):
        self._dtype = dtype
        self._row_shape = tuple(row_shape)
        self._num_rows = 0
        # Without a name: it is gone with the process, whatever happens.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115

    def append(self, rows: np.ndarray) -> None:
        self._file.write(np.asarray(rows, self._dtype).tobytes())
        self._num_rows += len(rows)

    def copy_to(self, file: IO[bytes]) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._num_rows, *self._row_shape),
        }
        np.lib.format.write_array_header_1_0(file, header)
        self._file.seek(0)
        shutil.copyfileobj(self._file, file, 2**20)

    def close(self) -> None:
        self._file.close()


class Npz:
    """Arrays that `numpy.load` reads without pickle.

    Pooled: `layer_<index>`, float32 [rows, D], for each layer. Otherwise the
    tokens of all rows one after the other, `layer_<index>` float32 [tokens,
    D] and `tokens`, text [tokens]; row i has those from `row_offsets[i]` to
    `row_offsets[i + 1]`, int64 [rows + 1].

    Args:
        folder: for temporary files, which need as much room as the result.
        layers: the layers' indices as they are to be named.
        size: D.
        longest_token: characters of the longest one; 0: the rows are pooled.
    """

    def __init__(
        self, folder: str, layers: Sequence[int], size: int, longest_token: int
    ):
        def column(dtype: str, *row_shape: int) -> _Column:
            return _Column(np.dtype(dtype), row_shape, folder)

        self._layers = [
            (f"layer_{index}", column("<f4", size)) for index in layers
        ]
        self._columns = dict(self._layers)
        self._num_tokens = 0
        if longest_token:
            self._columns["tokens"] = column(f"<U{longest_token}")
            self._columns["row_offsets"] = column("<i8")
            self._columns["row_offsets"].append(np.zeros([1]))

    def write(self, tokens: Sequence[str], values: np.ndarray) -> None:
        """See `Writer`."""
        if values.ndim == 2:
            values = values[:, None]
        else:
            self._num_tokens += len(tokens)
            self._columns["tokens"].append(np.array(tokens))
            self._columns["row_offsets"].append(np.array([self._num_tokens]))
        for (_, column), vectors in zip(self._layers, values, strict=True):
            column.append(vectors)

    def save(self, path: str) -> None:
        """Writes the file."""
        with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
            for name, column in self._columns.items():
                with npz_entry(archive, name) as file:
                    column.copy_to(file)

    def close(self) -> None:
        """Removes the temporary files."""
        for column in self._columns.values():
            column.close()


def npz_entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Opens an array of a .npz file for writing."""
    entry = zipfile.ZipInfo(f"{name}.npy")  # and no time of day
    return archive.open(entry, "w", force_zip64=True)


@contextlib.contextmanager
def writer(
    path: str, layers: Sequence[int], size: int, longest_token: int
) -> Iterator[Writer]:
    """Writes a file that is there when it is whole or not at all.

    Args:
        path: a local one ending in .npz, or one for JSON lines.
        layers: the layers' indices as they are to be named.
        size: D.
        longest_token: characters of the longest one; 0: the rows are pooled.
    """
    with atomic_files.replacing(path) as temporary:
        if not path.endswith(".npz"):
            with gfile().GFile(temporary, "wb") as file:
                yield JsonLines(file, layers)
            return
        folder = os.path.dirname(temporary)
        with contextlib.closing(
            Npz(folder, layers, size, longest_token)
        ) as arrays:
            yield arrays
            arrays.save(temporary)

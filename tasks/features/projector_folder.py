"""The folder of vectors that TensorBoard's projector shows.

    projector_config.pbtxt   what belongs to what
    layer_-1.tsv             a vector a line, for each layer
    metadata.tsv             what each vector is of

Vectors are text: of binary ones TensorBoard 2.21 asks first whether they might
be text, and fails where they might. Written row by row, so that memory does
not grow with it.
"""

import contextlib
import fnmatch
import os
from collections.abc import Iterator, Sequence
from typing import TextIO

import numpy as np

from bert.data.tables import decimal_text
from bert.errors import UserError
from bert.files import atomic_files

_CONFIG, _METADATA = "projector_config.pbtxt", "metadata.tsv"
_OURS = (_CONFIG, _METADATA, "layer_*.tsv")


class ProjectorFolder:
    """Writes rows, in their order.

    Args:
        metadata: open for text.
        layers: a file for each layer.
    """

    def __init__(self, metadata: TextIO, layers: Sequence[TextIO]):
        self._metadata = metadata
        self._layers = layers
        self._num_rows = 0

    def write(self, tokens: Sequence[str], values: np.ndarray) -> None:
        """Appends a row: a point, or one for each token.

        Args:
            tokens: [T].
            values: float32 [layers, D], or [layers, T, D].
        """
        columns, names = ["token", "line", "position"], list(tokens)
        if values.ndim == 2:
            values = values[:, None]
            columns, names = ["text", "line"], [_text(tokens)]
        if not self._num_rows:
            self._metadata.write("\t".join(columns) + "\n")
        for position, name in enumerate(names):
            place = (name, self._num_rows, position)[: len(columns)]
            self._metadata.write("\t".join(map(str, place)) + "\n")
        for file, vectors in zip(self._layers, values, strict=True):
            for line in decimal_text.join_rounded(vectors):
                file.write(line.replace(", ", "\t") + "\n")
        self._num_rows += 1


def _text(tokens: Sequence[str]) -> str:
    """Returns what can be read of a row, without [CLS] and the last [SEP]."""
    return " ".join(tokens[1:-1]).replace(" ##", "")


@contextlib.contextmanager
def writer(path: str, layers: Sequence[int]) -> Iterator[ProjectorFolder]:
    """Writes a local folder that is there when it is whole or not at all.

    Args:
        path: the folder's.
        layers: the layers' indices as they are to be named, no two the same.
    """
    with (
        atomic_files.replacing_folder(path) as folder,
        contextlib.ExitStack() as files,
    ):

        def new(name: str) -> TextIO:
            file = os.path.join(folder, name)
            return files.enter_context(
                open(file, "w", encoding="utf-8", newline="\n")
            )

        names = [f"layer_{index}" for index in layers]
        yield ProjectorFolder(
            new(_METADATA), [new(f"{name}.tsv") for name in names]
        )
        new(_CONFIG).writelines(
            f'embeddings {{\n  tensor_name: "{name}"\n'
            f'  tensor_path: "{name}.tsv"\n'
            f'  metadata_path: "{_METADATA}"\n}}\n'
            for name in names
        )


def check(path: str) -> None:
    """Makes sure that a folder will replace nothing but an earlier one.

    Raises:
        UserError: there is something else, or nothing can be written there.
    """
    if reason := atomic_files.why_no_folder(path):
        raise UserError(f"--projector_dir={path} {reason}.")
    atomic_files.restore_folder(path)
    if not os.path.exists(path):
        return
    what = None
    if not os.path.isdir(path):
        what = "a file"
    elif foreign := sorted(
        name
        for name in os.listdir(path)
        if not any(fnmatch.fnmatchcase(name, ours) for ours in _OURS)
    ):
        what = f"a folder with {foreign[0]}"
    if what:
        raise UserError(
            f"--projector_dir={path} must be missing, empty or written by an "
            f"earlier run. Received: {what}; name another."
        )

"""The weights of a Hugging Face folder: its safetensors files."""

import collections
import json
import os
from collections.abc import Mapping

import numpy as np
import safetensors

from bert.conversion.json_files import read_json
from bert.errors import UserError
from bert.modeling import weight_values

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLE = "pytorch_model.bin"

_FLOATS = ("F16", "BF16", "F32", "F64")


class Tensors:
    """The tensors of a folder's safetensors files, by name.

    Args:
        folder: holds `model.safetensors`, or several files and
            `model.safetensors.index.json`.

    Attributes:
        shapes: by name.

    Raises:
        UserError: a file is missing or damaged, or a name is there twice.
    """

    def __init__(self, folder: str):
        self._file_of: dict[str, safetensors.safe_open] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._dtypes: dict[str, str] = {}
        for path in _weight_files(folder):
            file = _open(path)
            for name in file.keys():  # noqa: SIM118 (it is no dict)
                if name in self._file_of:
                    raise UserError(
                        f"{path} has {name}, which another file beside it "
                        "has too; each tensor must be there once."
                    )
                entry = file.get_slice(name)
                self._file_of[name] = file
                self.shapes[name] = tuple(entry.get_shape())
                self._dtypes[name] = entry.get_dtype()

    def read(self, name: str) -> np.ndarray:
        """Returns a tensor as float32.

        Raises:
            UserError: its numbers are no floats, or not all finite in float32.
        """
        if self._dtypes[name] not in _FLOATS:
            raise UserError(
                f"{name} must hold floating-point numbers. "
                f"Received: {self._dtypes[name]}."
            )
        # NumPy knows bfloat16 from the package ml_dtypes, which TensorFlow
        # imports.
        return weight_values.as_float32(
            name, self._file_of[name].get_tensor(name)
        )


def has_weights(folder: str) -> bool:
    """Whether a folder has weights, be they in a format that is read or not."""
    return any(
        os.path.exists(os.path.join(folder, name))
        for name in (WEIGHTS, INDEX, PICKLE)
    )


def _weight_files(folder: str) -> list[str]:
    """Returns the paths of the files that hold the weights."""
    single = os.path.join(folder, WEIGHTS)
    if os.path.exists(single):
        return [single]
    index = os.path.join(folder, INDEX)
    if os.path.exists(index):
        files = read_json(index).get("weight_map")
        if not isinstance(files, Mapping) or not all(
            isinstance(name, str) and os.path.basename(name) == name
            for name in files.values()
        ):
            raise UserError(
                f"{index} must hold a weight_map, tensor → name of a file "
                "beside it."
            )
        return [
            os.path.join(folder, name) for name in sorted({*files.values()})
        ]
    if os.path.exists(os.path.join(folder, PICKLE)):
        raise UserError(
            f"{folder} has a pickle, which can run any code when it is read; "
            "make it safe: safetensors.torch.save_file({k: "
            "v.clone() for k, v in torch.load('pytorch_model.bin', "
            "weights_only=True).items()}, 'model.safetensors')."
        )
    found = ", ".join(sorted(os.listdir(folder))[:8])
    raise UserError(f"Expected {single}. Received a folder with: {found}.")


def _open(path: str) -> safetensors.safe_open:
    """Opens a file, or raises UserError."""
    try:
        if not os.path.isfile(path):
            raise UserError(
                f"Expected a file of weights at {path}; it is none."
            )
        file = safetensors.safe_open(path, framework="np")
        _check_names(path)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error}.") from error
    except safetensors.SafetensorError as error:
        raise UserError(
            f"{path} is truncated, damaged or no safetensors file "
            f"({os.path.getsize(path)} bytes; {error}); get it again."
        ) from error
    return file


def _check_names(path: str) -> None:
    """Raises UserError if a safetensors file has a name twice.

    The package keeps the last of them only. Call it where the package has
    read the header, and so found it sound.
    """
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        text = file.read(size)
    try:
        header = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise UserError(f"The header of {path} is odd: {error}.") from error
    for name, count in collections.Counter(name for name, _ in header).items():
        if count > 1:
            raise UserError(
                f"{path} has {name} {count} times; each tensor must be there "
                "once."
            )

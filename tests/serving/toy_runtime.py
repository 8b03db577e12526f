"""A runtime that needs no package: its file names the SavedModel to call."""

import json
import shutil
from pathlib import Path

from bert.model_folder import formats
from bert.model_folder.saved_model import SavedModel

ROW = formats.Runtime("tests.serving.toy_runtime:ToyModel", "json", "onnx")


class ToyModel:
    """A `formats.Model`."""

    def __init__(self, path):
        self._model = SavedModel(json.loads(Path(path).read_text()))

    def __call__(self, inputs):
        return self._model.compute(inputs)


def use(monkeypatch) -> None:
    """Lets the toy stand for all runtimes."""
    for name in formats.RUNTIMES:
        monkeypatch.setitem(formats.RUNTIMES, name, ROW)


def write(export_dir: str, folder: Path, *names: str) -> str:
    """Writes what compress_model.py would, with these formats."""
    shutil.copytree(f"{export_dir}/assets", folder / "assets")
    for name in names:
        text = json.dumps(export_dir)
        (folder / formats.FORMATS[name].file).write_text(text)
    return str(folder)

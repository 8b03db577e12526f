"""Checkpoints and configurations of the goldens, for other tests to change."""

import json
import shutil
from pathlib import Path

import numpy as np

from bert.modeling import checkpoint


def copy(prefix: Path, folder: Path) -> None:
    """Copies the files of a checkpoint into a folder, which is made."""
    folder.mkdir(exist_ok=True)
    for part in ("index", "data-00000-of-00001"):
        shutil.copy(f"{prefix}.{part}", folder)


def put(prefix: Path, folder: Path, at: str = "") -> None:
    """Copies a checkpoint, and lets the folder's `checkpoint` name it.

    Args:
        prefix: the checkpoint's.
        folder: is made.
        at: a folder that `checkpoint` names in front of it.
    """
    copy(prefix, folder)
    (folder / "checkpoint").write_text(
        f'model_checkpoint_path: "{at}{prefix.name}"\n'
        f'all_model_checkpoint_paths: "{at}{prefix.name}"\n'
    )


def tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint, or of a folder's newest one, by name."""
    reader = checkpoint.Reader(str(path))
    return {name: reader.read(name) for name in reader.shapes}


def changed_config(golden: Path, folder: Path, **changes: object) -> str:
    """The flag that names a copy of model_base's configuration with changes."""
    config = json.loads((golden / "model_base/bert_config.json").read_text())
    path = folder / "changed_config.json"
    path.write_text(json.dumps(config | changes))
    return f"--bert_config_file={path}"

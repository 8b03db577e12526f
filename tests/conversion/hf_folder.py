"""Makes Hugging Face folders of golden models, and converts them back."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bert import convert_checkpoint
from bert.errors import UserError
from tests.modeling import checkpoints


def hf_name(name: str) -> str:
    """What Hugging Face calls a tensor of the original's checkpoint."""
    if name.startswith("cls/predictions/output_bias"):
        return "cls.predictions.bias"
    name = re.sub(r"layer_(\d+)", r"layer.\1", name)
    name = re.sub(r"(_embeddings)$", r"\1/weight", name)
    name = re.sub(r"(kernel|gamma|output_weights)$", "weight", name)
    name = re.sub(r"(beta|output_bias)$", "bias", name)
    return name.replace("/", ".")


def old_name(name: str) -> str:
    """The same in the spelling of the first years."""
    name = re.sub(r"LayerNorm\.weight$", "LayerNorm.gamma", name)
    return re.sub(r"LayerNorm\.bias$", "LayerNorm.beta", name)


def golden_tensors(golden: Path) -> dict[str, np.ndarray]:
    """The tensors of model_base by the original's names."""
    return checkpoints.tensors(golden / "model_base")


def hf_tensors(golden: Path) -> dict[str, np.ndarray]:
    """The same as Hugging Face has them."""
    return {
        hf_name(name): np.ascontiguousarray(
            value.T if name.endswith("kernel") else value
        )
        for name, value in golden_tensors(golden).items()
    }


def hf_config(golden: Path) -> dict:
    """What config.json of that model would hold."""
    values = json.loads((golden / "model_base/bert_config.json").read_text())
    return values | {
        "model_type": "bert",
        "architectures": ["BertForPreTraining"],
        "hidden_act": "gelu_new",
        "layer_norm_eps": 1e-12,
        "position_embedding_type": "absolute",
        "transformers_version": "4.40.0",
    }


def write(golden: Path, folder: Path, tensors=None, **changes) -> Path:
    """Makes the folder.

    Args:
        golden: the goldens.
        folder: to make.
        tensors: what it holds, by default all of model_base.
        **changes: of config.json; None removes a key.
    """
    folder.mkdir(parents=True)
    save_file(
        hf_tensors(golden) if tensors is None else tensors,
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    values = {
        key: value
        for key, value in (hf_config(golden) | changes).items()
        if value is not None
    }
    (folder / "config.json").write_text(json.dumps(values))
    shutil.copyfile(golden / "inputs/vocab.txt", folder / "vocab.txt")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    return folder


def convert(folder: Path, output: Path | None = None, **options) -> Path:
    """Converts a folder; returns the one it became."""
    output = output or folder.parent / "out"
    convert_checkpoint.convert(
        convert_checkpoint.Config(
            input_dir=str(folder), output_dir=str(output), **options
        )
    )
    return output


def read(folder: Path) -> dict[str, np.ndarray]:
    """The tensors of a converted folder."""
    return checkpoints.tensors(folder / "bert_model.ckpt")


def assert_golden(folder: Path, golden: Path, atol: float = 0.0) -> None:
    """Fails unless a converted folder has all tensors of model_base."""
    found, expected = read(folder), golden_tensors(golden)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], value, rtol=0, atol=atol)


def assert_refused(folder: Path, output: Path, message: str, **options) -> None:
    """Fails unless one line says message and folder, and nothing is made."""
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        convert(folder, output, **options)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not output.exists()


def assert_spoilt_refused(
    golden: Path, parent: Path, spoil: Callable[[Path], object], message: str
) -> None:
    """Does as `assert_refused` with a sound folder that `spoil` spoils."""
    folder = write(golden, parent / "hf")
    spoil(folder)
    assert_refused(folder, parent / "out", message)


def remove(name: str):
    """What takes a file out of a folder."""
    return lambda folder: (folder / name).unlink()


def put(name: str, content: bytes):
    """What gives a file in a folder another content."""
    return lambda folder: (folder / name).write_bytes(content)

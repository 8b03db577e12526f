"""The tiny GPT of tests/golden, as a model's folder."""

import importlib.util
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bert.conversion import openai_gpt, output_folder
from bert.data.text import gpt_tokenizer
from bert.data.text.gpt_tokenizer import GptTokenizer
from tests.conversion import run_folder

NUM_HEADS = 2
VOCAB = "encoder_bpe_40000.json"
MERGES = "vocab_40000.bpe"
HAS_EXTRAS = all(map(importlib.util.find_spec, ("ftfy", "spacy")))


@pytest.fixture(scope="module")
def words():
    """Lets words stand between spaces where there is no ftfy and no spaCy."""
    with pytest.MonkeyPatch.context() as patch:
        if not HAS_EXTRAS:
            patch.setattr(gpt_tokenizer, "_EXTRAS", ())
            patch.setattr(GptTokenizer, "_mend_and_split", (str, _split))
        yield


def _split(text: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(text=word) for word in text.split()]


def write(golden: Path, folder: Path) -> Path:
    """Converts it; returns the folder."""
    folder.mkdir(parents=True)
    tensors, texts = openai_gpt.read(str(golden / "gpt/model"), NUM_HEADS)
    writer = output_folder.original_writer(tensors, lambda: texts)
    output_folder.write(str(folder), output_folder.ORIGINAL, writer)
    return folder


def write_run(golden: Path, folder: Path, name: str):
    """Makes the output_dir of a run, as `run_folder.write`; returns the model.

    Its weights are random; its vocabulary is the tiny GPT's.
    """
    model = run_folder.write(
        golden, folder, name, encoder_type="gpt", vocab_size=217
    )
    (folder / "vocab.txt").unlink()
    for file in (VOCAB, MERGES):
        shutil.copy(golden / "gpt/model" / file, folder)
    return model


def flags(folder: Path, output_dir: Path, *more: str) -> list[str]:
    """Returns the flags of a training that starts from the folder."""
    return [
        f"--bert_config_file={folder / 'bert_config.json'}",
        f"--init_checkpoint={folder}",
        f"--output_dir={output_dir}",
        "--max_seq_length=48",
        "--train_batch_size=4",
        "--random_seed=1",
        *more,
    ]

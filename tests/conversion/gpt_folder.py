"""The tiny GPT of tests/golden, as a model's folder."""

from pathlib import Path

from bert.conversion import openai_gpt, output_folder

NUM_HEADS = 2


def write(golden: Path, folder: Path) -> Path:
    """Converts it; returns the folder."""
    folder.mkdir(parents=True)
    tensors, texts = openai_gpt.read(str(golden / "gpt/model"), NUM_HEADS)
    writer = output_folder.original_writer(tensors, lambda: texts)
    output_folder.write(str(folder), output_folder.ORIGINAL, writer)
    return folder

"""Writes the model that work on texts begins with: random weights, our format.

FOLDER/run is what the training of a classifier leaves; with --onnx, which needs
tf2onnx, FOLDER/model.onnx is made of it.
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bert.cli import environment

environment.prepare()

import sizes  # noqa: E402


def main() -> None:
    """Writes what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--onnx", action="store_true")
    args = parser.parse_args()
    if args.onnx:
        write_onnx(args.folder)
    else:
        write_run(args.model, args.folder / "run", args.vocab_file)


def write_run(name: str, run: Path, vocab_file: str) -> None:
    """Writes what training leaves in output_dir."""
    from bert.model_folder import task_files
    from bert.modeling import BertConfig, checkpoint
    from bert.modeling.classifiers import ClassifierModel

    run.mkdir(parents=True, exist_ok=True)
    config_file = run.parent / "bert_config.json"
    config_file.write_text(json.dumps(sizes.model(name).config()))
    model = ClassifierModel(
        BertConfig.from_json_file(str(config_file)),
        sizes.NUM_LABELS,
        init_seed=1,
    )
    task = task_files.Task(
        task="classification",
        kind="classification",
        do_lower_case=True,
        max_seq_length=128,
    )
    task_files.write(str(run), task, str(config_file), vocab_file)
    (run / "labels.txt").write_text("no\nyes\n")
    checkpoint.write_files(
        str(run / "model.ckpt-1"), checkpoint.named_variables(model)
    )


def write_onnx(folder: Path) -> None:
    """Writes the ONNX model of a run."""
    from bert.conversion import onnx
    from bert.model_folder import model_files
    from bert.serving import export

    exported = folder / "export"
    if not exported.exists():
        source = model_files.find(str(folder / "run"))
        export.export(source, str(exported), raw_strings=False)
    temporary = folder / "model.onnx.tmp"
    onnx.make_onnx(str(exported), str(temporary))
    os.replace(temporary, folder / "model.onnx")


if __name__ == "__main__":
    main()

"""Writes the model that work on texts begins with: random weights, our format.

FOLDER/run is what the training of a classifier leaves, FOLDER/compressed, which
needs the runtimes, what compress_model.py makes of it, FOLDER/huggingface what
convert_checkpoint.py does.
"""

import argparse
import json
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
    parser.add_argument(
        "--kind", default="run", choices=("run", "compressed", "huggingface")
    )
    args = parser.parse_args()
    if args.kind == "compressed":
        write_compressed(args.model, args.folder)
    elif args.kind == "huggingface":
        write_huggingface(args.folder)
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


def write_compressed(name: str, folder: Path) -> None:
    """Writes a run's model for the runtimes."""
    from absl import flags

    from bert import compress_model
    from bert.data.records import record_writer
    from bert.model_folder import model_files
    from bert.serving import export
    from bert.tasks import inference

    exported = folder / "export"
    source = model_files.find(str(folder / "run"))
    if not exported.exists():
        export.export(source, str(exported), raw_strings=False)
    batch = sizes.make_batch({"model": name, "rows": 64, "length": 128})
    rows = [
        {field: values[row] for field, values in batch.items()}
        for row in range(len(batch["input_ids"]))
    ]
    eval_file = folder / "eval.tf_record"
    fields = inference.make(source).fields(128)
    record_writer.write(str(eval_file), fields, rows)
    values = flags.FlagValues()
    compress_model.define_flags(values)
    values(
        [
            "compress_model",
            f"--export_dir={exported}",
            f"--output_dir={folder / 'compressed'}",
            f"--eval_file={eval_file}",
            f"--formats={','.join(sizes.FORMATS)}",
            # Random weights: an answer is as good as another.
            "--max_accuracy_drop=1",
        ]
    )
    compress_model.compress(compress_model.Config.from_flags(values))


def write_huggingface(folder: Path) -> None:
    """Writes a run's model for transformers."""
    from absl import flags

    from bert import convert_checkpoint

    values = flags.FlagValues()
    convert_checkpoint.define_flags(values)
    values(
        [
            "convert_checkpoint",
            f"--input_dir={folder / 'run'}",
            f"--output_dir={folder / 'huggingface'}",
        ]
    )
    convert_checkpoint.convert(convert_checkpoint.Config.from_flags(values))


if __name__ == "__main__":
    main()

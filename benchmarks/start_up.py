"""Times what a user waits for before the first work.

    python -m benchmarks.start_up [--rounds=5] [--other=/path/to/checkout]

For each script: --help, a command line that is refused, and, for comparison,
Python alone, `import tensorflow` and `import keras`; then the first work of
tiny commands on tests/golden. Each round runs everything once in a process of
its own, by the clock; printed are medians in seconds as a Markdown table, with
--other also those of that tree and the median of the rounds' ratios.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LIBRARY = {"__init__", "__main__", "errors", "optimization", "tokenization"}
_GOLDEN = ROOT / "tests/golden"
_MODEL = (
    f"--vocab_file={_GOLDEN}/inputs/vocab.txt "
    f"--bert_config_file={_GOLDEN}/model_base/bert_config.json "
    f"--init_checkpoint={_GOLDEN}/model_base/bert_model.ckpt "
)
# Tiny commands; {out} is a folder of their own.
_RUNS = {
    "create_pretraining_data": "--dupe_factor=1 --output_file={out}/records "
    f"--input_file={_GOLDEN}/inputs/corpus_b.txt "
    f"--vocab_file={_GOLDEN}/inputs/vocab.txt",
    "extract_features": f"{_MODEL} --input_file={_GOLDEN}/inputs/features.txt "
    "--output_file={out}/features.jsonl --layers=-1 --max_seq_length=32",
    "run_classifier": f"{_MODEL} --task_name=mrpc --do_predict "
    f"--data_dir={_GOLDEN}/inputs/mrpc --max_seq_length=40 "
    "--output_dir={out}",
    "convert_checkpoint": "--from=original --to=huggingface "
    f"--input_dir={_GOLDEN}/model_base "
    f"--vocab_file={_GOLDEN}/inputs/vocab.txt --output_dir={{out}}/hf",
}


def commands() -> dict[str, list[str]]:
    """Returns the command lines by their names, without the interpreter."""
    found = {
        "python": ["-c", "pass"],
        "import tensorflow": ["-c", "import tensorflow"],
        "import keras": ["-c", "import keras"],
    }
    scripts = sorted(
        path.stem for path in ROOT.glob("*.py") if path.stem not in _LIBRARY
    )
    found["python -m bert"] = ["-m", "bert"]
    for name in scripts:
        found[f"{name} --help"] = [f"{name}.py", "--help"]
        found[f"{name} refused"] = [f"{name}.py", "a", "wrong", "word"]
    for name, line in _RUNS.items():
        found[f"{name} tiny run"] = [f"{name}.py", *line.split()]
    return found


def seconds(tree: Path, arguments: list[str]) -> float:
    """Runs a command in a tree and returns the time that it takes."""
    environment = {"KERAS_BACKEND": "tensorflow", **os.environ}
    environment["PYTHONPATH"] = str(tree)
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, *(a.replace("{out}", out) for a in arguments)],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
        )
        end = time.perf_counter()
    if "Traceback" in ran.stderr or (
        arguments[-1] != "word" and ran.returncode > 1
    ):
        sys.exit(f"{' '.join(arguments)}:\n{ran.stderr}")
    return end - start


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--other", type=Path, help="Another checkout.")
    parser.add_argument("--only", default="", help="Commands with this text.")
    args = parser.parse_args()
    trees = [ROOT, *filter(None, [args.other and args.other.resolve()])]
    found: dict[str, list[list[float]]] = {}
    for _, (name, line) in itertools.product(
        range(args.rounds), commands().items()
    ):
        if args.only in name:
            columns = found.setdefault(name, [[] for _ in trees])
            for tree, column in zip(trees, columns, strict=True):
                column.append(seconds(tree, line))
    has_other = len(trees) > 1
    print("| seconds | here |" + " other | ratio |" * has_other)
    print("|---|---|" + "---|---|" * has_other)
    for name, columns in found.items():
        cells = [f"{statistics.median(c):.2f}" for c in columns]
        if has_other:
            ratios = [a / b for a, b in zip(*columns, strict=True)]
            cells.append(f"{statistics.median(ratios):.2f}")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

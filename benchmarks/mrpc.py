"""Fine-tunes on MRPC with several seeds, here and in transformers.

Both start from the same weights, and have the same data, batch size, learning
rate, schedule, epochs and length. Prints a Markdown table: accuracy and F1 of
the dev set, as mean ± standard deviation over the seeds. Runs that are done are
not run again.

    python -m benchmarks.mrpc --init_dir=/tmp/minilm --data_dir=data \
        --work_dir=/tmp/mrpc_seeds

--data_dir has the folder glue/MRPC; `make bench-peers` makes the environment
of transformers and PyTorch.
"""

import argparse
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks import fine_tuning, make_peers

_PEER = fine_tuning.ROOT / "benchmarks/peers/hf_commands.py"
_FIGURES = ("eval_accuracy", "f1")


def main() -> None:
    """Runs what is not done yet; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--init_dir", required=True, type=Path)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--num_train_epochs", default=3.0, type=float)
    parser.add_argument("--max_seq_length", default=128, type=int)
    make_peers.define_torch(parser)
    args = parser.parse_args()
    make_peers.check_torch(args.peer_python)
    seeds = [int(seed) for seed in args.seeds.split(",")]
    args.work_dir.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Less work, the same numbers; run_classifier.py does it as well.
    os.environ.setdefault("BENCH_PADDING", "longest")
    model = convert(args)
    print("| | accuracy | F1 | accuracy, each seed |\n|---|---|---|---|")
    ours = [run_ours(seed, args) for seed in seeds]
    print(row("`run_classifier.py`", ours), flush=True)
    peer = [run_peer(seed, model, args) for seed in seeds]
    print(row("transformers on PyTorch", peer))


def convert(args: argparse.Namespace) -> Path:
    """Returns a folder with the same weights for transformers."""
    model = args.work_dir / "huggingface"
    command = [
        "convert_checkpoint.py",
        f"--input_dir={args.init_dir}",
        f"--output_dir={model}",
        "--task=features",
    ]
    fine_tuning.run_once(command, model)
    return model


def run_ours(seed: int, args: argparse.Namespace) -> dict[str, float]:
    """Returns the figures of run_classifier.py."""
    output_dir = args.work_dir / f"ours-seed{seed}"
    task = fine_tuning.TASKS["mrpc"]
    command = [
        *fine_tuning.command(task, seed, output_dir, args),
        f"--num_train_epochs={args.num_train_epochs}",
        f"--max_seq_length={args.max_seq_length}",
    ]
    fine_tuning.run_once(command, output_dir)
    return fine_tuning.read_results(output_dir)


def run_peer(
    seed: int, model: Path, args: argparse.Namespace
) -> dict[str, float]:
    """Returns the figures of transformers."""
    output_dir = args.work_dir / f"transformers-seed{seed}"
    output_dir.mkdir(exist_ok=True)
    command = [
        str(_PEER),
        "fine_tune",
        f"--model={model.resolve()}",
        f"--vocab_file={model.resolve() / 'vocab.txt'}",
        f"--data_dir={args.data_dir.resolve()}",
        f"--max_seq_length={args.max_seq_length}",
        f"--num_train_epochs={args.num_train_epochs}",
        f"--seed={seed}",
        f"--output_file={output_dir.resolve() / 'eval_results.txt'}",
    ]
    fine_tuning.run_once(command, output_dir, str(args.peer_python))
    return fine_tuning.read_results(output_dir)


def row(name: str, results: Sequence[dict[str, float]]) -> str:
    """Returns a row of the table.

    Args:
        name: of the implementation.
        results: the figures of each seed.
    """
    columns = {
        figure: [result[figure] for result in results] for figure in _FIGURES
    }
    cells = [mean_and_spread(values) for values in columns.values()]
    each = ", ".join(f"{value:.3f}" for value in columns["eval_accuracy"])
    return f"| {name} | {' | '.join(cells)} | {each} |"


def mean_and_spread(values: Sequence[float]) -> str:
    """Returns `mean ± standard deviation`; of one value the mean alone."""
    mean = f"{statistics.fmean(values):.3f}"
    if len(values) < 2:
        return mean
    return f"{mean} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()

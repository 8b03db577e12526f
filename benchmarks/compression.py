"""What compressing a model gains and costs: a table of docs/compression.md.

Models are fine-tuned on MRPC, SST-2 (10,000 rows), SQuAD and CoNLL-2003,
exported and compressed in every format. Then each is asked for the answers to
the dev set through `Predictor`, tokenizing and all, in turns: the checkpoint by
TensorFlow, and each format by its runtime. Prints a Markdown row for each: its
size, rows a second, milliseconds of one row, and points lost of the task's own
figure. Runs that are done are not run again.

    python -m benchmarks.compression --data_dir=data --work_dir=/tmp/small \
        --models=6x384=/tmp/minilm
    python -m benchmarks.compression --data_dir=data --work_dir=/tmp/small \
        --models=2x128=/tmp/tiny --learning_rate=3e-4

A model is a folder with bert_config.json, vocab.txt and, if it does not start
with random weights, bert_model.ckpt. Needs all three runtimes.
"""

import argparse
import csv
import itertools
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import fine_tuning
from bert.data.tables import conll
from bert.model_folder import formats
from bert.serving.predictor import Predictor
from bert.tasks.squad import metrics as squad_metrics
from bert.tasks.tagging import metrics as tagging_metrics

_TENSORFLOW = "TensorFlow, float32"
_LATENCY_CALLS = 31


class Asked(NamedTuple):
    """The dev set of a task.

    Attributes:
        figure: what it is judged by.
        requests: of `Predictor.predict`.
        judge: its figure in percent, of all answers.
        eval_file: the records of it that a run leaves.
    """

    figure: str
    requests: list[Any]
    judge: Callable[[Sequence[dict[str, Any]]], float]
    eval_file: str = "eval.tf_record"


def main() -> None:
    """Runs what is not done yet; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", required=True, help="NAME=FOLDER,…")
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--tasks", default=",".join(DEV_SETS))
    parser.add_argument("--formats", default=",".join(formats.FORMATS))
    parser.add_argument("--learning_rate", help="default: as fine_tuning's")
    parser.add_argument("--rounds", default=3, type=int)
    args = parser.parse_args()
    models = dict(pair.split("=", 1) for pair in args.models.split(","))
    tasks = args.tasks.split(",")
    if unknown := sorted({*tasks} - {*DEV_SETS}):
        sys.exit(f"--tasks: expected {', '.join(DEV_SETS)}; not {unknown[0]}")
    args.work_dir.mkdir(parents=True, exist_ok=True)
    print("| task | model | computed by | MB | rows/s | ms a row | figure |")
    print("|---|---|---|---|---|---|---|")
    for task, (name, folder) in itertools.product(tasks, models.items()):
        run, small = prepare(task, name, Path(folder), args)
        for line in rows(task, name, run, small, args):
            print(line, flush=True)


def prepare(
    task: str, name: str, folder: Path, args: argparse.Namespace
) -> tuple[Path, Path]:
    """Trains, exports and compresses; returns the first and last folder."""
    run = args.work_dir / f"{task}-{name}"
    own = argparse.Namespace(**{**vars(args), "init_dir": folder})
    if cut := fine_tuning.TASKS[task].cut:
        fine_tuning.cut_training_set(cut, args)
    command = fine_tuning.command(fine_tuning.TASKS[task], 1, run, own)
    if args.learning_rate:
        command.append(f"--learning_rate={args.learning_rate}")
    if not [*folder.glob("bert_model.ckpt*")]:
        start = "--init_checkpoint="
        command = [word for word in command if not word.startswith(start)]
    fine_tuning.run_once(command, run)
    export, small = (
        args.work_dir / f"{run.name}-{x}" for x in ("export", "small")
    )
    fine_tuning.run_once(
        ["export_model.py", f"--model_dir={run}", f"--export_dir={export}"],
        export,
    )
    fine_tuning.run_once(
        [
            "compress_model.py",
            f"--export_dir={export}",
            f"--output_dir={small}",
            f"--eval_file={run / 'eval.tf_record'}",
            f"--calibration_file={run / 'train.tf_record'}",
            f"--formats={args.formats}",
            # What is lost is what the table is to show.
            "--max_accuracy_drop=1",
        ],
        small,
        answers=small.with_name(f"{small.name}.out"),
    )
    return run, small


def rows(
    task: str, name: str, run: Path, small: Path, args: argparse.Namespace
) -> list[str]:
    """Returns a model's rows of the table."""
    asked = DEV_SETS[task](args.data_dir)
    predictors = {_TENSORFLOW: Predictor.load(str(run))}
    for form in args.formats.split(","):
        predictors[form] = Predictor.load(str(small), runtime=form)
    # The first time is not counted: graphs are traced, caches filled.
    figures = {
        way: asked.judge(predictor.predict(asked.requests))
        for way, predictor in predictors.items()
    }
    seconds = in_turns(predictors, asked.requests, args.rounds)
    middle = sorted(asked.requests, key=lambda x: len(str(x)))
    one = [middle[len(middle) // 2]]
    latencies = in_turns(predictors, one, _LATENCY_CALLS)
    sizes = {
        one["name"]: one["bytes"]
        for one in json.loads((small / "compression.json").read_text())[
            "figures"
        ]
    }
    sizes[_TENSORFLOW] = sizes["saved_model"]
    lines = []
    for way in predictors:
        pace = statistics.median(seconds[_TENSORFLOW]) / statistics.median(
            seconds[way]
        )
        rate = len(asked.requests) / statistics.median(seconds[way])
        change = figures[way] - figures[_TENSORFLOW]
        lines.append(
            f"| {task} | {name} | {way} | {sizes[way] / 1e6:.1f} | {rate:.0f} "
            f"({pace:.2f} times) | "
            f"{1e3 * statistics.median(latencies[way]):.1f} | {asked.figure} "
            f"{figures[way]:.1f} ({change:+.1f}) |"
        )
    return lines


def in_turns(
    predictors: dict[str, Predictor], requests: list[Any], rounds: int
) -> dict[str, list[float]]:
    """Returns the seconds that each takes in each round."""
    seconds: dict[str, list[float]] = {way: [] for way in predictors}
    order = list(predictors)
    for _ in range(rounds):
        random.shuffle(order)
        for way in order:
            begun = time.perf_counter()
            predictors[way].predict(requests)
            seconds[way].append(time.perf_counter() - begun)
    return seconds


def _table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [*csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _labelled(labels: list[str], requests: list[Any]) -> Asked:
    def judge(answers):
        right = [
            answer["label"] == label
            for answer, label in zip(answers, labels, strict=True)
        ]
        return 100 * statistics.fmean(right)

    return Asked("accuracy", requests, judge)


def _mrpc(data_dir: Path) -> Asked:
    table = _table(data_dir / "glue/MRPC/dev.tsv")
    return _labelled(
        [row["Quality"] for row in table],
        [(row["#1 String"], row["#2 String"]) for row in table],
    )


def _sst_2(data_dir: Path) -> Asked:
    table = _table(data_dir / "glue/SST-2/dev.tsv")
    return _labelled(
        [row["label"] for row in table], [row["sentence"] for row in table]
    )


def _squad(data_dir: Path) -> Asked:
    data = json.loads((data_dir / "squad/dev-v1.1.json").read_text())["data"]
    questions = [
        (question["question"], paragraph["context"], question["answers"])
        for article in data
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]

    def judge(answers):
        judged = [
            squad_metrics.Judged(
                [right["text"] for right in answers_of], answer["text"]
            )
            for (_, _, answers_of), answer in zip(
                questions, answers, strict=True
            )
        ]
        return squad_metrics.metrics(judged)["f1"]

    return Asked("F1", [(q, context) for q, context, _ in questions], judge)


def _conll2003(data_dir: Path) -> Asked:
    corpus = conll.read_conll(
        str(data_dir / "conll2003/test.txt"), conll.Columns(), True
    )
    gold = [list(sentence.labels) for sentence in corpus.sentences]

    def judge(answers):
        found = [answer["labels"] for answer in answers]
        labels = conll.labels_of(corpus)
        return 100 * float(tagging_metrics.metrics(gold, found, labels)["f1"])

    words = [list(sentence.words) for sentence in corpus.sentences]
    return Asked("F1", words, judge)


DEV_SETS: dict[str, Callable[[Path], Asked]] = {
    "mrpc": _mrpc,
    "sst-2": _sst_2,
    "squad-v1.1": _squad,
    "conll2003": _conll2003,
}


if __name__ == "__main__":
    main()

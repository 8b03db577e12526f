"""Small models taught by a large one: points gained, rows a second gained.

A pre-trained model (a folder that convert_checkpoint.py made: MiniLM) is
fine-tuned on SST-2 (10,000 rows), MRPC and IMDb, and teaches students of 2
layers: of 128 units, random at first; of its own width, random, and made of
its layers. Each learns the labels alone, then with soft labels, then with
those of unlabelled text, too. Prints a row of a Markdown table for each.
Runs that are done are not run again.

    python -m benchmarks.distillation --init_dir=/tmp/minilm --data_dir=data \
        --work_dir=/tmp/distillation --seeds=1,2,3

--data_dir has the folders glue/ (SST-2, MRPC) and imdb/, whose unlabeled.txt
has a sentence a line and a blank line after each review.
"""

import argparse
import csv
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import fine_tuning

TASKS = ("sst-2", "mrpc", "imdb")
WAYS = ("labels alone", "soft labels", "soft labels, unlabelled text")
LAYERS, NARROW = 2, 128
_HEAD_SIZE = 64
# Of a prediction; the best of some counts.
_TIMED_ROWS, _TIMES = 256, 3


def main() -> None:
    """Runs what is not done yet; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--init_dir", required=True, type=Path)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--num_unlabelled", default=10000, type=int)
    parser.add_argument("--student_epochs", default=5.0, type=float)
    parser.add_argument("--student_learning_rate", default=3e-4, type=float)
    parser.add_argument("--distill_alpha", default=0.5, type=float)
    parser.add_argument("--distill_temperature", default=2.0, type=float)
    fine_tuning.add_precision(parser)
    args = parser.parse_args()
    tasks = args.tasks.split(",")
    if unknown := sorted({*tasks} - {*TASKS}):
        sys.exit(f"--tasks: expected {', '.join(TASKS)}; not {unknown[0]}")
    args.work_dir.mkdir(parents=True, exist_ok=True)
    students = make_students(args)
    print(f"| task | model | {' | '.join(WAYS)} | rows a second |")
    print("|---|---|---|---|---|---|")
    for name in tasks:
        for line in rows(name, students, args):
            print(line, flush=True)


def make_students(args: argparse.Namespace) -> dict[str, Path]:
    """Makes the students' folders; returns them by what they are.

    One without a checkpoint begins with random weights.
    """
    width = json.loads((args.init_dir / "bert_config.json").read_text())[
        "hidden_size"
    ]
    own = args.work_dir / "student-layers"
    if not own.exists():
        bert = [sys.executable, "-m", "bert", "make_student"]
        subprocess.run(
            [
                *(*bert, f"--model_dir={args.init_dir}"),
                *(f"--num_layers={LAYERS}", f"--output_dir={own}"),
                "--do_lower_case=True",
            ],
            cwd=fine_tuning.ROOT,
            check=True,
        )
    config = json.loads((own / "bert_config.json").read_text())
    narrow = config | {
        "hidden_size": NARROW,
        "intermediate_size": 4 * NARROW,
        "num_attention_heads": NARROW // _HEAD_SIZE,
    }
    folders = {}
    for units, sizes in ((NARROW, narrow), (width, config)):
        folder = args.work_dir / f"student-{units}"
        folder.mkdir(exist_ok=True)
        (folder / "bert_config.json").write_text(json.dumps(sizes))
        (folder / "vocab.txt").write_bytes((own / "vocab.txt").read_bytes())
        folders[f"{LAYERS} × {units}, random"] = folder
    return {**folders, f"{LAYERS} × {width}, teacher's layers": own}


def rows(
    name: str, students: dict[str, Path], args: argparse.Namespace
) -> Iterator[str]:
    """Yields a task's rows of the table; runs what they lack."""
    task = fine_tuning.TASKS[name]
    figure = task.figures[0]
    if name in fine_tuning.CUTS:
        fine_tuning.cut_training_set(name, args)
    teacher = args.work_dir / f"{name}-teacher"
    fine_tuning.run_once(fine_tuning.command(task, 1, teacher, args), teacher)
    texts = write_unlabelled(name, args)
    found = fine_tuning.read_results(teacher)[figure]
    pace = rows_a_second(teacher, name, args)
    yield f"| {name}, {figure} | teacher | {found:.3f} | | | {pace:.0f} |"
    for title, folder in students.items():
        cells = []
        for way in range(len(WAYS)):
            values = []
            for seed in map(int, args.seeds.split(",")):
                out = args.work_dir / f"{name}-{folder.name}-{way}-seed{seed}"
                command = student_command(
                    *(name, folder, seed, out),
                    *((teacher, texts)[:way], args),
                )
                fine_tuning.run_once(command, out)
                values.append(fine_tuning.read_results(out)[figure])
            cells.append(cell(values))
        own = rows_a_second(out, name, args)
        yield (
            f"| {name}, {figure} | {title} | {' | '.join(cells)} | {own:.0f} "
            f"({own / pace:.1f} times) |"
        )


def cell(values: list[float]) -> str:
    """Returns the mean of a figure over the seeds, and its spread."""
    mean = f"{statistics.fmean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if values[1:] else mean


def student_command(
    name: str,
    folder: Path,
    seed: int,
    output_dir: Path,
    taught_by: tuple[Path, ...],
    args: argparse.Namespace,
) -> list[str]:
    """Returns the command of a student's run.

    Args:
        name: of the task.
        folder: the student's.
        seed: of the run.
        output_dir: of the run.
        taught_by: the teacher, if there is one, and unlabelled text, if any.
        args: of the command line.
    """
    own = argparse.Namespace(**{**vars(args), "init_dir": folder})
    command = fine_tuning.command(
        fine_tuning.TASKS[name], seed, output_dir, own
    )
    changed = ["--num_train_epochs=", "--learning_rate="]
    if not [*folder.glob("bert_model.ckpt*")]:
        changed.append("--init_checkpoint=")
    command = [word for word in command if not word.startswith(tuple(changed))]
    command += [
        f"--num_train_epochs={args.student_epochs}",
        f"--learning_rate={args.student_learning_rate}",
        *fine_tuning.rounded(args),
    ]
    for flag, path in zip(
        ("teacher_dir", "distill_data"), taught_by, strict=False
    ):
        command.append(f"--{flag}={path}")
    if taught_by:
        command += [
            f"--distill_alpha={args.distill_alpha}",
            f"--distill_temperature={args.distill_temperature}",
        ]
    if len(taught_by) == 2 and name == "mrpc":
        command += ["--text_column=text", "--pair_column=pair"]
    return command


def write_unlabelled(name: str, args: argparse.Namespace) -> Path:
    """Writes text without labels as a table for a task; returns its path.

    SST-2 gets sentences, MRPC two sentences that follow each other, IMDb
    reviews.
    """
    path = args.work_dir / f"{name}-unlabelled.tsv"
    source = args.data_dir / "imdb/unlabeled.txt"
    found = unlabelled(name, source.read_text().split("\n\n"))
    header = {"sst-2": ["text"], "mrpc": ["text", "pair"]}
    with open(path, "w", newline="") as file:
        writer = csv.writer(
            file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None
        )
        writer.writerow(header.get(name, ["sentence"]))
        writer.writerows(itertools.islice(found, args.num_unlabelled))
    return path


def unlabelled(name: str, reviews: list[str]) -> Iterator[tuple[str, ...]]:
    """Yields the rows for a task, of reviews with a sentence a line."""
    for review in reviews:
        sentences = [" ".join(line.split()) for line in review.splitlines()]
        sentences = [sentence for sentence in sentences if sentence]
        if name == "mrpc":
            yield from itertools.pairwise(sentences)
        elif name == "sst-2":
            yield from ((sentence,) for sentence in sentences)
        elif sentences:
            yield (" ".join(sentences),)


def rows_a_second(
    model_dir: Path, name: str, args: argparse.Namespace
) -> float:
    """Returns how many unlabelled rows a trained model answers a second."""
    from bert.serving.predictor import Predictor

    path = args.work_dir / f"{name}-unlabelled.tsv"
    _, *lines = path.read_text().split("\n")
    texts = [tuple(line.split("\t")) for line in lines if line][:_TIMED_ROWS]
    requests = [own if len(own) > 1 else own[0] for own in texts]
    predictor = Predictor.load(str(model_dir))
    predictor.predict(requests)
    seconds = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        predictor.predict(requests)
        seconds.append(time.perf_counter() - begun)
    return len(requests) / min(seconds)


if __name__ == "__main__":
    main()

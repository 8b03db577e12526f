"""Times features: text to records, records used again, text to vectors.

    python -m benchmarks.features --data_dir=data --vocab_file=vocab.txt
    python -m benchmarks.features ... --other=/path/to/another/checkout

Each round starts a process for each task (and for each tree, with --other),
which times one pass in CPU time; start-up is left out and nothing is remembered
from before. Printed are medians, as a Markdown table; with --other also those
of that tree, and the median of the rounds' ratios.

--data_dir has the folders glue/MRPC, imdb/, squad/ and conll2003/; what is not
there is left out. extract_features writes the vectors of IMDb's first texts by
a random model of --model.
"""

import argparse
import functools
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MAX_EXAMPLES = 4000
# What a task does: prepares, and returns how many examples there are, what
# makes their features, the records' fields, and what they are made from.
_Job = tuple[int, Callable[[], Iterable], tuple, Iterable]


def mrpc(path: Path, vocab: str) -> _Job:
    """MRPC's pairs, 128 word pieces."""
    from bert.tasks.classification.processors import MrpcProcessor

    examples = MrpcProcessor().get_train_examples(str(path.parent))
    return _classification(examples, vocab, 128)


def imdb(path: Path, vocab: str) -> _Job:
    """IMDb's reviews, 256 word pieces."""
    from bert.data.tables import rows
    from bert.tasks.classification.processors import InputExample

    found = rows.read_rows(str(path))[1:]
    examples = [InputExample("", row[1], label=row[0]) for row in found]
    return _classification(examples, vocab, 256)


def _classification(examples, vocab, length) -> _Job:
    from bert.data.text.tokenization import FullTokenizer
    from bert.tasks.classification import features as classification_features
    from bert.tasks.classification import kinds

    examples = examples[:_MAX_EXAMPLES]
    return (
        len(examples),
        lambda: classification_features.featurize(
            examples,
            [[int(e.label)] for e in examples],
            length,
            FullTokenizer(vocab),
        ),
        kinds.find("classification").fields(length, 2),
        [(e.text_a, e.text_b, [int(e.label)]) for e in examples],
    )


def squad_train(path: Path, vocab: str) -> _Job:
    """SQuAD's questions with answers, shuffled, 384 word pieces."""
    from bert.tasks.squad import examples as squad

    examples = squad.read_training_examples(str(path), False).examples
    random.Random(12345).shuffle(examples)
    return _squad(examples, vocab, is_training=True)


def squad_dev(path: Path, vocab: str) -> _Job:
    """SQuAD's questions in the file's order, 384 word pieces."""
    from bert.tasks.squad import examples as squad

    examples = squad.read_prediction_examples(
        str(path), with_answers=False, version_2_with_negative=False
    )
    return _squad(examples, vocab, is_training=False)


def _squad(examples, vocab, is_training) -> _Job:
    from bert.data.text.tokenization import FullTokenizer
    from bert.tasks.squad import windows

    def features():
        tokenizer = FullTokenizer(vocab)
        settings = windows.WindowSettings(384, 128, 64)
        for window in windows.windows(examples, tokenizer, settings):
            yield windows.features(window, tokenizer, 384)

    examples = examples[:_MAX_EXAMPLES]
    inputs = [
        (e.question_text, e.doc_tokens, e.orig_answer_text, e.start_position)
        for e in examples
    ]
    fields = windows.fields(384, is_training)
    return len(examples), features, fields, inputs


def conll(path: Path, vocab: str) -> _Job:
    """CoNLL-2003's sentences, 128 word pieces."""
    from bert.data.tables import conll
    from bert.data.text.tokenization import FullTokenizer
    from bert.tasks.tagging import windows

    columns = conll.Columns(0, -1)
    corpus = conll.read_conll(str(path), columns, needs_labels=True)
    labels = {name: i for i, name in enumerate(conll.labels_of(corpus))}
    sentences = corpus.sentences[:_MAX_EXAMPLES]

    def features():
        featurizer = windows.Featurizer(FullTokenizer(vocab), labels, 128)
        return itertools.chain.from_iterable(
            map(featurizer.features, sentences)
        )

    inputs = [(s.words, s.labels) for s in sentences]
    return len(sentences), features, windows.fields(128), inputs


RECORDS = {
    "MRPC": (mrpc, "glue/MRPC/train.tsv"),
    "IMDb": (imdb, "imdb/train.tsv"),
    "SQuAD train": (squad_train, "squad/train-v1.1.json"),
    "SQuAD dev": (squad_dev, "squad/dev-v1.1.json"),
    "CoNLL-2003": (conll, "conll2003/train.txt"),
}


def records_per_second(name: str, data: Path, vocab: str) -> dict[str, float]:
    """Returns the examples per second of making and of checking records."""
    from bert.data.records import record_reuse, record_writer
    from bert.data.text.tokenization import FullTokenizer

    job, path = RECORDS[name]
    count, features, fields, inputs = job(data / path, vocab)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/train.tf_record"
        start = time.process_time()
        written = record_writer.write(path, fields, features())
        made = count / (time.process_time() - start)
        tokenizer = FullTokenizer(vocab)
        key = record_reuse.made_from(tokenizer, fields, inputs)
        record_reuse.keep(path, key, written)
        start = time.process_time()
        key = record_reuse.made_from(tokenizer, fields, inputs)
        if record_reuse.current(path, key) != written:
            sys.exit(f"{name}: the records are not used again")
        again = count / (time.process_time() - start)
    return {f"{name}, records": made, f"{name}, used again": again}


def json_per_second() -> dict[str, float]:
    """Returns the million numbers per second that JsonLines writes."""
    import numpy as np

    from bert.tasks.features import feature_files

    values = np.random.default_rng(0).standard_normal((4, 128, 384))
    values = values.astype(np.float32)
    with open(os.devnull, "wb") as file:
        out = feature_files.JsonLines(file, [-1, -2, -3, -4])
        out.write(["token"] * 128, values)
        start = time.process_time()
        for _ in range(20):
            out.write(["token"] * 128, values)
        seconds = time.process_time() - start
    return {"JSON, million numbers": 20 * values.size / seconds / 1e6}


def lines_per_second(
    data: Path, vocab: str, folder: Path, num_lines: int
) -> dict[str, float]:
    """Returns the lines per second of extract_features, by the clock."""
    from absl import flags

    from bert import extract_features as script

    found = {}
    text = folder / "lines.txt"
    lines = (data / "imdb/train.tsv").read_text("utf-8").splitlines()[1:]
    rows = (line.partition("\t")[2] + "\n" for line in lines[:num_lines])
    text.write_text("".join(rows), "utf-8")
    for name, more in (
        ("four layers to JSON", ["--output_file=out.jsonl"]),
        ("four layers to npz", ["--output_file=out.npz"]),
        ("pooled", ["--output_file=out.jsonl", "--pooling=mean"]),
    ):
        flag_values = flags.FlagValues()
        script.define_flags(flag_values)
        os.chdir(folder)
        argv = [
            f"--input_file={text}",
            f"--vocab_file={vocab}",
            f"--bert_config_file={folder}/bert_config.json",
            f"--init_checkpoint={folder}/bert_model.ckpt",
            *more,
        ]
        flag_values(["extract_features.py", *argv])
        start = time.perf_counter()
        script.extract_features(script.Config.from_flags(flag_values))
        seconds = time.perf_counter() - start
        found[f"extract_features, {name}"] = num_lines / seconds
    return found


def write_model(name: str, vocab: str, folder: Path) -> None:
    """Writes a random model that extract_features can read."""
    from benchmarks import models
    from bert.modeling import checkpoint

    sizes = models.sizes(name)
    with open(vocab, encoding="utf-8") as file:
        sizes["vocab_size"] = sum(1 for _ in file)
    (folder / "bert_config.json").write_text(json.dumps(sizes))
    model = models.make_model(name, "pretraining")
    checkpoint.write_files(
        str(folder / "bert_model.ckpt"),
        {
            key: variable.value
            for key, variable in checkpoint.named_variables(model).items()
        },
    )


def parse() -> argparse.Namespace:
    """Returns the command's flags."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data_dir", type=Path, required=True)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--other", type=Path, help="Another checkout.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--tasks",
        help=f"{', '.join(RECORDS)}, json, extract; separated by commas. "
        "Default: all.",
    )
    parser.add_argument("--model", default="small", help="tiny, small, base")
    parser.add_argument("--lines", type=int, default=256)
    parser.add_argument("--only", help="One task; for the processes.")
    parser.add_argument("--work_dir", type=Path, help="For the processes.")
    return parser.parse_args()


def main() -> None:
    """Prints the table; or, in a process of a round, one task's figures."""
    args = parse()
    data, vocab = args.data_dir.resolve(), os.path.realpath(args.vocab_file)
    jobs = {
        name: functools.partial(records_per_second, name, data, vocab)
        for name, (_, path) in RECORDS.items()
        if (data / path).exists()
    }
    jobs["json"] = json_per_second
    if "IMDb" in jobs:
        jobs["extract"] = functools.partial(
            lines_per_second, data, vocab, args.work_dir, args.lines
        )
    tasks = args.tasks.split(",") if args.tasks else list(jobs)
    if args.only == "model":
        write_model(args.model, vocab, args.work_dir)
    elif args.only:
        print(json.dumps(jobs[args.only]()))
    else:
        with tempfile.TemporaryDirectory() as folder:
            print_table(args, [name for name in jobs if name in tasks], folder)


def print_table(args: argparse.Namespace, names: list[str], folder: str):
    """Runs the rounds and prints their medians."""
    trees = [ROOT, *filter(None, [args.other])]

    def run(tree: Path, name: str) -> dict[str, float]:
        argv = [sys.executable, __file__, *sys.argv[1:]]
        more = [f"--only={name}", f"--work_dir={folder}"]
        environment = {
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **os.environ,
            "PYTHONPATH": str(tree.resolve()),
        }
        ran = subprocess.run(
            [*argv, *more], env=environment, capture_output=True, text=True
        )
        if ran.returncode:
            sys.exit(ran.stderr)
        return json.loads(ran.stdout) if ran.stdout else {}

    if "extract" in names:
        run(ROOT, "model")
    found: dict[str, list[list[float]]] = {}
    for _, name in itertools.product(range(args.rounds), names):
        for index, tree in enumerate(trees):
            for row, speed in run(tree, name).items():
                columns = found.setdefault(row, [[] for _ in trees])
                columns[index].append(speed)
    print("| a second | here |" + " other | ratio |" * bool(args.other))
    print("|---|---|" + "---|---|" * bool(args.other))
    for row, columns in found.items():
        cells = [f"{statistics.median(c):,.0f}" if c else "" for c in columns]
        if args.other:
            ratios = [a / b for a, b in zip(*columns, strict=False)]
            cells.append(f"{statistics.median(ratios):.2f}" if ratios else "")
        print(f"| {row} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

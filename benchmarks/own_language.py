"""Goes the whole road of docs/own_language.md, on German text.

Raw pages → sentences → vocabulary → records → a BERT of 2 layers and 128
units → a Hugging Face folder → a classifier, each by the command that the page
names. Prints what each station took, and:

- how many masked pieces of held-out pages the model gets right, beside what the
  most frequent piece gets;
- whether transformers fills masks as fill_mask.py does;
- how many passages the classifier gives their subject, beside the most frequent
  one.

    python -m benchmarks.own_language --work_dir=/tmp/own_language

The text comes from Debian packages (`benchmarks.german_pages`), by apt-get;
where that is not to be had, put them into --packages_dir. `make bench-peers`
makes the environment of transformers. Stations that are done are not done
again.
"""

import argparse
import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import german_pages, make_peers
from benchmarks.fine_tuning import ROOT, read_results, run_once
from benchmarks.pretraining import RECIPES, masked_ids

_PEER = ROOT / "benchmarks/peers/hf_commands.py"
# Of so many pages one is held out.
_EVERY = 20
_BATCH = 32


class Station(NamedTuple):
    """A command of the road.

    Attributes:
        title: what it does.
        command: the script and its flags.
        name: of its log and of the file that says that it is done.
        python: the interpreter.
        answers: the file that gets its standard output.
    """

    title: str
    command: list[str]
    name: str
    python: str = sys.executable
    answers: Path | None = None


def main() -> None:
    """Goes the road; prints its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--packages_dir", type=Path)
    parser.add_argument("--num_train_steps", type=int, default=3000)
    parser.add_argument("--num_train_epochs", type=float, default=3.0)
    make_peers.define_torch(parser)
    args = parser.parse_args()
    make_peers.check_torch(args.peer_python)
    work = args.work_dir.resolve()
    work.mkdir(parents=True, exist_ok=True)
    german_pages.write(work, args.packages_dir or work / "packages", _EVERY)

    rows = [take(station, work) for station in text_stations(work)]
    german_pages.leave_out_known(work / "held_out.txt", work / "text.txt")
    stations = training_stations(work, args.num_train_steps)
    rows += [take(station, work) for station in stations]
    evaluated = evaluation_station(work, args.num_train_steps)
    rows.append(take(evaluated, work))
    print_masked(work)
    german_pages.write_masked(work / "held_out.txt", work / "masked.txt")
    rows += [take(s, work) for s in conversion_stations(work, args.peer_python)]
    print_fills(work)
    rows.append(take(classifier_station(work, args.num_train_epochs), work))
    print_subjects(work)
    print("\n| station | seconds |\n|---|---|")
    for title, seconds in rows:
        print(f"| {title} | {seconds:.0f} |")
    print(f"| all | {sum(seconds for _, seconds in rows):.0f} |")


def take(station: Station, work: Path) -> tuple[str, float]:
    """Does a station, if it is not done; returns its title and seconds."""
    title, command, name, python, answers = station
    return title, run_once(command, work / name, python, answers)


def text_stations(work: Path) -> list[Station]:
    """Returns what makes sentences."""
    flags = ["--language=de", "--input_format=jsonl", "--num_workers=2"]
    return [
        Station(
            f"`prepare_text`, {what}",
            [
                *("-m", "bert", "prepare_text", *flags),
                f"--input_file={work / source}",
                f"--output_file={work / target}",
            ],
            f"prepare-{target}",
        )
        for what, source, target in (
            ("pages to learn from", "pages.jsonl", "text.txt"),
            ("pages held out", "held_out.jsonl", "held_out.txt"),
        )
    ]


def training_stations(work: Path, num_train_steps: int) -> list[Station]:
    """Returns what makes vocabulary, sizes, records and the model."""
    vocabulary = f"--vocab_file={work / 'vocab.txt'}"
    cased = "--do_lower_case=False"
    length = ["--max_seq_length=128", "--max_predictions_per_seq=20"]
    return [
        Station(
            "`learn_vocabulary`, 8,000 pieces",
            [
                *("-m", "bert", "learn_vocabulary", "--vocab_size=8000"),
                *(cased, "--num_workers=2"),
                f"--input_file={work / 'text.txt'}",
                f"--output_file={work / 'vocab.txt'}",
            ],
            "vocabulary",
        ),
        Station(
            "`make_config`, 2 layers, 128 units",
            [
                *("-m", "bert", "make_config", "--size=2x128", vocabulary),
                f"--output_file={work / 'bert_config.json'}",
            ],
            "config",
        ),
        *(
            Station(
                f"`create_pretraining_data.py`, {what}",
                [
                    "create_pretraining_data.py",
                    f"--input_file={work / source}",
                    f"--output_file={work / name}",
                    *(vocabulary, cased, *length, f"--dupe_factor={passes}"),
                    "--num_workers=2",
                ],
                f"create-{name}",
            )
            for what, source, name, passes in (
                ("5 passes", "text.txt", "records", 5),
                ("held out", "held_out.txt", "held_out_records", 1),
            )
        ),
        Station(
            f"`run_pretraining.py`, {num_train_steps:,} steps",
            [
                *("run_pretraining.py", "--do_train", *length),
                *RECIPES["corrected"],
                f"--input_file={work / 'records-*-of-*'}",
                *model_flags(work, num_train_steps),
            ],
            "pretraining",
        ),
    ]


def model_flags(work: Path, num_train_steps: int) -> list[str]:
    """Returns the flags that training and evaluation share."""
    return [
        f"--bert_config_file={work / 'bert_config.json'}",
        f"--output_dir={work / 'model'}",
        f"--train_batch_size={_BATCH}",
        f"--num_train_steps={num_train_steps}",
        "--random_seed=1",
    ]


def evaluation_station(work: Path, num_train_steps: int) -> Station:
    """Returns what reads each held-out record once."""
    # What is left of a batch is not read: the command would begin anew.
    num_records = len(list(masked_ids(records(work, "held_out_records"))))
    return Station(
        "evaluation on held-out pages",
        [
            *("run_pretraining.py", "--do_eval", "--noeval_report"),
            *("--max_seq_length=128", "--max_predictions_per_seq=20"),
            f"--input_file={work / 'held_out_records-*-of-*'}",
            *model_flags(work, num_train_steps),
            f"--eval_batch_size={_BATCH}",
            f"--max_eval_steps={max(1, num_records // _BATCH)}",
        ],
        "evaluation",
    )


def records(work: Path, name: str) -> list[str]:
    """Returns the shards of a name."""
    return sorted(map(str, work.glob(f"{name}-*-of-*")))


def print_masked(work: Path) -> None:
    """Prints the model's figures on held-out pages, and the unigram's."""
    figures = read_results(work / "model")
    learnt, asked = (
        Counter(i for ids in masked_ids(records(work, name)) for i in ids)
        for name in ("records", "held_out_records")
    )
    accuracy, loss = unigram(learnt, asked)
    print(
        "masked pieces of held-out pages: "
        f"{figures['masked_lm_accuracy']:.3f} right, loss "
        f"{figures['masked_lm_loss']:.3f}; unigram: {accuracy:.3f} right, loss "
        f"{loss:.3f}",
        flush=True,
    )


def unigram(learnt: Counter[int], asked: Counter[int]) -> tuple[float, float]:
    """Returns accuracy and loss (nats) of a model without context.

    It knows how often each id was masked, and gives ids that never were the
    probability of one that was once.

    Args:
        learnt: how often ids are masked in the records to train on.
        asked: the same of those to evaluate on.
    """
    total = learnt.total() + len(asked.keys() - learnt.keys())
    likeliest = learnt.most_common(1)[0][0]
    loss = -sum(
        count * math.log((learnt[number] or 1) / total)
        for number, count in asked.items()
    )
    return asked[likeliest] / asked.total(), loss / asked.total()


def conversion_stations(work: Path, peer_python: Path) -> list[Station]:
    """Returns what makes a Hugging Face folder, and fills masks."""
    masked = f"--input_file={work / 'masked.txt'}"
    folder = work / "huggingface"
    return [
        Station(
            "`convert_checkpoint.py`",
            [
                "convert_checkpoint.py",
                f"--input_dir={work / 'model'}",
                f"--output_dir={folder}",
            ],
            "conversion",
        ),
        Station(
            "`fill_mask.py`, 100 sentences",
            [
                "fill_mask.py",
                masked,
                f"--model_dir={work / 'model'}",
            ],
            "fill_mask",
            answers=work / "fills.jsonl",
        ),
        Station(
            "transformers, the same",
            [
                *(str(_PEER), "fill_mask", f"--model={folder}", masked),
                f"--vocab_file={folder / 'vocab.txt'}",
                f"--output_file={work / 'peer_fills.jsonl'}",
            ],
            "peer_fill_mask",
            str(peer_python),
        ),
    ]


def print_fills(work: Path) -> None:
    """Prints how fill_mask.py and transformers agree."""
    ours, peers = (
        [json.loads(line)["masks"] for line in path.read_text().splitlines()]
        for path in (work / "fills.jsonl", work / "peer_fills.jsonl")
    )
    same, difference = compared(ours, peers)
    print(
        f"[MASK] in {len(ours)} sentences: transformers has the same five "
        f"pieces in {same}; probabilities differ by at most {difference:.1e}",
        flush=True,
    )


def compared(ours: Sequence, peers: Sequence) -> tuple[int, float]:
    """Returns how many lines have the same pieces, and how far they differ.

    Args:
        ours: for each line, for each mask, the likeliest pieces as
            `{"token": …, "probability": …}`, in their order.
        peers: the same of another program.
    """
    same, most = 0, 0.0
    for mine, other in zip(ours, peers, strict=True):
        chained = map(itertools.chain.from_iterable, (mine, other))
        pairs = list(zip(*chained, strict=True))
        same += all(a["token"] == b["token"] for a, b in pairs)
        for a, b in pairs:
            most = max(most, abs(a["probability"] - b["probability"]))
    return same, most


def classifier_station(work: Path, epochs: float) -> Station:
    """Returns what fine-tunes the model to tell the subject of a passage."""
    return Station(
        f"`run_classifier.py`, {epochs:g} epochs",
        [
            *("run_classifier.py", "--do_train", "--do_eval"),
            *("--nodo_lower_case", "--max_seq_length=128"),
            f"--train_file={work / 'train_rows.jsonl'}",
            f"--dev_file={work / 'dev_rows.jsonl'}",
            f"--vocab_file={work / 'vocab.txt'}",
            f"--bert_config_file={work / 'bert_config.json'}",
            f"--init_checkpoint={work / 'model'}",
            f"--output_dir={work / 'classifier'}",
            f"--train_batch_size={_BATCH}",
            *("--learning_rate=5e-4", f"--num_train_epochs={epochs}"),
            "--random_seed=1",
        ],
        "classification",
    )


def print_subjects(work: Path) -> None:
    """Prints how many passages get their subject."""
    with open(work / "dev_rows.jsonl", encoding="utf-8") as file:
        labels = Counter(json.loads(line)["label"] for line in file)
    most = labels.most_common(1)[0][1] / labels.total()
    accuracy = read_results(work / "classifier")["eval_accuracy"]
    print(
        f"passages of held-out pages, {len(labels)} subjects: {accuracy:.3f} "
        f"right of {labels.total():,}; the most frequent subject: {most:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""Tasks that are taught by a tiny model: for tests of distillation."""

import shutil

import pytest
import tensorflow as tf

from bert import run_classifier, run_multiple_choice, run_ner, run_squad
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.classification.finetuning import Classification
from bert.tasks.multiple_choice.finetuning import MultipleChoice
from bert.tasks.squad.finetuning import Squad
from bert.tasks.tagging.finetuning import Tagging
from bert.tasks.task import Prepared
from bert.training.head_check import Start
from tests.conversion import run_folder
from tests.scripts.runner import config_of

TEXTS = {"ja": "the lake", "no": "the boat was in the river", "?": "boat"}


@pytest.fixture(scope="module")
def data(golden, tmp_path_factory):
    """Examples of all tasks, with and without labels."""
    folder = tmp_path_factory.mktemp("data")
    rows = [f"{text}\t{label}" for label, text in TEXTS.items()]
    (folder / "train.tsv").write_text("\n".join(["text\tlabel", *rows, ""]))
    rows = [f"{text}\t{i / 4}" for i, text in enumerate(TEXTS.values())]
    (folder / "scores.tsv").write_text("\n".join(["text\tlabel", *rows, ""]))
    (folder / "many.tsv").write_text(
        "text\tlabel\nthe lake\tred\nthe boat\tred,light blue\nboat\t\n"
    )
    (folder / "more.jsonl").write_text('{"text": "in the lake"}\n' * 2)
    (folder / "train.csv").write_text(
        "text,a,b,c,label\nthe lake,boat,river,,A\nthe,in,was,lake,C\n"
    )
    (folder / "more.csv").write_text("text,a,b,c\nboat,in,the river,\n")
    (folder / "train.txt").write_text(
        "the O\nboat B-PER\nand O\n" * 9 + "\nlake I-PER\nin B-ORG\n"
    )
    (folder / "more.txt").write_text("the\nriver\n")
    shutil.copy(golden / "inputs/squad/train-v2.0.json", folder)
    shutil.copy(golden / "inputs/squad/dev-v2.0.json", folder)
    return folder


@pytest.fixture(scope="module")
def folders(golden, tmp_path_factory):
    """Returns a function: a name of `run_folder.RUNS` → (model, folder).

    All have another vocabulary, casing aside, than the students.
    """
    made = {}

    def make(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("teachers") / name
            model = run_folder.write(golden, folder, name)
            if name != "squad":
                pieces = (folder / "vocab.txt").read_text().splitlines()
                (folder / "vocab.txt").write_text("\n".join(pieces[::-1]))
            made[name] = model, folder
        return made[name]

    return make


SQUAD = (
    "--version_2_with_negative",
    "--max_seq_length=32",
    "--max_query_length=12",
    "--doc_stride=16",
)
OF_TASKS = {
    "classification": (
        *(run_classifier, Classification),
        ["--train_file={}/train.tsv", "--distill_data={}/more.jsonl"],
    ),
    "multi_label": (
        *(run_classifier, Classification),
        [
            *("--train_file={}/many.tsv", "--distill_data={}/more.jsonl"),
            "--label_type=multi",
        ],
    ),
    "regression": (
        *(run_classifier, Classification),
        [
            *("--train_file={}/scores.tsv", "--distill_data={}/more.jsonl"),
            "--label_type=regression",
        ],
    ),
    "multiple_choice": (
        *(run_multiple_choice, MultipleChoice),
        [
            *("--train_file={}/train.csv", "--distill_data={}/more.csv"),
            "--choice_columns=a,b,c",
        ],
    ),
    "ner": (
        *(run_ner, Tagging),
        ["--train_file={}/train.txt", "--distill_data={}/more.txt"],
    ),
    "squad": (
        *(run_squad, Squad),
        [
            *("--train_file={}/train-v2.0.json", *SQUAD),
            "--distill_data={}/dev-v2.0.json",
        ],
    ),
}


@pytest.fixture
def student(golden, data, folders, tmp_path):
    """Returns a function: a name and flags → the task, read and prepared."""

    def make(name, *args):
        script, task_class, own = OF_TASKS[name]
        task = task_class(
            config_of(
                script,
                *("--do_train", "--bert_config_file=x", "--vocab_file=x"),
                *("--max_seq_length=12", f"--output_dir={tmp_path}/out"),
                f"--teacher_dir={folders(name)[1]}",
                *[flag.format(data) for flag in own],
                *args,
            )
        )
        task.read(Start())
        tokenizer = FullTokenizer(golden / "inputs/vocab.txt", True)
        config = run_folder.tiny_config(num_hidden_layers=1)
        task.prepare(Prepared(tf.distribute.get_strategy, config, tokenizer))
        return task

    return make

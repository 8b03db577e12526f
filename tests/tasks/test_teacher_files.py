"""Who may be a teacher; all others are refused in one line, before work."""

import dataclasses
import json
import shutil

import pytest

from bert.errors import UserError
from bert.tasks import teacher_files
from tests.conversion import run_folder
from tests.tasks.taught import data as data
from tests.tasks.taught import folders as folders
from tests.tasks.taught import student as student

DEV = "tests/golden/inputs/squad/dev-v1.1.json"


def _spoilt(folder, spoil, tmp_path):
    copy = run_folder.copy(folder, tmp_path / "spoilt")
    spoil(copy)
    return f"--teacher_dir={copy}"


def edit_json(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        (
            "classification",
            lambda f: (f / "labels.txt").write_text("no\nja\n!\n"),
            r"with the labels .*ja.* Received: one with no, ja, !;",
        ),
        (
            "classification",
            lambda f: (f / "task.json").unlink(),
            "no task.json",
        ),
        (
            "ner",
            lambda f: shutil.copytree(f, f / "tasks/rte"),
            r"one of the tasks of .* \(rte\), as .*#rte\. Received: none",
        ),
        (
            "classification",
            lambda f: (f / "vocab.txt").unlink(),
            "no vocab.txt",
        ),
        ("ner", lambda f: (f / "labels.txt").unlink(), "no labels.txt there"),
        ("ner", shutil.rmtree, "no task.json there; name a folder with one"),
        (
            "classification",
            lambda f: edit_json(f / "task.json", kind="multi_label"),
            "fine-tuned for classification, as this one is. Received: one for "
            "multi_label",
        ),
        (
            "multiple_choice",
            lambda f: edit_json(f / "bert_config.json", type_vocab_size=1),
            "of two segments",
        ),
        (
            "squad",
            lambda f: (f / "vocab.txt").write_text(
                "\n".join((f / "vocab.txt").read_text().splitlines()[::-1])
            ),
            "the vocabulary and casing of this one",
        ),
        (
            "squad",
            lambda f: edit_json(f / "task.json", do_lower_case=False),
            "Received: another vocabulary or --do_lower_case",
        ),
    ],
)
def test_who_cannot_teach_is_refused_before_work(
    student, folders, tmp_path, name, spoil, message
):
    flag = _spoilt(folders(name)[1], spoil, tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        teacher_files.find(student(name, flag))
    assert len(str(caught.value)) < 300
    assert not (tmp_path / "out").exists()


def test_pairs_need_a_teacher_that_reads_them(student, folders, tmp_path):
    flag = _spoilt(
        folders("classification")[1],
        lambda f: edit_json(
            f / "task.json", long_texts={"truncation": "start"}
        ),
        tmp_path,
    )
    task = student("classification", flag)
    teacher_files.find(task)
    examples = [dataclasses.replace(e, text_b="the boat") for e in task._train]
    task._sets["train"][""] = examples
    with pytest.raises(UserError, match="of --truncation=start, for single"):
        teacher_files.find(task)


def test_squad_needs_the_students_windows_and_meaning(student):
    longer = student("squad", "--max_seq_length=49")
    with pytest.raises(UserError, match="at most 48 word pieces"):
        teacher_files.find(longer)
    other = student(
        *("squad", "--noversion_2_with_negative", "--train_on_answer=first"),
        *(f"--train_file={DEV}", f"--distill_data={DEV}"),
    )
    with pytest.raises(UserError, match="--version_2_with_negative=False"):
        teacher_files.find(other)

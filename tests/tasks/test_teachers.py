"""What a teacher says of the examples of every task, and who may be one."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert import run_classifier, run_multiple_choice, run_ner, run_squad
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.tasks import teachers
from bert.tasks.classification.finetuning import Classification
from bert.tasks.multiple_choice.finetuning import MultipleChoice
from bert.tasks.squad.finetuning import Squad
from bert.tasks.tagging.finetuning import Tagging
from bert.tasks.task import Prepared
from bert.training.head_check import Start
from tests.conversion import run_folder
from tests.scripts.runner import config_of

DEV = "tests/golden/inputs/squad/dev-v1.1.json"
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
        task.prepare(Prepared(tf.distribute.get_strategy(), config, tokenizer))
        return task

    return make


def lessons(task):
    """The features of the records that are trained on."""
    task.teacher = teachers.find(task)
    found = task.lessons()
    names = [field.name for field in found.fields]
    assert len({*names}) == len(names)
    rows = list(found.features())
    for row in rows:
        for field in found.fields:
            assert len(row[field.name]) == field.length, field.name
    return rows


def tokenizer_of(folder):
    return FullTokenizer(folder / "vocab.txt", True)


@pytest.mark.parametrize(
    "name", ["classification", "multi_label", "regression"]
)
def test_a_teacher_reads_texts_its_own_way(student, folders, name):
    task = student(name)
    model, folder = folders(name)
    rows = lessons(task)
    assert [row["has_label"] for row in rows] == [[1]] * 3 + [[0]] * 2
    assert task.num_examples == 5
    assert task.data_files()[-1][2] == 2
    texts = [e.text_a for e in (*task._train, *task.unlabelled)]
    theirs = tokenizer_of(folder)
    vocab = theirs.vocab
    for text, row in zip(texts, rows, strict=True):
        ids = [vocab["[CLS]"], *theirs.encode(text), vocab["[SEP]"]]
        expected = model({"input_ids": tf.constant([ids])})["logits"].numpy()[0]
        if task.labels:
            names = (folder / "labels.txt").read_text().splitlines()
            expected = [expected[names.index(n)] for n in task.labels]
        np.testing.assert_allclose(row["teacher_logits"], expected, atol=1e-5)
    # The student cuts what the teacher reads to its end.
    assert max(len(row["input_ids"]) for row in rows) == 12


def test_a_teacher_scores_each_choice(student, folders):
    task = student("multiple_choice")
    model, folder = folders("multiple_choice")
    rows = lessons(task)
    assert [row["has_label"] for row in rows] == [[1], [1], [0]]
    logits = np.array([row["teacher_logits"] for row in rows])
    assert (logits == np.float32(-1e30)).tolist() == [
        [False, False, True],
        [False, False, False],
        [False, False, True],
    ]
    theirs = tokenizer_of(folder)
    cls, sep = (theirs.vocab[name] for name in ("[CLS]", "[SEP]"))
    first, second = theirs.encode("the lake"), theirs.encode("river")
    ids = [cls, *first, sep, *second, sep]
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    found = model(
        {
            "input_ids": tf.constant([[ids]]),
            "segment_ids": tf.constant([[segments]]),
        }
    )
    np.testing.assert_allclose(found["logits"], [[logits[0, 1]]], atol=1e-5)


def test_a_teacher_labels_words_whoever_cuts_them(student, folders):
    task = student("ner")
    model, folder = folders("ner")
    rows = lessons(task)
    # Of 27 words in windows of 10 pieces, at the teacher's in one of 30.
    assert len(rows) > 4
    theirs = tokenizer_of(folder)
    names = (folder / "labels.txt").read_text().splitlines()
    found = []
    for row in rows:
        logits = np.array(row["teacher_logits"]).reshape(len(task.labels), 12)
        found.extend(logits.T[np.array(row["label_mask"]) == 1])
        assert not logits.T[np.array(row["label_mask"]) == 0].any()
    sentences = [*task._sets["train"].sentences, *task.unlabelled]
    expected = []
    for sentence in sentences:
        pieces = theirs.encode_words(sentence.words)
        places = np.cumsum([1, *map(len, pieces)])[:-1]
        ids = [theirs.vocab["[CLS]"], *np.concatenate(pieces)]
        ids.append(theirs.vocab["[SEP]"])
        assert len(ids) <= 32
        logits = model({"input_ids": tf.constant([ids])})["logits"].numpy()[0]
        expected.extend(logits[places][:, [*map(names.index, task.labels)]])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert rows[-1]["has_label"] == [0]


def test_a_teacher_points_to_the_students_tokens(student, folders):
    task = student("squad")
    model, _ = folders("squad")
    rows = lessons(task)
    assert {row["has_label"][0] for row in rows} == {0, 1}
    assert rows[-1]["start_positions"] == [0]
    for row in (rows[0], rows[-1]):
        length = sum(row["input_mask"])
        batch = {
            name: tf.constant([row[name][:length]])
            for name in ("input_ids", "segment_ids")
        }
        outputs = model(batch)
        for name, logits in outputs.items():
            np.testing.assert_allclose(
                row[f"teacher_{name}"][:length], logits[0], atol=1e-5
            )


def test_logits_are_kept_and_made_anew_when_something_changed(
    student, folders, tmp_path, caplog, monkeypatch
):
    caplog.set_level("INFO")
    first = lessons(student("classification"))
    path = tmp_path / "out" / teachers.FILE_NAME
    kept = np.load(path)
    assert (kept.dtype, kept.shape) == (np.float32, (5, 3))
    assert json.loads((tmp_path / f"out/{path.name}.fingerprint").read_text())
    compute = teachers.Teacher._compute

    def never(self):
        raise AssertionError("computed again")

    monkeypatch.setattr(teachers.Teacher, "_compute", never)
    # How it is learned is of no matter, nor how the student cuts texts.
    again = lessons(
        student("classification", "--distill_alpha=1", "--max_seq_length=9")
    )
    assert f"The teacher's logits in {path} are used again" in caplog.messages
    for row, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(
            row["teacher_logits"], other["teacher_logits"]
        )
    _, folder = folders("classification")
    changed = tmp_path / "changed"
    run_folder.copy(folder, changed)
    run_folder.save(
        changed,
        run_folder.make_model("classification", run_folder.tiny_config(), 1),
        9,
    )
    (tmp_path / "t.tsv").write_text("text\tlabel\nthe\tno\na\tja\nb\t?\n")
    other_teacher = student("classification", f"--teacher_dir={changed}")
    other_rows = student("classification", f"--train_file={tmp_path}/t.tsv")
    for task in (other_teacher, other_rows):
        with pytest.raises(AssertionError, match="computed again"):
            lessons(task)
    monkeypatch.setattr(teachers.Teacher, "_compute", compute)
    assert other_teacher.teacher.digest != other_rows.teacher.digest
    lessons(other_teacher)
    assert not np.array_equal(np.load(path), kept)


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
        teachers.find(student(name, flag))
    assert len(str(caught.value)) < 300
    assert not (tmp_path / "out").exists()


def test_squad_needs_the_students_windows_and_meaning(student):
    longer = student("squad", "--max_seq_length=49")
    with pytest.raises(UserError, match="at most 48 word pieces"):
        teachers.find(longer)
    other = student(
        *("squad", "--noversion_2_with_negative", "--train_on_answer=first"),
        *(f"--train_file={DEV}", f"--distill_data={DEV}"),
    )
    with pytest.raises(UserError, match="--version_2_with_negative=False"):
        teachers.find(other)


def test_a_share_of_nothing_needs_no_teacher(student, caplog):
    caplog.set_level("INFO")
    task = student("classification")
    assert task.config.course["distill_alpha"] == 0.5
    task.config = dataclasses.replace(
        task.config, distill_data=None, distill_alpha=0.0
    )
    assert teachers.find(task) is None
    assert "distill_alpha" not in task.config.course
    assert "--distill_alpha=0: the teacher is not asked." in caplog.messages


def test_unlabelled_pairs_of_a_task_of_glue_have_columns_of_their_own(
    golden, tmp_path, folders
):
    (tmp_path / "more.csv").write_text("a,b,id\nthe lake,the boat,7\n")

    def read(*args):
        task = Classification(
            config_of(
                run_classifier,
                *("--do_train", "--bert_config_file=x", "--vocab_file=x"),
                *("--task_name=MRPC", f"--data_dir={golden}/inputs/mrpc"),
                f"--output_dir={tmp_path}/out",
                f"--teacher_dir={folders('classification')[1]}",
                f"--distill_data={tmp_path}/more.csv",
                *args,
            )
        )
        task.read(Start())
        return task

    task = read("--text_column=a", "--pair_column=b")
    (example,) = task.unlabelled
    assert (example.text_a, example.text_b) == ("the lake", "the boat")
    assert task.has_pairs
    with pytest.raises(UserError, match="expected pairs of texts, as in the"):
        read("--text_column=a")
    with pytest.raises(UserError, match="--id_column is for one's own files"):
        read("--text_column=a", "--pair_column=b", "--id_column=id")

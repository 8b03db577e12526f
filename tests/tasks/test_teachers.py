"""What a teacher says of the examples of every task."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from bert.data.text.gpt_tokenizer import GptTokenizer
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.tasks import teachers
from bert.training import run
from tests.conversion import gpt_folder, run_folder
from tests.conversion.gpt_folder import words as words
from tests.tasks.taught import data as data
from tests.tasks.taught import folders as folders
from tests.tasks.taught import student as student


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
    ("name", "sizes", "message"),
    [
        ("classification", {"intermediate_size": 41}, "does not fit the model"),
        ("ner", {"num_hidden_layers": 3}, "it lacks 16 of the encoder's"),
        ("squad", {"num_hidden_layers": 1}, "is of a model with more layers"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_before_work(
    student, folders, tmp_path, name, sizes, message
):
    folder = run_folder.copy(folders(name)[1], tmp_path / "other")
    path = folder / "bert_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **sizes}))
    with pytest.raises(UserError, match=message) as caught:
        teachers.find(student(name, f"--teacher_dir={folder}"))
    assert len(str(caught.value)) <= 300


def test_a_teacher_that_takes_too_much_memory_is_told(
    student, folders, monkeypatch
):
    task = student("classification")
    teacher = teachers.find(task)
    monkeypatch.setattr(run, "load_trained", raising(MemoryError()))
    with pytest.raises(UserError, match=r"Out of .*teacher .*; lower it\.$"):
        _ = teacher.logits


def raising(error):
    def fail(*args, **kwargs):
        raise error

    return fail


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


def test_a_gpt_reads_texts_its_own_way(student, golden, tmp_path, words):
    folder = tmp_path / "gpt"
    model = gpt_folder.write_run(golden, folder, "classification")
    task = student("classification", f"--teacher_dir={folder}")
    theirs = GptTokenizer(folder / gpt_folder.VOCAB)
    start, end = theirs.convert_tokens_to_ids(["_start_", "_classify_"])
    rows = lessons(task)
    for example, row in zip(task._train, rows, strict=False):
        ids = [start, *theirs.encode(example.text_a), end]
        logits = model({"input_ids": tf.constant([ids])})["logits"].numpy()[0]
        expected = [logits[("no", "ja", "?").index(n)] for n in task.labels]
        np.testing.assert_allclose(row["teacher_logits"], expected, atol=1e-5)
    # Other merges make other ids.
    before = teachers.find(task).digest
    with open(folder / gpt_folder.MERGES, "a") as file:
        file.write("q q\n")
    assert teachers.find(task).digest != before


def test_a_teacher_reads_long_texts_its_own_way(student, folders, tmp_path):
    _, folder = folders("classification")
    in_windows = run_folder.copy(folder, tmp_path / "in_windows")
    path = in_windows / "task.json"
    kept = json.loads(path.read_text())
    kept["max_seq_length"] = 5
    kept["long_texts"] = {
        **{"truncation": "windows", "window_pooling": "max"},
        **{"doc_stride": 2, "max_windows": 4},
    }
    path.write_text(json.dumps(kept))
    # The student's own flags, which do not go with windows, are not the
    # teacher's.
    other = student(
        *("classification", f"--teacher_dir={in_windows}", "--use_xla"),
        *("--do_export", "--export_dir=/nowhere/export"),
    )
    rows = lessons(other)
    # The student still reads the start of each text, in one sequence.
    assert {len(row["input_ids"]) for row in rows} == {12}
    whole = lessons(student("classification"))
    long = next(
        i for i, e in enumerate(other._train) if e.text_a.startswith("the boat")
    )
    assert not np.allclose(
        rows[long]["teacher_logits"], whole[long]["teacher_logits"]
    )


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
    named = tmp_path / "named"
    run_folder.copy(folder, named)
    labels = named / "labels.txt"
    labels.write_text("\n".join(reversed(labels.read_text().split())) + "\n")
    other_order = student("classification", f"--teacher_dir={named}")
    for task in (other_teacher, other_rows, other_order):
        with pytest.raises(AssertionError, match="computed again"):
            lessons(task)
    monkeypatch.setattr(teachers.Teacher, "_compute", compute)
    assert other_teacher.teacher.digest != other_rows.teacher.digest
    lessons(other_teacher)
    assert not np.array_equal(np.load(path), kept)


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

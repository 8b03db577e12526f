"""One file for training and evaluation, of each script that takes it."""

import dataclasses
import json

import pytest

from bert import run_classifier, run_multiple_choice, run_ner
from bert.errors import UserError
from bert.files import atomic_files
from bert.tasks.classification.finetuning import Classification
from bert.tasks.multiple_choice.finetuning import MultipleChoice
from bert.tasks.tagging.finetuning import Tagging
from bert.training.head_check import Start
from tests.scripts.runner import config_of

ROWS = [f"my box {n} is late,{'ab'[n % 2]}" for n in range(20)]
TENTH = "--dev_fraction=0.1"
BOTH = ("--do_train", "--do_eval")


@pytest.fixture
def file(tmp_path):
    """A file of 20 texts of two teams."""
    return written(tmp_path / "tickets.csv", "message,team", *ROWS)


def written(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def task(file, *args, script=run_classifier, make=Classification):
    """Returns a task that has read a file."""
    return make(
        config_of(
            script,
            f"--train_file={file}",
            "--bert_config_file=x",
            "--vocab_file=x",
            f"--output_dir={file.parent / 'out'}",
            *args,
        )
    )


def read(*args, **kwargs):
    found = task(*args, **kwargs)
    found.read(Start())
    return found


def kept(found):
    """What split.json says, which is written as a training would."""
    (path, text), *rest = found.kept_files().items()
    assert rest == []
    atomic_files.write_text(path, text)
    return json.loads(text)


def sizes(found):
    return found.num_examples, found.size("dev", "")


def test_the_rows_to_evaluate_are_kept_and_used_again(file, caplog):
    caplog.set_level("INFO", logger="absl")
    (file.parent / "out").mkdir()
    found = read(file, TENTH, *BOTH)
    assert sizes(found) == (18, "Num examples = 2 (2 actual, 0 padding)")
    said = kept(found)
    assert (said["file"], said["rows"]) == ("tickets.csv", 20)
    assert (said["dev_fraction"], said["split_seed"]) == (0.1, 12345)
    ((one, other),) = said["held_out"]
    assert one % 2 != other % 2  # of both labels
    line = f"{file}: 18 rows to train on, 2 to evaluate (--dev_fraction=0.1 "
    assert any(message.startswith(line) for message in caplog.messages)
    # Other rows than a new split would have: those of the file are taken.
    path = file.parent / "out/split.json"
    path.write_text(path.read_text().replace(f"[{one}, ", "[1, 2, 3, "))
    again = read(file, TENTH, *BOTH, "--random_seed=7")
    assert sizes(again)[0] == 16
    alone = read(file, TENTH, "--do_eval", "--labels=a,b")
    assert sizes(alone) == (0, "Num examples = 4 (4 actual, 0 padding)")


def test_who_needs_no_row_of_the_file_does_not_read_it(file):
    for flags in (["--do_export"], ["--do_predict", f"--test_file={file}"]):
        found = read(file, "--train_file=x.csv", TENTH, "--labels=a,b", *flags)
        assert found.kept_files() == {}


def test_what_is_guessed_and_named_stays_with_the_model(file):
    found = read(file, TENTH, *BOTH)
    assert found.labels == ["a", "b"]
    assert found.model_task.table["text_column"] == "message"
    assert "split.json" in found.results


def test_both_sets_are_known_to_be_of_the_file(file):
    found = read(file, TENTH, *BOTH)
    assert found.data_files() == [
        ("train", str(file), 18),
        ("dev", str(file), 2),
    ]


def test_a_label_of_one_row_is_known_and_trained_on(file, caplog):
    written(file, "message,team", *ROWS, "once only,rare")
    found = read(file, "--dev_fraction=0.5", *BOTH)
    assert found.labels == ["a", "b", "rare"]
    assert 21 not in kept_rows(found)
    assert caplog.messages[0].endswith("and not evaluated: rare.")


def kept_rows(found):
    ((_, text),) = found.kept_files().items()
    return {row for part in json.loads(text)["held_out"] for row in part}


def test_rows_of_one_text_are_told(file, caplog):
    caplog.set_level("INFO", logger="absl")
    written(file, "message,team", *ROWS, "My  box 1 is LATE,b")
    rows = kept_rows(read(file, "--dev_fraction=0.5", *BOTH))
    assert (2 in rows) == (21 in rows)
    assert any(
        "1 row(s) have the text of another" in m for m in caplog.messages
    )


def test_each_fold_has_rows_of_its_own(file):
    found = task(file, "--folds=4", *BOTH)
    folds = []
    for number in range(1, 5):
        config = dataclasses.replace(
            found.config, fold=number, output_dir=str(file.parent / "o/fold_1")
        )
        own = Classification(config)
        own.read(Start())
        assert sizes(own)[0] == 15
        (path,) = own.kept_files()
        assert path == str(file.parent / "o/split.json")
        folds.append(kept_rows(own))
    assert folds[0] == set(range(1, 21))


@pytest.mark.parametrize(
    ("kind", "labels", "number"),
    [("multi", "x|x;y|y;z|z", 4), ("regression", "1|2.5|3|4", 4)],
)
def test_several_labels_and_numbers_are_divided_too(file, kind, labels, number):
    several = labels.split("|")
    rows = [f"my box {n} is late,{several[n % 4]}" for n in range(40)]
    written(file, "message,label", *rows)
    flags = (f"--label_type={kind}", "--label_separator=;", TENTH)
    rows = kept_rows(read(file, *flags, *BOTH))
    assert len(rows) == number
    assert len({row % 4 for row in rows}) >= 3


def test_a_column_for_each_label_is_divided_too(file):
    rows = [f"my box {n} is late,{n % 2},{n % 3 % 2}" for n in range(20)]
    written(file, "message,a,b", *rows)
    found = read(file, TENTH, *BOTH, "--label_column=a,b")
    assert found.labels == ["a", "b"]
    assert len(kept_rows(found)) == 2


def test_sentences_are_divided_by_their_labels(tmp_path):
    lines = []
    for n in range(20):
        tag = "B-PER" if n % 4 == 0 else "O"
        lines += [f"Jim{n} {tag}", "sat O", ""]
    file = written(tmp_path / "train.txt", *lines)
    found = read(file, TENTH, *BOTH, script=run_ner, make=Tagging)
    rows = kept_rows(found)
    assert len(rows) == 2
    assert [row % 4 for row in rows].count(1) == 1
    assert found.labels == ["O", "B-PER"]
    assert found.size("dev", "") == "Num sentences = 2"
    assert found.data_files()[1] == ("dev", str(file), 2)


def test_questions_on_one_text_stay_together(tmp_path):
    rows = [f"the text {n // 4},yes {n},no {n},{n % 2}" for n in range(20)]
    file = written(tmp_path / "own.tsv", "text,a,b,label", *rows)
    text = file.read_text().replace(",", "\t")
    file.write_text(text)
    found = read(
        *(file, "--dev_fraction=0.4", "--choice_columns=a,b", *BOTH),
        **{"script": run_multiple_choice, "make": MultipleChoice},
    )
    assert found.config.format == "tsv"
    rows = sorted(kept_rows(found))
    assert len(rows) == 8
    assert found.data_files()[1] == ("dev", str(file), 8)
    assert {(row - 1) // 4 for row in rows[:4]} == {(rows[0] - 1) // 4}


BAD_FLAGS = {
    "nothing": (["--dev_fraction=0"], "above 0 and below 1.*Received: 0"),
    "all": (["--dev_fraction=1"], "above 0 and below 1.*Received: 1"),
    "more": (["--dev_fraction=1.5"], "above 0 and below 1.*Received: 1.5"),
    "no number": (["--dev_fraction=nan"], "below 1.*Received: nan"),
    "a dev file": (
        [TENTH, "--dev_file=x.csv"],
        r"--dev_fraction=0.1 takes .* Received: --dev_file=x\.csv, too",
    ),
    "folds and a dev file": (
        ["--folds=2", "--dev_file=x.csv"],
        "--folds=2 takes",
    ),
    "a dev column": (
        [TENTH, "--dev_label_column=x"],
        "Received: --dev_label_column, which goes",
    ),
    "one fold": (["--folds=1"], "at least 2, .* Received: 1"),
    "folds below 0": (["--folds=-3"], "at least 2, .* Received: -3"),
    "both": (["--folds=3", TENTH], "--folds and --dev_fraction both"),
    "folds of no training": (
        ["--folds=3", "--nodo_train"],
        "--folds needs --do_train and --do_eval",
    ),
    "folds of no evaluation": (
        ["--folds=3", "--nodo_eval"],
        "--folds needs --do_train and --do_eval",
    ),
    "folds to predict": (
        ["--folds=3", "--do_predict"],
        "leaves 3 models .* none for --do_predict; train that one without",
    ),
    "folds to export": (["--folds=3", "--do_export"], "none for --do_export"),
    "an ending": (
        ["--train_file=a.xlsx"],
        r"end in one of \.tsv, \.csv, \.jsonl, or --task_name .*: a\.xlsx",
    ),
    "two endings": (
        [TENTH, "--test_file=a.tsv"],
        r"or --task_name .*tickets\.csv, a\.tsv",
    ),
}


@pytest.mark.parametrize("case", BAD_FLAGS)
def test_flags_that_do_not_fit_are_refused_before_work(file, case):
    args, message = BAD_FLAGS[case]
    with pytest.raises(UserError, match=message):
        task(file, *BOTH, *args)


def test_the_tasks_of_glue_have_files_of_their_own():
    flags = (TENTH, "--task_name=mrpc", "--data_dir=x", "--do_train")
    files = ("--bert_config_file=x", "--vocab_file=x", "--output_dir=x")
    with pytest.raises(UserError, match="Received: --task_name=mrpc, which"):
        config_of(run_classifier, *flags, *files)


BAD_FILES = {
    "more folds than texts": (
        ["--folds=21"],
        ROWS,
        "at least 21 different texts for --folds=21. Received: 20",
    ),
    "one text": ([TENTH], ["a,x", "A,y"], "at least 2 different .*: 1"),
    "no label twice": (
        [TENTH],
        ["a b,x", "b c,y", "c d,z"],
        "more different texts of a label.*: 3 in all",
    ),
    "fewer than folds of a label": (
        ["--folds=3"],
        ["a b,x", "b c,x", "c d,z"],
        "more different texts of a label.*--folds=3",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_divided_is_refused(file, case):
    args, rows, message = BAD_FILES[case]
    written(file, "text,label", *rows)
    with pytest.raises(UserError, match=message):
        read(file, *BOTH, *args)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--dev_fraction=0.2"], r"--dev_fraction \(0\.1 then, 0\.2 now\)"),
        (["--split_seed=1", TENTH], r"--split_seed \(12345 then, 1 now\)"),
        (["--folds=2"], r"--dev_fraction \(0\.1 then, None now\)"),
        (
            [TENTH, "--label_column=message", "--text_column=team"],
            r"other columns or other rows \(tickets\.csv, 20 rows then; ",
        ),
    ],
)
def test_another_split_than_the_one_kept_is_refused(file, args, message):
    (file.parent / "out").mkdir()
    kept(read(file, TENTH, *BOTH))
    with pytest.raises(UserError, match=f"{message}.*; give that again, or"):
        read(file, *BOTH, *args)
    written(file, "message,team", *ROWS[:-1])
    with pytest.raises(UserError, match=r"20 rows then; .*, 19 now"):
        read(file, TENTH, *BOTH)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{", "", "Received: "),
        ('{"file"', '[1] {"file"', "Extra data"),
        ('"held_out"', '"held"', "no 'held_out'"),
        ("[[", "[[0, ", "the row 0 of 20"),
        ("[[", "[[true, ", "the row True of 20"),
        ("[[", "[[], [", r"not 1 list\(s\)"),
        ('"rows": 20', '"rows": "20"', "'20'"),
    ],
)
def test_a_broken_split_is_refused(file, old, new, message):
    (file.parent / "out").mkdir()
    kept(read(file, TENTH, *BOTH))
    path = file.parent / "out/split.json"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=rf"split\.json: expected.*{message}"):
        read(file, TENTH, *BOTH)


def test_a_model_is_not_evaluated_on_what_it_was_trained_on(file, monkeypatch):
    """Elsewhere, too, the split beside the model counts."""
    (file.parent / "out").mkdir()
    kept(read(file, TENTH, *BOTH))

    class Reader:
        prefix = str(file.parent / "out/model.ckpt-1")

    start = Start(Reader(), False, 2)
    flags = ("--do_eval", "--labels=a,b", f"--output_dir={file.parent / 'x'}")
    with pytest.raises(UserError, match=r"out/split\.json.*--split_seed"):
        task(file, TENTH, "--split_seed=1", *flags).read(start)
    task(file, TENTH, *flags).read(start)
    # A new training may hold out other rows.
    fresh = task(file, TENTH, "--split_seed=1", "--do_train", *flags[1:])
    fresh.read(start)

"""Issue 15, number 9: predict.py on a table."""

import csv
import gzip
import io
import json

import pytest

from bert import predict as script
from bert.errors import UserError
from bert.model_folder import task_files
from bert.model_folder.task_files import Task
from bert.serving import table_service
from bert.serving.answering import Failures
from bert.serving.predictor import Predictor
from bert.serving.table_service import Asked
from bert.tasks.requests import UnfitError
from tests.conversion import run_folder
from tests.scripts.runner import config_of, run


class Fake:
    """A model: a text's label is its first word, its probability 0.5.

    Args:
        kind: see `Task`.
        **table: see `Task`.
    """

    window_size = 2
    labels = ("red", "light, blue")

    def __init__(self, kind="classification", **table):
        self.task = Task(
            task="classification",
            kind=kind,
            do_lower_case=True,
            max_seq_length=9,
            table=table,
        )
        self.asked = []

    def request(self, texts):
        if "unfit" in texts:
            raise UnfitError("a fit text")
        return texts

    def answers(self, requests):
        for texts in requests:
            self.asked.append(texts)
            if "nan" in texts:
                raise UserError("numbers that are not finite.")
            name = texts[0].partition(" ")[0]
            yield {
                "classification": {"label": name, "probabilities": {name: 0.5}},
                "multi_label": {
                    "labels": texts[0].split(),
                    "probabilities": dict.fromkeys(texts[0].split(), 0.75),
                },
                "regression": {"score": 1.25},
            }[self.task.kind]


def answer(content, model, is_csv=True, failures=Failures.STOP, **given):
    """Returns what is written about a table, and the error."""
    out, message = io.BytesIO(), None
    content = content if isinstance(content, bytes) else content.encode()
    try:
        table_service.serve(
            *("in.csv", content, model),
            Asked(is_csv, given, failures),
            out,
        )
    except UserError as error:
        message = str(error)
    return out.getvalue().decode(), message


def test_the_answer_is_the_table_with_two_columns_more():
    content = 'id,text\n7,"red, ""big""\nbox"\n8,blue\n9,\n'
    written, message = answer(content, Fake())
    assert message is None
    assert written == (
        "id,text,prediction,probability\n"
        '7,"red, ""big""\nbox","red,",0.5\n'
        "8,blue,blue,0.5\n"
        "9,,,0.5\n"
    )


def test_a_table_keeps_its_mark_line_ends_and_quotes():
    content = '\ufeff"text";n\r\n"red";1\r\nblue;2'
    written, _ = answer(content, Fake())
    assert written == (
        '\ufeff"text";n;prediction;probability\r\n'
        '"red";1;red;0.5\r\nblue;2;blue;0.5\r\n'
    )


def test_tsv_has_no_quotes():
    written, _ = answer('text\tn\n"red\t1\n', Fake(), is_csv=False)
    assert written == 'text\tn\tprediction\tprobability\n"red\t1\t"red\t0.5\n'


def test_it_is_read_as_in_training():
    model = Fake(text_column="a", pair_column="b", delimiter="|", header=True)
    written, _ = answer("b|a\nx|red\n", model)
    assert written == "b|a|prediction|probability\nx|red|red|0.5\n"
    assert model.asked == [("red", "x")]
    # Where the new table is written otherwise, its header tells.
    assert "red;red;0.5" in answer("b;a\nx;red\n", model)[0]
    model = Fake(text_column="1", header=False)
    assert answer("x,red\n\ny,blue\n", model)[0] == (
        "x,red,red,0.5\ny,blue,blue,0.5\n"
    )


def test_flags_come_before_what_training_did():
    model = Fake(text_column="a", delimiter=";")
    written, _ = answer("a,b\nx,red\n", model, text_column="b", delimiter=",")
    assert written.splitlines()[1] == "x,red,red,0.5"
    _, message = answer("a;b\nx;red\n", model, text_column="b", delimiter=",")
    assert "the columns a;b; name the right one" in message
    assert answer("red\nblue\n", Fake(), header=False, text_column="0")[0] == (
        "red,red,0.5\nblue,blue,0.5\n"
    )


def test_numbers_and_several_labels():
    assert answer("text\nred\n", Fake("regression"))[0] == (
        "text,score\nred,1.25\n"
    )
    model = Fake("multi_label", label_separator=";")
    assert answer("text\nred blue\n", model)[0] == (
        "text,prediction,probability\nred blue,red;blue,0.75;0.75\n"
    )
    # A label has the separator: a list then, which training reads, too.
    assert answer("text\nred blue\n", Fake("multi_label"))[0] == (
        "text,prediction,probability\n"
        'red blue,"[""red"", ""blue""]","0.75,0.75"\n'
    )


@pytest.mark.parametrize("content", ["text\n\nred\n\n", 'text\n""\nred\n""\n'])
def test_each_row_has_an_answer(content):
    written, _ = answer(content, Fake())
    cells = list(csv.reader(io.StringIO(written)))
    assert all(len(row) == 3 for row in cells)
    assert len(cells) >= 3


@pytest.mark.parametrize(
    ("header", "kind", "failures"),
    [
        ("text,prediction", "classification", Failures.STOP),
        ("probability,text", "multi_label", Failures.STOP),
        ("text,score", "regression", Failures.STOP),
        ("text,error", "regression", Failures.ANSWER),
    ],
)
def test_a_column_of_an_answers_name_is_refused(header, kind, failures):
    written, message = answer(f"{header}\na,b\n", Fake(kind), True, failures)
    assert written == ""
    name = header.replace("text", "").strip(",")
    assert f"line 1: expected no column {name}" in message


def test_a_row_that_cannot_be_answered_ends_it():
    content = "text,n\nred,1\nblue,2\ngreen\nred,3\n"
    written, message = answer(content, Fake())
    assert len(written.splitlines()) == 3
    assert "in.csv, line 4: expected 2 columns (text, n)" in message


def test_or_says_in_its_place_what_is_wrong():
    content = "text,n\nred,1\ngreen\nunfit,2\nx,y,z\nnan,4\nblue,3\n"
    written, message = answer(content, Fake(), True, Failures.ANSWER)
    found = list(csv.DictReader(io.StringIO(written)))
    assert [row["text"] for row in found] == [
        *("red", "green", "unfit", "x", "nan", "blue")
    ]
    assert [row["n"] for row in found] == ["1", "", "2", "y z", "4", "3"]
    assert [row["prediction"] for row in found] == [
        *("red", "", "", "", "", "blue")
    ]
    assert [row["error"] != "" for row in found] == [
        *(False, True, True, True, True, False)
    ]
    assert "line 6: numbers that are not finite" in found[4]["error"]
    assert message.startswith("in.csv: 4 of its lines could not be answered")
    assert "the first is line 3" in message


def test_messages_stay_in_the_cells_of_a_tsv():
    content = "text\tn\nred\nblue\t1\n"
    written, _ = answer(content, Fake(), False, Failures.ANSWER)
    lines = written.splitlines()
    assert [line.count("\t") for line in lines] == [4, 4, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\nx,y\n", "expected the column 'text'"),
        ('text\n"x\n', "line 2: expected rows as the csv module reads them"),
        ("", "expected rows of text. Received: an empty file"),
        (b"text\n\xe4\n", "line 2: expected text in UTF-8"),
        ("text,text\na,b\n", "'text' 2 times"),
    ],
)
def test_a_table_that_is_none_is_refused(content, message):
    written, found = answer(content, Fake())
    assert written == ""
    assert message in found


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """A run of run_classifier.py that was trained on a csv file."""
    path = tmp_path_factory.mktemp("runs") / "run"
    run_folder.write(golden, path, "classification")
    task = task_files.read(str(path / "task.json"))
    values = json.loads(task.to_json())
    values["table"] = {"text_column": "body", "header": True}
    (path / "task.json").write_text(json.dumps(values))
    return path


def predicted(capfdbinary, folder, path, *args):
    script.predict(
        config_of(
            script, f"--model_dir={folder}", f"--input_file={path}", *args
        )
    )
    return capfdbinary.readouterr().out.decode()


def test_the_answers_are_those_of_the_model(folder, tmp_path, capfdbinary):
    path = tmp_path / "new.CSV"
    path.write_text('n,body\n1,the boat\n2,"of, the\nlake"\n3,\n')
    written = predicted(capfdbinary, folder, path)
    rows = list(csv.DictReader(io.StringIO(written)))
    texts = ["the boat", "of, the\nlake", ""]
    assert [row["body"] for row in rows] == texts
    expected = Predictor.load(str(folder)).predict(texts)
    for row, one in zip(rows, expected, strict=True):
        assert row["prediction"] == one["label"]
        assert float(row["probability"]) == pytest.approx(
            one["probabilities"][one["label"]], abs=1e-6
        )


def test_a_table_may_be_packed(folder, tmp_path, capfdbinary):
    path = tmp_path / "new.tsv.gz"
    path.write_bytes(gzip.compress(b"body\nthe boat\n"))
    header, row = predicted(capfdbinary, folder, path).splitlines()
    assert header == "body\tprediction\tprobability"
    assert row.startswith("the boat\t")


def test_a_csv_as_lines_of_text_is_warned_of(
    folder, tmp_path, capfdbinary, caplog
):
    path = tmp_path / "new.csv"
    path.write_text("body\nthe boat\n")
    written = predicted(capfdbinary, folder, path, "--input_format=text")
    assert len(written.splitlines()) == 2
    (message,) = caplog.messages
    assert "without --input_format=text" in message


def test_other_models_have_no_tables(golden, tmp_path, capfdbinary):
    run_folder.write(golden, tmp_path / "run", "ner")
    (tmp_path / "in.tsv").write_text("text\na\n")
    with pytest.raises(UserError, match=r"a model of ner; say --input_format"):
        predicted(capfdbinary, tmp_path / "run", tmp_path / "in.tsv")


def test_flags_of_tables_are_for_tables():
    for flag in ("--text_column=a", "--noheader", "--delimiter=;"):
        with pytest.raises(UserError, match="is for tables; leave it out"):
            config_of(script, "--model_dir=x", flag)
    with pytest.raises(UserError, match="--delimiter must be a character"):
        config_of(script, "--model_dir=x", "--input_file=x.csv", "--delimiter=")


def test_a_table_may_come_from_a_pipe(folder):
    done = run(
        "predict.py",
        *(f"--model_dir={folder}", "--input_format=tsv"),
        input="body\tn\nthe boat\t1\n",
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "body\tn\tprediction\tprobability"
    assert lines[1].startswith("the boat\t1\t")

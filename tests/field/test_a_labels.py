"""Issue 15, A: what only looks like a label, in tables."""

import json
import logging

import pytest

from bert import run_classifier as script
from bert.errors import UserError
from bert.model_folder import labels as label_files
from bert.tasks.classification.finetuning import Classification
from bert.training.head_check import Start
from tests.scripts.runner import config_of


@pytest.fixture
def read(tmp_path, caplog):
    """Returns a function: a training file's content → the task, read."""
    caplog.set_level(logging.INFO)

    def make(content, *args, name="train.csv", flag="--do_train"):
        (tmp_path / name).write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
        task = Classification(
            config_of(
                script,
                *("--bert_config_file=x", "--vocab_file=x"),
                f"--output_dir={tmp_path / 'out'}",
                f"--data_dir={tmp_path}",
                f"--task_name={name.rpartition('.')[2]}",
                *(flag, *args),
            )
        )
        task.read(Start())
        return task

    return make


def table(*labels, header="text,label"):
    """Returns a csv file with these cells, as they are, behind texts."""
    rows = [f"text {number},{label}" for number, label in enumerate(labels)]
    return "\n".join([header, *rows]) + "\n"


def labels_of(task, name="train"):
    return [example.label for example in task._sets[name][""]]


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


MULTI = "--label_type=multi"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("\"['sci', 'tech']\"", ["sci", "tech"]),
        ("\"['sci','tech']\"", ["sci", "tech"]),
        ("\" [ 'sci' ,'tech', ] \"", ["sci", "tech"]),
        ("\"[u'sci', u'tech']\"", ["sci", "tech"]),
        ('"[""sci"", ""tech""]"', ["sci", "tech"]),
        ('"[""sci"",""it\'s""]"', ["sci", "it's"]),
        ("\"['a, b', 'it\\'s', \"\"x'y\"\"]\"", ["a, b", "it's", "x'y"]),
        ('"[""\\u00e4""]"', ["ä"]),
        ("[]", []),
        ("[ ]", []),
        ("['art']", ["art"]),
        ('"[3, 1]"', ["3", "1"]),
        ('"sci, tech"', ["sci", "tech"]),
        ("sci (old)", ["sci (old)"]),
        ("(other)", ["(other)"]),
        ("", []),
    ],
)
def test_lists_are_read_as_python_and_json_write_them(read, cell, expected):
    task = read(table(cell, "other"), MULTI)
    assert labels_of(task)[0] == expected
    assert {*expected} <= {*task.labels}


@pytest.mark.parametrize(
    "cell",
    [
        "['sci' 'tech']",  # NumPy; Python would join them
        "[sci tech]",
        '"[sci, tech]"',
        "\"('sci', 'tech')\"",
        "\"{'sci', 'tech'}\"",
        '"{sci,tech}"',
        "\"{'sci': 1}\"",
        "()",
        "{}",
        "[0. 1. 1.]",
        "\"['sci', nan]\"",
        "\"['sci', None]\"",
        '"[""sci"", null]"',
        '"[[""sci""]]"',
        "\"['sci', ['tech']]\"",
        "\"['sci', x']\"",
        '"[0.5, 1]"',
        '"[""\\ud800""]"',
        "[" * 9**5 + "]",
    ],
)
def test_what_only_looks_like_a_list_is_refused(read, cell):
    with pytest.raises(UserError, match="line 2: expected") as raised:
        read(table(cell, "a"), MULTI)
    assert len(str(raised.value)) < 400


def test_a_list_of_json_keeps_its_labels(read):
    lines = [{"text": "x", "label": x} for x in (["b", 1], "['c']", [], True)]
    with pytest.raises(UserError, match=r"line 4: .*a list of labels"):
        read(_json(*lines), MULTI, name="train.jsonl")
    task = read(_json(*lines[:3]), MULTI, name="train.jsonl")
    assert labels_of(task) == [["b", "1"], ["c"], []]


def _json(*lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_a_list_for_one_label_is_warned_of(read, caplog):
    read(table("['a']", "['b']"))
    assert "--label_type=multi is for lists" in caplog.text


VECTORS = ['"[0, 1, 1]"', '"[1, 0, 0]"', '"[0, 0, 0]"']


@pytest.mark.parametrize(
    "cells", [VECTORS, [x.replace(", ", ",") for x in VECTORS]]
)
def test_a_list_of_0_and_1_needs_the_labels_names(read, cells):
    with pytest.raises(
        UserError, match=r"line 2: .*labels that are named.*--l"
    ):
        read(table(*cells), MULTI)
    task = read(table(*cells), MULTI, "--labels=x,y,z")
    assert labels_of(task) == [["y", "z"], ["x"], []]
    with pytest.raises(UserError, match=r"line 2: .*each of 2 labels, found 3"):
        read(table(*cells), MULTI, "--labels=x,y")
    with pytest.raises(UserError, match=r"line 4: .*0 or 1 for each of 3"):
        read(table(*cells[:2], '"[2, 0, 1]"'), MULTI, "--labels=x,y,z")


def test_a_list_for_two_labels_has_each_number_once(read):
    cells = ['"[0, 1]"', '"[1, 0]"']
    with pytest.raises(UserError, match="labels that are named"):
        read(table(*cells), MULTI)
    task = read(table(*cells), MULTI, "--labels=x,y")
    assert labels_of(task) == [["y"], ["x"]]
    # Names of labels, where not all lists have them.
    assert read(table(*cells, '"[1]"'), MULTI).labels == ["0", "1"]


def test_a_column_named_twice_is_refused(read):
    with pytest.raises(UserError, match=r"each once. Received: 'a,b,a'"):
        read("text,a,b,c\nx,0,1,0\ny,1,0,0\n", "--label_column=a,b,a")


COLUMNS = "id,text,toxic,obscene,threat\n0,a,0,0,0\n1,b,1,0,1.0\n2,c,true,1,0\n"


@pytest.mark.parametrize("kind", [[], [MULTI]])
@pytest.mark.parametrize("names", ["toxic,obscene,threat", "2, 3, 4"])
def test_a_column_for_each_label(read, caplog, names, kind):
    task = read(COLUMNS, f"--label_column={names}", *kind)
    assert task.spec.name == "multi_label"
    assert task.labels == ["toxic", "obscene", "threat"]
    assert labels_of(task) == [[], ["toxic", "threat"], ["toxic", "obscene"]]
    assert "Labels: toxic (2), obscene (1), threat (1)" in caplog.messages


def test_a_column_for_each_label_without_a_header_and_in_json(read):
    args = ("--text_column=1", "--label_column=2,3,4", "--noheader")
    task = read(COLUMNS.partition("\n")[2], *args)
    assert task.labels == ["2", "3", "4"]
    lines = [{"text": "a", "x": True, "y": 0}, {"text": "b", "x": "0", "y": 1}]
    task = read(_json(*lines), "--label_column=x,y", name="train.jsonl")
    assert labels_of(task) == [["x"], ["y"]]


def test_columns_of_labels_are_checked(read):
    three = "--label_column=toxic,obscene,threat"
    with pytest.raises(
        UserError, match="line 2: expected 0 or 1 in the column"
    ):
        read(COLUMNS.replace("0,a,0", "0,a,-1"), three)
    task = read(COLUMNS.replace("0,a,0", "0,a,-1"), three, "--skip_labels=-1")
    assert len(labels_of(task)) == 2
    with pytest.raises(UserError, match="expected the column 'nice'"):
        read(COLUMNS, "--label_column=toxic,nice")
    with pytest.raises(UserError, match="a column for each of the labels a, b"):
        read(COLUMNS, three, "--labels=a,b")
    with pytest.raises(UserError, match="--label_type must be multi"):
        read(COLUMNS, three, "--label_type=regression")
    with pytest.raises(UserError, match=r"must differ. Received: 'text'"):
        read(COLUMNS, "--label_column=toxic,text")


def test_a_column_whose_name_has_a_comma_is_one_column(read):
    content = 'text,"stars, of 5"\na,x\nb,y\n'
    task = read(content, "--label_column=stars, of 5")
    assert (task.spec.name, task.labels) == ("classification", ["x", "y"])


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["Positive", "positive", "negative"], "'Positive', 'positive'"),
        (["1", "1.0", "0"], "'1', '1.0'"),
        (["01", "1", "0"], "'01', '1'"),
        (["not_so", "not so", "x"], "'not so', 'not_so'"),
        (["true", "False"], "'False', 'true'"),
        (["True", "FALSE"], "'FALSE', 'True'"),
        (["ä", "a\u0308", "b"], "a\u0308"),
        (["pos", "neg"], None),
        (["True", "False"], None),
        (["1", "-1", "0"], None),
        (["A", "A-", "A+"], None),
    ],
)
def test_labels_that_differ_in_their_form_only_are_warned_of(
    read, caplog, labels, named
):
    read(table(*labels))
    text = "\n".join(x for x in warnings_of(caplog) if "form only" in x)
    assert (named in text) if named else not text


def test_json_true_and_a_text_false_are_warned_of(read, caplog):
    lines = [{"text": "x", "label": x} for x in (True, "False", False)]
    read(_json(*lines), name="train.jsonl")
    assert "differ in their form only" in caplog.text


def test_labels_that_were_named_are_meant(read, caplog):
    read(table("A", "a"), "--labels=A,a")
    assert not warnings_of(caplog)


@pytest.mark.parametrize(
    ("label", "others", "warns"),
    [
        ("-", ["yes", "no"], True),
        ("nan", ["yes", "no"], True),
        ("_", ["yes", "no"], True),
        ("-", ["+"], False),
    ],
)
def test_what_stands_for_no_label_is_warned_of(
    read, caplog, label, others, warns
):
    read(table(label, *others))
    assert (f"--skip_labels={label}" in caplog.text) == warns


def test_rows_of_some_labels_are_left_out(read, caplog):
    content = table("-", "yes", "no", "?", "-")
    task = read(content, "--skip_labels=-,?")
    assert labels_of(task) == ["yes", "no"]
    assert "3 row(s) are left out for their label" in caplog.text
    assert not warnings_of(caplog)
    with pytest.raises(UserError, match="--skip_labels leaves none"):
        read(content, "--skip_labels=-,?,yes,no")
    task = read(table("", "yes", "no"), "--skip_labels=")
    assert labels_of(task) == ["yes", "no"]
    lines = [{"text": "x", "label": x} for x in (None, "a", "b", -1)]
    task = read(_json(*lines), "--skip_labels=null,-1", name="train.jsonl")
    assert labels_of(task) == ["a", "b"]


def test_rows_of_some_labels_are_left_out_of_several_and_of_numbers(read):
    task = read(table('"a,-"', "a", "b", "-"), MULTI, "--skip_labels=-")
    assert labels_of(task) == [["a"], ["b"]]
    task = read(
        table("1.5", "-1", "nan"),
        *("--label_type=regression", "--skip_labels=-1,nan"),
    )
    assert labels_of(task) == [1.5]


def test_no_row_of_a_test_set_is_left_out(read, tmp_path):
    (tmp_path / "test.csv").write_text(table("-", "-"))
    task = read(table("-", "yes", "no"), "--skip_labels=-", "--do_predict")
    assert len(task._sets["test"][""]) == 2


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (map(str, range(12)), list(map(str, range(12)))),
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10.0", "9.0", "1.0"], ["1.0", "9.0", "10.0"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (["10", "9.5"], ["10", "9.5"]),
    ],
)
def test_whole_numbers_are_sorted_as_numbers(read, labels, expected):
    assert read(table(*labels)).labels == expected


def test_a_model_of_before_keeps_the_order_of_its_labels(read, monkeypatch):
    kept = label_files.Labels(["0", "10", "9"], "m/labels.txt")
    monkeypatch.setattr("bert.tasks.head_labels.of_start", lambda start: kept)
    assert read(table("9", "0", "10")).labels == kept.names
    with pytest.raises(
        UserError, match=r"m/labels\.txt: the model was trained"
    ):
        read(table("9", "0", "11"))


def test_every_training_logs_its_labels_with_their_counts(
    read, caplog, tmp_path
):
    read(table("b", "a", "b", "c"))
    assert "Labels: a (1), b (2), c (1)" in caplog.messages
    caplog.clear()
    read(table("1", "2.5"), "--label_type=regression")
    assert "Labels: 2 numbers from 1 to 2.5, 1.75 on average" in caplog.messages
    caplog.clear()
    header = "index\tsentence1\tsentence2\tlabel\n"
    (tmp_path / "train.tsv").write_text(header + "0\ta\tb\tentailment\n")
    read("text,label\n", "--task_name=RTE")
    assert "Labels: entailment (1), not_entailment (0)" in caplog.messages


def test_columns_that_count_the_rows_are_warned_of(read, caplog):
    rows = [f"{n},text {n},{'ab'[n % 2]}" for n in range(12)]
    content = "\n".join(["id,text,label", *rows])
    read(content)
    assert not warnings_of(caplog)
    read(content, "--text_column=id")
    assert "--text_column is a column that does nothing but" in caplog.text
    read(content, "--label_column=id")
    assert "12 labels have 12 different values" in caplog.text
    caplog.clear()
    read(content, "--label_column=id", "--label_type=regression")
    assert "--label_column is a column that does nothing but" in caplog.text


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("name", ["train.csv", "train.tsv"])
def test_a_delimiter_is_guessed_from_the_header(read, caplog, delimiter, name):
    lines = ["text,label", "red,a", "blue,b"]
    content = "\ufeff" + "\r\n".join(lines).replace(",", delimiter)
    task = read(content, name=name)
    assert task.labels == ["a", "b"]
    own = delimiter == "\t" and name == "train.tsv"
    assert ("as its header shows (--delimiter)" in caplog.text) != own
    kept = task.table()
    assert kept.get("delimiter") == (None if own else delimiter)


def test_quotes_do_not_hide_the_delimiter(read):
    task = read('"text";"label"\n"red; ""big""";a\n"x, y";b\n')
    assert [e.text_a for e in task._sets["train"][""]] == ['red; "big"', "x, y"]


def test_a_delimiter_can_be_told(read):
    content = "text,label;x\na,b;c\nd,e;f\n"
    assert read(content, "--label_column=label;x").labels == ["b;c", "e;f"]
    with pytest.raises(UserError, match="columns 'text,label', x; name"):
        read(content, "--delimiter=;")
    content = "text\tlabel\na\tb\nc\td\n"
    for told in ("tab", "\\t", "\t"):
        assert read(content, f"--delimiter={told}").labels == ["b", "d"]
    for bad in ("", ";;", "a", '"', "\n"):
        with pytest.raises(UserError, match="--delimiter must be a character"):
            read(content, f"--delimiter={bad}")
    with pytest.raises(UserError, match="--delimiter is for tsv and csv"):
        read("{}", "--delimiter=;", name="train.jsonl")


def test_names_that_need_it_are_quoted(read):
    with pytest.raises(UserError, match="the columns text, ' mark'; name the"):
        read("text, mark\na,b\n")


def test_weights_of_labels_that_hold_a_comma(read):
    content = table('"a, b"', "b", "c", "b")
    task = read(content, "--class_weights=a, b:2,b:1,c:0.5")
    assert task._label_weights == [2, 1, 0.5]
    with pytest.raises(UserError, match=r"the labels are 'a, b', b, c; 'x' is"):
        read(content, "--class_weights=x:2,b:1,c:0.5")


def test_the_dev_file_may_have_other_columns(read, tmp_path):
    (tmp_path / "dev.csv").write_text("s1,s2,gold\nx,y,a\n")
    task = read(
        "text,label\nx,a\ny,b\n",
        *("--do_eval", "--dev_text_column=s1", "--dev_label_column=gold"),
    )
    assert labels_of(task, "dev") == ["a"]
    with pytest.raises(UserError, match=r"must differ. Received: 'gold'"):
        read(
            "", "--do_eval", "--dev_text_column=gold", "--dev_label_column=gold"
        )


def test_the_dev_file_may_have_other_columns_for_each_label(read, tmp_path):
    (tmp_path / "dev.csv").write_text("text,t,o\na,0,1\n")
    task = read(
        COLUMNS,
        *(
            "--label_column=toxic,obscene",
            "--do_eval",
            "--dev_label_column=t,o",
        ),
    )
    assert labels_of(task, "dev") == [["obscene"]]


@pytest.mark.parametrize("language", ["de", "zh", None])
def test_xnli_is_there_in_each_language(read, tmp_path, language):
    code = language or "zh"
    (tmp_path / "multinli").mkdir(exist_ok=True)
    (tmp_path / f"multinli/multinli.train.{code}.tsv").write_text(
        "premise\thypo\tlabel\na\tb\tneutral\n"
    )
    rows = [
        "\t".join([each, "neutral", *"2345", f"{each} 1", f"{each} 2"])
        for each in ("de", "zh")
    ]
    (tmp_path / "xnli.dev.tsv").write_text("\n".join(["header", *rows]) + "\n")
    args = [f"--language={language}"] if language else []
    task = read("", "--task_name=XNLI", "--do_eval", *args)
    assert [e.text_a for e in task._sets["dev"][""]] == [f"{code} 1"]
    with pytest.raises(UserError, match="--language is for --task_name=xnli"):
        read("", "--task_name=RTE", "--language=de")
    assert len(script.XnliProcessor.languages) == 15

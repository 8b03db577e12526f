"""Issue 15, A: what only looks like a word or a tag, in CoNLL files."""

import logging

import pytest

from bert import run_ner
from bert.errors import UserError
from bert.model_folder import labels as label_files
from bert.tasks.tagging import metrics
from bert.tasks.tagging.finetuning import Tagging
from bert.training.head_check import Start
from tests.scripts.runner import config_of


@pytest.fixture
def read(tmp_path, caplog):
    """Returns a function: a training file's content → the task, read."""
    caplog.set_level(logging.INFO)

    def make(content, *args):
        (tmp_path / "train.txt").write_text(content)
        task = Tagging(
            config_of(
                run_ner,
                *("--bert_config_file=x", "--vocab_file=x", "--do_train"),
                f"--output_dir={tmp_path / 'out'}",
                *(f"--data_dir={tmp_path}", *args),
            )
        )
        task.read(Start())
        return task

    return make


def sentences(task, name="train"):
    return [(s.words, s.labels) for s in task._sets[name].sentences]


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


CONLLU = """\
# sent_id = 1
# text = Zum Haus
1-2	Zum	_	_	_	_	_	_	_	_
1	zu	zu	ADP	APPR	_	3	case	_	_
2	dem	der	DET	ART	_	3	det	_	_
2.1	das	der	PRON	ART	_	3	det	_	_
3	Haus	Haus	NOUN	NN	_	0	root	_	_

# text = geht
1	geht	gehen	VERB	VV	_	0	root	_	_
"""
WORDS = [
    (["zu", "dem", "Haus"], ["ADP", "DET", "NOUN"]),
    (["geht"], ["VERB"]),
]


def test_ranges_and_empty_nodes_of_conllu_are_no_words(read, caplog):
    task = read(CONLLU, "--token_column=1", "--label_column=3")
    assert sentences(task) == WORDS
    assert task.labels == ["ADP", "DET", "NOUN", "VERB"]
    assert "Labels: ADP (1), DET (1), NOUN (1), VERB (1)" in caplog.messages
    assert "3 comment line(s) are left out" in caplog.text
    assert "2 range(s) and empty node(s) of CoNLL-U are left" in caplog.text
    assert not warnings_of(caplog)


@pytest.mark.parametrize("separator", ["\t", " "])
@pytest.mark.parametrize("order", [(0, 1, 3), (1, 0, 3), (3, 1, 0), (1, 3, 0)])
def test_they_are_none_in_any_layout(read, separator, order):
    """The column that counts may be anywhere, and also one that is read."""
    lines = []
    for line in CONLLU.splitlines():
        columns = line.split("\t")
        if len(columns) > 1:
            columns = [columns[n] for n in order]
        lines.append(separator.join(columns))
    task = read(
        "\n".join(lines),
        f"--token_column={order.index(1)}",
        f"--label_column={order.index(3)}",
    )
    assert sentences(task) == WORDS


def test_counts_from_0_and_nodes_in_front(read):
    for content in (
        "0 a A\n0.1 x A\n1-2 bc _\n1 b B\n2 c B\n\n0 d A\n",
        "0.1 x A\n1 a A\n2-3 bc _\n2 b B\n3 c B\n3.1 x _\n\n1 d A\n",
    ):
        task = read(content, "--token_column=1")
        words = [words for words, _ in sentences(task)]
        assert words == [["a", "b", "c"], ["d"]]


def test_words_that_look_like_nodes_stay(read):
    content = "won O\n1-2 B-X\n2.1 O\n\n1 O\n2 O\n1-2 B-X\n"
    words = [words for words, _ in sentences(read(content))]
    assert words == [["won", "1-2", "2.1"], ["1", "2", "1-2"]]


def test_lines_keep_their_numbers(read, tmp_path):
    (tmp_path / "dev.txt").write_text(CONLLU.replace("NOUN", "X"))
    with pytest.raises(UserError, match=r"dev\.txt, line 7: .*found 'X'"):
        read(CONLLU, "--token_column=1", "--label_column=3", "--do_eval")


def test_a_test_file_is_read_likewise(read, tmp_path):
    (tmp_path / "test.txt").write_text(CONLLU)
    args = ("--token_column=1", "--label_column=3", "--do_predict")
    assert sentences(read(CONLLU, *args), "test") == WORDS


@pytest.mark.parametrize(
    ("args", "column"),
    [
        (["--label_column=3"], r"column 0 \(--token_column\)"),
        (
            ["--token_column=1", "--label_column=0"],
            r"column 0 \(--label_column\)",
        ),
    ],
)
def test_a_column_that_counts_the_words_is_warned_of(
    read, caplog, args, column
):
    read(CONLLU, *args)
    (message,) = warnings_of(caplog)
    assert "does nothing but count the words" in message
    assert column.replace("\\", "") in message


@pytest.mark.parametrize("separator", ["\t", " "])
def test_an_underscore_beside_real_tags_is_refused(read, separator):
    content = "the DET\nboat _\nlake NOUN\n".replace(" ", separator)
    with pytest.raises(
        UserError, match=r"line 2: expected a label in each line .*found '_'"
    ):
        read(content)
    task = read(content, "--labels=_,DET,NOUN")
    assert task.labels == ["_", "DET", "NOUN"]


COMMENTS = """\
#	n-tv.example vom 01.01.2005 [2005-01-01]
1	Anna	B-PER	O
2	in	O	O

#	a	b	c
#	wiki [2009-10-17]
1	Der	O	O
2	#	O	O
#	#rhein	B-PER	O

# nothing more
"""


def test_comments_before_the_first_word_are_none(read, caplog):
    content = COMMENTS.replace("#\t#", "3\t#")
    task = read(content, "--token_column=1", "--label_column=2")
    assert sentences(task) == [
        (["Anna", "in"], ["B-PER", "O"]),
        (["Der", "#", "#rhein"], ["O", "O", "B-PER"]),
    ]
    assert "4 comment line(s) are left out" in caplog.text


def test_a_hash_behind_a_word_is_a_word(read):
    task = read(COMMENTS, "--token_column=1", "--label_column=2")
    assert sentences(task)[1][0] == ["Der", "#", "#rhein"]


def test_words_that_begin_with_a_hash_stay_words(read, caplog):
    """As in WNUT: they have the labels of other lines."""
    content = "#\tO\n1\tO\n\n#berlin\tB-loc\nin\tO\nBonn\tB-loc\n\n#a\tO\n"
    words = [words for words, _ in sentences(read(content))]
    assert words == [["#", "1"], ["#berlin", "in", "Bonn"], ["#a"]]
    assert "comment" not in caplog.text


def test_a_file_without_labels_or_without_others_keeps_its_words(
    read, tmp_path, caplog
):
    (tmp_path / "test.txt").write_text("# id 1\n#berlin\nis\n\n#a\n")
    task = read("a O\nb B-X\n", "--do_predict")
    assert sentences(task, "test") == [
        (["#berlin", "is"], None),
        (["#a"], None),
    ]
    assert "1 comment line(s) are left out" in caplog.text
    assert sentences(read("#a O\n#b B-X\n")) == [(["#a", "#b"], ["O", "B-X"])]


def test_the_message_about_an_empty_word_says_so(read):
    for content, what in (
        ("@user\tO\n\tO\nrocks\tO\n", "line 2: .*the word is empty"),
        ("\tO\n", "line 1: .*the word is empty"),
        ("a\tO\nb\t\tO\n", "line 2: .*there are 3"),
        ("a\tx\tO\nb\t\tO\n", "line 2: .*column 1 is empty"),
    ):
        with pytest.raises(UserError, match=what):
            read(content)
    with pytest.raises(UserError, match=r"line 2: .*the label is empty"):
        read("O\ta\n\tb\n", "--token_column=1", "--label_column=0")


FORMS = {
    "suffix": ["PER-B", "PER-I", "LOC-B", "O"],
    "suffix, underscore": ["PER_B", "PER_I", "LOC_B", "O"],
    "underscore": ["B_PER", "I_PER", "B_LOC", "O"],
    "lower case": ["b-per", "i-per", "b-loc", "o"],
    "lower case, O": ["b_per", "i_per", "b_loc", "O"],
    "BMES": ["B-PER", "M-PER", "S-LOC", "E-PER", "O"],
    "BMEWO": ["B-PER", "M-PER", "W-LOC", "E-PER", "O"],
    "segments": ["B", "M", "E", "S"],
    "segments, lower case": ["b", "i", "o"],
    "IO, underscore": ["I_PER", "I_LOC", "O"],
}


@pytest.mark.parametrize("labels", FORMS.values(), ids=FORMS)
def test_entities_are_counted_in_other_forms_of_tags(read, caplog, labels):
    task = read("".join(f"word {label}\n" for label in labels))
    names = ["eval_accuracy", "eval_loss", "loss", "macro_f1"]
    assert task.metric_names() == [*names, "precision", "recall", "f1"]
    assert "Entities are counted as if labels were B-…, I-…" in caplog.text
    assert not warnings_of(caplog)


USUAL = ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-PER"]


@pytest.mark.parametrize(
    "rename",
    [
        str.lower,
        lambda tag: tag.replace("-", "_"),
        lambda tag: "-".join(reversed(tag.split("-"))),
        lambda tag: "_".join(reversed(tag.split("-"))),
        lambda tag: tag.replace("I-", "M-"),
    ],
)
def test_their_figures_are_those_of_the_usual_form(rename):
    gold, predicted = USUAL, [*USUAL[:4], "I-LOC", "B-PER"]
    expected = metrics.metrics([gold], [predicted], sorted({*USUAL, "I-LOC"}))
    one, other = list(map(rename, gold)), list(map(rename, predicted))
    found = metrics.metrics([one], [other], sorted({*one, *other}))
    assert {name: found[name] for name in expected} == expected
    assert 0 < found["f1"] < 1
    names = sorted({*one, *other})
    report = metrics.report([one], [other], names).casefold()
    assert "per" in report
    assert "loc" in report


OTHERS = {
    "IO": ["PER", "LOC", "O"],
    "some": ["B-PER", "I-PER", "MISC", "O"],
    "two forms": ["B-PER", "I_PER", "O"],
    "no beginning": ["NN-S", "VB-S", "O"],
}


@pytest.mark.parametrize("labels", OTHERS.values(), ids=OTHERS)
def test_else_a_warning_says_that_there_are_no_figures_of_entities(
    read, caplog, labels
):
    task = read("".join(f"word {label}\n" for label in labels))
    assert task.metric_names()[-1] == "macro_f1"
    assert "No entities are counted: " in warnings_of(caplog)[-1]


def test_parts_of_speech_and_the_usual_tags_are_not_warned_of(read, caplog):
    read("the DET\nboat NOUN\nsees VERB\n")
    task = read("the O\nboat B-X\nlake I-X\n")
    assert task.metric_names()[-3:] == ["precision", "recall", "f1"]
    assert "macro_f1" not in task.metric_names()
    assert not warnings_of(caplog)


def test_nearly_as_many_tags_as_words_are_warned_of(read, caplog):
    read("".join(f"{word} {word}s\n" for word in "abcdefghijkl"))
    (message,) = warnings_of(caplog)
    assert "12 labels have 12 different values; is --label_column" in message


def test_tags_that_differ_in_their_form_only_are_warned_of(read, caplog):
    read("the O\nboat B-PER\nlake B-per\n")
    assert "'B-PER', 'B-per' differ in their form only" in caplog.text


def test_tags_that_are_numbers_are_sorted_as_numbers(read, monkeypatch):
    content = "a 10\nb 9\nc 0\n"
    assert read(content).labels == ["0", "9", "10"]
    kept = label_files.Labels(["0", "10", "9"], "m/labels.txt")
    monkeypatch.setattr("bert.tasks.head_labels.of_start", lambda start: kept)
    assert read(content).labels == kept.names

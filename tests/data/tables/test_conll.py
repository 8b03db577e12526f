import re

import pytest

from bert.data.tables import conll
from bert.errors import UserError

COLUMNS = conll.Columns()


def corpus_of(tmp_path, content, columns=COLUMNS, needs_labels=True):
    path = tmp_path / "file.txt"
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    return conll.read_conll(str(path), columns, needs_labels)


def words_and_labels(corpus):
    return [(s.words, s.labels) for s in corpus.sentences]


def test_blank_lines_and_document_starts_end_sentences(tmp_path):
    corpus = corpus_of(
        tmp_path,
        "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\n"
        "-DOCSTART- -X- O O\nPeter NNP B-NP B-PER\n",
    )
    assert corpus.sentences == [
        conll.Sentence(["EU", "rejects"], ["B-ORG", "O"], 3),
        conll.Sentence(["Peter"], ["B-PER"], 8),
    ]


def test_byte_order_mark_carriage_returns_and_a_missing_last_line_end(tmp_path):
    corpus = corpus_of(tmp_path, b"\xef\xbb\xbfEU O\r\n\r\nein O\r\nLamm B-X")
    assert words_and_labels(corpus) == [
        (["EU"], ["O"]),
        (["ein", "Lamm"], ["O", "B-X"]),
    ]


def test_a_tab_in_the_first_line_makes_spaces_part_of_a_column(tmp_path):
    corpus = corpus_of(tmp_path, "New York\tB-LOC\nis\tO \n \t\nbig\tO\n")
    assert words_and_labels(corpus) == [
        (["New York", "is"], ["B-LOC", "O"]),
        (["big"], ["O"]),
    ]
    assert corpus.separator == "\t"


def test_without_tabs_only_spaces_separate(tmp_path):
    corpus = corpus_of(tmp_path, "  a\u00a0b   NN \n\u2028 NN\n# NN\n")
    assert words_and_labels(corpus) == [
        (["a\u00a0b", "\u2028", "#"], ["NN", "NN", "NN"])
    ]
    assert corpus.separator == " "


def test_labels_that_are_not_needed_may_hold_spaces(tmp_path):
    corpus = corpus_of(tmp_path, "EU\tan O\n", needs_labels=False)
    assert words_and_labels(corpus) == [(["EU"], ["an O"])]


def test_lines_may_end_in_cr_alone(tmp_path):
    corpus = corpus_of(tmp_path, "EU O\r\rein O\r")
    assert words_and_labels(corpus) == [(["EU"], ["O"]), (["ein"], ["O"])]


def test_columns_can_be_chosen(tmp_path):
    corpus = corpus_of(
        tmp_path, "1\tEU\tNNP\tB-ORG\n", conll.Columns(token=1, label=-2)
    )
    assert words_and_labels(corpus) == [(["EU"], ["NNP"])]


def test_a_file_without_labels_will_do_where_none_are_needed(tmp_path):
    assert words_and_labels(
        corpus_of(tmp_path, "EU\nrejects\n", needs_labels=False)
    ) == [(["EU", "rejects"], None)]
    with_labels = corpus_of(tmp_path, "EU B-ORG\n", needs_labels=False)
    assert words_and_labels(with_labels) == [(["EU"], ["B-ORG"])]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "file.txt: expected a word a line"),
        (" \n\n\t\n-DOCSTART- O\n", "Received: a file without words"),
        (
            "EU O\n\nein O\nLamm\n",
            "line 4: expected 2 column(s) between spaces, as in line 1",
        ),
        ("EU O\nLamm NN O\n", "Received: 'Lamm NN O'"),
        ("EU\tO\nNew York\n", "line 2: expected 2 column(s) between TABs"),
        ("EU\tO\n\tO\n", "line 2: expected 2 column(s) between TABs"),
        ("EU\nrejects\n", "line 1: expected a word in column 0 (--token_col"),
        ("EU\nrejects\n", "found 1 column(s). Received: 'EU'"),
        (
            "1\tno\tA tree.\n0\tyes\tA text.\n",
            "line 1: expected a label without spaces in column -1 "
            "(--label_column), found 'A tree.'. Received: '1\\tno\\tA tree.'",
        ),
        ("EU\tO\nx\tB\u2028X\n", "line 2: expected a label without spaces"),
        (
            b"EU O\nL\xfcbeck O\n",
            "line 2: expected text in UTF-8. Received: the byte 0xfc",
        ),
        (
            b"EU O\na\0b O\n",
            "line 2: expected text in UTF-8. Received: the byte 0x00",
        ),
        ("EU O\n" + 200 * "x" + "\n", "'" + 80 * "x" + "'…"),
        ("EU O\nx y z\n", "as in line 1; there are 3. Received: 'x y z'"),
        ("\tO\n", "line 1; the word is empty. Received: '\\tO'"),
        ("EU\tN\tO\nx\t\tO\n", "as in line 1; column 1 is empty."),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(tmp_path, content, message):
    with pytest.raises(UserError, match=re.escape(message)) as error:
        corpus_of(tmp_path, content)
    assert str(tmp_path / "file.txt") in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (conll.Columns(token=4), "expected a word in column 4"),
        (conll.Columns(token=-1), "and its label in column -1"),
        (conll.Columns(label=7), "and its label in column 7"),
    ],
)
def test_columns_that_are_not_there_are_named(tmp_path, columns, message):
    with pytest.raises(UserError, match=message):
        corpus_of(tmp_path, "EU O\n", columns)


def test_missing_file_and_folder(tmp_path):
    for path, message in (
        (tmp_path / "no", "No such file"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(UserError, match=message):
            conll.read_conll(str(path), COLUMNS, True)


def test_labels_are_sorted_behind_o(tmp_path):
    corpus = corpus_of(tmp_path, "a I-X\nb O\nc B-X\nd -Z\ne B-X\n")
    assert conll.labels_of(corpus) == ["O", "-Z", "B-X", "I-X"]
    assert conll.labels_of(corpus_of(tmp_path, "a NN\nb DT\n")) == ["DT", "NN"]


def test_an_unknown_label_is_named_with_its_line(tmp_path):
    corpus = corpus_of(tmp_path, "a O\n\n\nb O\nLamm B-Y\n")
    conll.check_labels(corpus, ["O", "B-Y"], "train.txt")
    with pytest.raises(UserError) as error:
        conll.check_labels(corpus, ["O", "B-X"], "train.txt")
    for part in (
        "line 5:",
        "O, B-X (train.txt)",
        "found 'B-Y'",
        "'Lamm B-Y'",
        "--labels",
    ):
        assert part in str(error.value)

"""Words, and what is none; tests/field/test_a_conll.py has more."""

from bert.data.tables import conll_lines
from bert.data.tables.rows import Place


def split(*lines):
    places = (Place("f", n, line) for n, line in enumerate(lines, start=1))
    return conll_lines.split(places)


def words(found, token, label):
    return [
        [line.columns[token] for line in sentence]
        for sentence in conll_lines.words_of(found, token, label)
    ]


def test_the_first_words_line_tells_the_separator():
    assert split("", " \t") is None
    assert split("-DOCSTART- O") is None
    found = split("# a\tcomment", "New York\tB", "", "is O")
    assert (found.separator, found.first.place.line) == ("\t", 2)
    assert found.sentences[0][1].columns == ["New York", "B"]
    assert split("# a\tb", "x O").separator == " "
    assert split("# a\tb", "#").first.place.line == 1


def test_comments_are_those_without_a_label_of_others():
    found = split("# a b c", "#", "# x", "# O", "a O", "# y", "", "# B")
    assert words(found, 0, 1) == [["#", "a", "#"]]


def test_nodes_are_those_of_a_column_that_counts():
    found = split("1-2 zum A", "1 zu A", "2 dem A", "2.1 x A", "", "1 y A")
    assert words(found, 1, 2) == [["zu", "dem"], ["y"]]
    found = split("1-2 zum A", "1 zu A", "3 dem A")
    assert words(found, 1, 2) == [["zum", "zu", "dem"]]

import pytest

from bert.data.tables import told_columns

TEXTS = [
    "my box is late",
    "I was charged twice",
    "it is too late",
    "no way out",
]
TEAMS = ["a", "b", "a", "b"]
IDS = ["1", "2", "3", "4"]


def columns(**cells):
    return {"id": IDS, **cells}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"message": TEXTS, "team": TEAMS}, ["message"]),
        # By the name even where the cells do not look like it.
        ({"Sentence": TEAMS, "x": TEXTS}, ["Sentence"]),
        ({"Text": TEAMS, "message": TEXTS}, ["Text"]),
        ({"review_text": TEXTS, "other": TEXTS}, ["review_text"]),
        ({"CustomerMessage": TEXTS, "other": TEXTS}, ["CustomerMessage"]),
        # By the cells.
        ({"Nachricht": TEXTS, "team": TEAMS}, ["Nachricht"]),
        ({"x": ["我的箱子迟到了", "价格是多少"] * 2}, ["x"]),
        # Names of other things than texts.
        ({"message_id": IDS, "is_question": TEAMS, "y": TEXTS}, ["y"]),
        # As good as one another, or none.
        ({"message": TEXTS, "comment": TEXTS}, ["message", "comment"]),
        ({"x": TEXTS, "y": TEXTS}, ["x", "y"]),
        ({"when": ["2026-11-30 10:00 +0200"] * 4, "who": ["Jim Doe"] * 4}, []),
    ],
)
def test_texts_are_told_by_name_then_by_what_they_are(cells, expected):
    assert told_columns.texts(columns(**cells)) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"team": TEAMS, "x": TEAMS}, ["team"]),
        ({"LABEL": TEAMS, "category": TEAMS}, ["LABEL"]),
        ({"support_team": TEAMS, "x": TEAMS}, ["support_team"]),
        ({"x": TEAMS}, ["x"]),
        ({"sentiment": TEAMS, "intent": TEAMS}, ["sentiment", "intent"]),
        ({"x": TEAMS, "y": TEAMS}, ["x", "y"]),
        # Ids do not repeat, nor do constants tell anything.
        ({"year": ["2026"] * 4}, []),
    ],
)
def test_labels_are_told_by_name_then_by_what_repeats(cells, expected):
    assert told_columns.labels(columns(**cells)) == expected


def test_several_labels_of_a_cell_repeat_each():
    cells = ["x;y", "x", "y;z", "z"]
    assert told_columns.labels(columns(a=cells), ";") == ["a"]
    assert told_columns.labels(columns(a=cells)) == []


def test_numbers_are_told_from_counts_and_names():
    stars = ["1", "5", "2.5", ""]
    ids = [str(n) for n in range(10)]
    assert told_columns.numbers({"id": ids, "x": stars}) == ["x"]
    found = told_columns.numbers({"price": stars, "rating": stars})
    assert found == ["rating"]
    assert told_columns.numbers({"a": stars, "b": stars}) == ["a", "b"]
    assert told_columns.numbers({"rating": TEAMS}) == []


def test_a_row_is_not_taken_for_a_header():
    assert told_columns.looks_like_a_row("a", TEAMS)
    assert told_columns.looks_like_a_row("my box is here", TEXTS)
    assert not told_columns.looks_like_a_row("Customer message text", TEXTS)
    assert not told_columns.looks_like_a_row("team", TEAMS)

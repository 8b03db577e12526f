import re

import pytest

from bert.pages import answers, frame
from bert.pages.answers import Asked, Span
from tests import browser

TEXT = "Anna met <b>Tom</b> in New York"
# An answer of each task, as predict.py and fill_mask.py give them.
ANSWERS = {
    "classification": (
        {"label": "<b>", "probabilities": {"no": 0.25, "<b>": 0.75}},
        {"text": TEXT},
    ),
    "multi_label": (
        {"labels": [], "probabilities": {"red": 0.25, "blue": 0.5}},
        {"text": TEXT},
    ),
    "regression": ({"score": -1.5}, {"text": TEXT}),
    "multiple_choice": (
        {"choice": 1, "probabilities": [0.25, 0.75, 0.0]},
        {"text": TEXT, "choices": ["one", "<i>two", None]},
    ),
    "squad": (
        {
            "text": "New York",
            "probability": 0.75,
            "start": 23,
            "end": 31,
            "nbest": [
                {"text": "", "probability": 0.25},
                {"text": "New York", "probability": 0.75},
            ],
        },
        {"question": "Where?", "context": TEXT},
    ),
    "ner": (
        {
            "tokens": ["Anna", "met", "New", "York"],
            "offsets": [[0, 4], [5, 8], [23, 26], [27, 31]],
            "labels": ["B-PER", "O", "B-LOC", "I-LOC"],
            "probabilities": [0.75, 0.5, 0.25, 0.125],
        },
        {"text": TEXT},
    ),
    "pretraining": (
        {
            "masks": [
                [{"token": "<b>", "probability": 0.5}],
                [{"token": "##s", "probability": 0.25}],
            ]
        },
        {"text": "a [MASK] & [MASK]."},
    ),
    "features": (
        {"tokens": ["[CLS]", "[SEP]"], "sequence_output": [[1, 2, 3]] * 2},
        {"text": ""},
    ),
    "something": ({"a": "<b>"}, {"text": TEXT}),
}
TAGS = {label: label for label in ("O", "B-PER", "B-LOC", "I-LOC")}


def parts_of(task):
    answer, texts = ANSWERS[task]
    return answers.shown(task, answer, Asked(texts, TAGS))


def plain(html):
    """What a reader sees, without marks."""
    return re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize("task", ANSWERS)
def test_answers_are_valid_and_texts_do_nothing(task):
    parts = parts_of(task)
    browser.check_html(frame.page("Answer", parts, style=answers.STYLE))
    assert "<b>" not in "".join(parts)
    assert "<i>" not in "".join(parts)


def test_labels_are_bars_with_the_best_first():
    said, table = parts_of("classification")
    assert plain(said) == "&lt;b&gt;, 75.0\xa0%"
    assert re.findall(r"width: ([\d.]+)%", table) == ["75.0", "25.0"]
    assert table.index('class="best"') < table.index("&lt;b&gt;")
    said, table = parts_of("multi_label")
    assert plain(said) == "no label"
    assert "best" not in table


def test_many_rows_are_folded_away_but_not_the_best():
    rows = [(str(number), number / 100) for number in range(20)]
    table = answers.bars("Labels", rows, [14])
    assert "<summary>5 more</summary>" in table
    assert table.index("best") < table.index("<details>")
    assert "details" not in answers.bars("Labels", rows[:12])


def test_an_answer_is_marked_in_its_context():
    said, context, table = parts_of("squad")
    assert plain(said) == "New York, 75.0\xa0%"
    assert '<mark class="entity kind-0">New York</mark></p>' in context
    assert "(no answer)" in table
    answer, texts = ANSWERS["squad"]
    nothing = {**answer, "text": "", "start": None, "end": None}
    said, context, _ = answers.shown("squad", nothing, Asked(texts))
    assert "no answer in this context" in said
    assert "<mark" not in context


def test_entities_are_marked_by_kind():
    said, marked, _ = parts_of("ner")
    assert plain(said) == "2 marked"
    assert re.findall(r'kind-(\d)">([^<]*)<small><bdi[^>]*>(\w+)', marked) == [
        ("0", "Anna", "PER"),
        ("1", "New York", "LOC"),
    ]


@pytest.mark.parametrize(
    ("labels", "tags", "found"),
    [
        ("O O O", None, []),
        ("A A B", None, [(0, 1, "A", 0), (2, 3, "A", 0), (4, 5, "B", 1)]),
        ("B I B", {"B": "B-_", "I": "I-_"}, [(0, 3, "", 0), (4, 5, "", 0)]),
        ("I J J", {"I": "I-x", "J": "I-y"}, [(0, 1, "x", 0), (2, 5, "y", 1)]),
        ("B E E", {"B": "B-x", "E": "E-x"}, [(0, 3, "x", 0), (4, 5, "x", 0)]),
        ("S I o", {"S": "S-x", "I": "I-x", "o": "O"}, [(0, 1), (2, 3)]),
    ],
)
def test_entities_are_what_labels_mark(labels, tags, found):
    spans = answers.entities(labels.split(), [(0, 1), (2, 3), (4, 5)], tags)
    assert [span[: len(found[0])] for span in spans] == found


def test_the_likeliest_words_stand_in_the_place_of_masks():
    marked, *tables = parts_of("pretraining")
    assert plain(marked) == "a &lt;b&gt; &amp; ##s."
    assert ["[MASK] 1" in tables[0], "[MASK] 2" in tables[1]] == [True] * 2


def test_marks_leave_the_rest_as_it_is():
    marked = answers.marked("a<b\nc", [Span(0, 1, "x"), Span(2, 5)])
    assert marked == (
        '<p class="text" dir="auto"><mark class="entity kind-0">a<small>'
        '<bdi dir="auto">x</bdi></small></mark>&lt;'
        '<mark class="entity kind-0">b\nc</mark></p>'
    )

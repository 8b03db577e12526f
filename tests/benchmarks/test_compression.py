"""The dev sets that compressed models are asked, and how they are judged."""

import json

import pytest

from benchmarks import compression

MRPC = (
    "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    "1\t1\t2\ta\tb\n0\t3\t4\tc\td\n"
)
SQUAD = {
    "data": [
        {
            "paragraphs": [
                {
                    "context": "The lake is deep.",
                    "qas": [
                        {"question": "What?", "answers": [{"text": "lake"}]}
                    ],
                }
            ]
        }
    ]
}
FILES = {
    "glue/MRPC/dev.tsv": MRPC,
    "glue/SST-2/dev.tsv": "sentence\tlabel\ngood\t1\nbad\t0\n",
    "squad/dev-v1.1.json": json.dumps(SQUAD),
    "conll2003/test.txt": "EU B-ORG\nsays O\n\nBonn B-LOC\n",
}


@pytest.mark.parametrize(
    ("task", "requests", "right", "half_wrong", "figure"),
    [
        (
            "mrpc",
            [("a", "b"), ("c", "d")],
            [{"label": "1"}, {"label": "0"}],
            [{"label": "1"}, {"label": "1"}],
            50,
        ),
        (
            "sst-2",
            ["good", "bad"],
            [{"label": "1"}, {"label": "0"}],
            [{"label": "0"}, {"label": "0"}],
            50,
        ),
        (
            "squad-v1.1",
            [("What?", "The lake is deep.")],
            [{"text": "the lake"}],  # articles do not count
            [{"text": "lake is deep"}],
            50,
        ),
        (
            "conll2003",
            [["EU", "says"], ["Bonn"]],
            [{"labels": ["B-ORG", "O"]}, {"labels": ["B-LOC"]}],
            [{"labels": ["B-ORG", "B-ORG"]}, {"labels": ["B-ORG"]}],
            40,  # one of three found, and of two there
        ),
    ],
)
def test_a_dev_set_is_asked_and_judged(
    tmp_path, task, requests, right, half_wrong, figure
):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    asked = compression.DEV_SETS[task](tmp_path)

    assert asked.requests == requests
    assert asked.judge(right) == pytest.approx(100)
    assert asked.judge(half_wrong) == pytest.approx(figure)

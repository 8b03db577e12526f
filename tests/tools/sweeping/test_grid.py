"""Grids: points, names, and what their runs came to."""

import pytest

from bert.errors import UserError
from bert.tools.sweeping import grid


def test_a_grid_has_each_value_with_each():
    parsed = grid.parse("learning_rate=2e-5, 3e-5; train_batch_size=16,32;")
    assert list(grid.points(parsed)) == [
        {"learning_rate": "2e-5", "train_batch_size": "16"},
        {"learning_rate": "2e-5", "train_batch_size": "32"},
        {"learning_rate": "3e-5", "train_batch_size": "16"},
        {"learning_rate": "3e-5", "train_batch_size": "32"},
    ]


def test_the_dashes_of_a_flag_may_be_written():
    assert grid.parse("--use_xla=true,false") == {"use_xla": ["true", "false"]}


def test_no_flags_have_one_point():
    assert list(grid.points({})) == [{}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rate", "'learning_rate', which is not flag=value"),
        ("learning_rate=", "'learning_rate=', which is not"),
        ("=1,2", "'=1,2', which is not"),
        ("a=1,,2", "'a=1,,2', which is not"),
        ("a=1;b=2;a=3", "the flag a twice"),
        ("a=1,2,1", "a value of a twice"),
        (" ; ", "' ; ', which names none"),
    ],
)
def test_what_is_no_grid_is_refused(text, message):
    with pytest.raises(UserError, match="Expected --grid as ") as raised:
        grid.parse(text)
    assert message in str(raised.value)


def test_a_name_is_readable():
    point = {"learning_rate": "2e-5", "random_seed": "1"}
    assert grid.name(point) == "learning_rate=2e-5_random_seed=1"


@pytest.mark.parametrize(
    "value", ["../../etc", "a b", "$(rm -rf /)", "ä", "a:b", "x" * 300, "*"]
)
def test_a_name_is_safe(value):
    name = grid.name({"labels": value})
    assert name.startswith("labels=")
    assert not set(name) & set("/ $(*:\\")
    assert name.isascii()
    assert len(name) < 80
    assert name != grid.name({"labels": value + "b"})


def test_a_long_name_fits_in_a_file_system():
    names = {
        grid.name({f"{i:0100}": "1" * 40 + c for i in range(9)}) for c in "ab"
    }
    assert len(names) == 2
    assert max(map(len, names)) < 255


def test_points_are_ranked_by_their_means_and_shown():
    found = grid.ranked(
        [
            grid.Summary({"a": "1"}, [0.5, 0.6, 0.7], 3),
            grid.Summary({"a": "2"}, [], 3),
            grid.Summary({"a": "30"}, [0.9], 2),
        ],
        less_is_better=False,
    )
    assert grid.table(found, "f1") == [
        " a   f1  spread  n  failed",
        "30  0.9       -  1       1",
        " 1  0.6     0.1  3       0",
        " 2    -       -  0       3",
    ]


def test_less_of_a_loss_is_better():
    runs = [grid.Summary({"a": v}, [float(v)], 1) for v in "132"]
    found = grid.ranked(runs, less_is_better=True)
    assert [each.mean for each in found] == [1, 2, 3]
    assert "failed" not in grid.table(found, "loss")[0]

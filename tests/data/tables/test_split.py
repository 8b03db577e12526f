import collections
import random

import pytest

from bert.data.tables import split

TENTH = [0.9, 0.1]
FIFTHS = [0, *[0.2] * 5]


def counts(labels, found):
    """How many rows of each label are in each part."""
    seen = collections.defaultdict(collections.Counter)
    for own, part in zip(labels, found, strict=True):
        for name in own:
            seen[name][part] += 1
    return seen


def texts(number):
    return [f"text {n}" for n in range(number)]


def random_labels(seed, number):
    """Rows of several labels each, the last ones rare, and some of none."""
    drawn = random.Random(seed)
    return [
        [name for i, name in enumerate("abcdef") if drawn.random() < 0.5**i]
        for _ in range(number)
    ]


def test_a_split_is_the_same_on_every_machine():
    labels = [["a"]] * 6 + [["b"]] * 4
    found = split.parts(labels, texts(10), [0.5, 0.5], seed=12345)
    assert found == [1, 0, 1, 0, 0, 1, 1, 1, 0, 0]
    other = split.parts(labels, texts(10), [0.5, 0.5], seed=1)
    assert other != found
    assert sorted(other) == sorted(found)


def test_each_label_has_its_share_and_so_have_all_together():
    labels = [["a"]] * 200 + [["b"]] * 80 + [["c"]] * 20
    found = split.parts(labels, texts(300), TENTH, seed=1)
    seen = counts(labels, found)
    assert [seen[name][1] for name in "abc"] == [20, 8, 2]
    # 20 labels of 14 rows: what is left of each goes where most is due.
    labels = [[str(n // 14)] for n in range(280)]
    found = split.parts(labels, texts(280), TENTH, seed=1)
    assert found.count(1) == 28
    assert {own[1] for own in counts(labels, found).values()} == {1, 2}


def test_folds_are_of_one_size_and_hold_all_rows_out_once():
    labels = [["a"]] * 33 + [["b"]] * 17 + [["c"]] * 7
    found = split.parts(labels, texts(57), FIFTHS, seed=1)
    sizes = collections.Counter(found)
    assert sorted(sizes) == [1, 2, 3, 4, 5]
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for own in counts(labels, found).values():
        assert max(own.values()) - min(own.values()) <= 1


@pytest.mark.parametrize("shares", [TENTH, [0.01, 0.99], FIFTHS])
@pytest.mark.parametrize("seed", range(5))
def test_a_label_of_two_rows_is_on_both_sides_a_single_one_trained_on(
    shares, seed
):
    labels = [["a"]] * 40 + [["two"], ["two"], ["one"]]
    found = split.parts(labels, texts(43), shares, seed)
    assert len({*found[40:42]}) == 2
    assert found[42] == 0


@pytest.mark.parametrize("shares", [TENTH, [0.5, 0.5], FIFTHS])
@pytest.mark.parametrize("seed", range(5))
def test_several_labels_are_each_on_both_sides(shares, seed):
    labels = random_labels(seed, 200)
    found = split.parts(labels, texts(200), shares, seed)
    for own in counts(labels, found).values():
        if sum(own.values()) > 1:
            assert len(own) > 1
        else:
            assert set(own) == {0}


@pytest.mark.parametrize("shares", [TENTH, [0.1, 0.9], FIFTHS])
def test_equal_texts_stay_together(shares):
    drawn = random.Random(3)
    own = [str(drawn.randrange(40)) for _ in range(200)]
    labels = [[drawn.choice("abc")] for _ in own]
    found = split.parts(labels, own, shares, seed=1)
    sides = collections.defaultdict(set)
    for text, part in zip(own, found, strict=True):
        sides[text].add(part)
    assert all(len(parts) == 1 for parts in sides.values())
    # A label of two texts, many times each, still is on both sides.
    twice = split.parts([["a"]] * 10, ["x"] * 5 + ["y"] * 5, shares, seed=1)
    assert len({*twice}) == 2


def test_a_text_of_half_the_file_does_not_take_the_place_of_others():
    own = ["ok"] * 500 + texts(500)
    found = split.parts([["a"]] * 1000, own, TENTH, seed=1)
    assert found.count(1) == 100
    assert found[0] == 0


def test_texts_are_the_same_but_for_case_and_spaces():
    assert split.same_text(" A  tree\n", "x") == split.same_text("a tree", "X")
    assert split.same_text("a", "b c") != split.same_text("a b", "c")


def test_numbers_are_dealt_out_by_their_order():
    numbers = [float(n) for n in range(100)]
    labels = split.bins(numbers, 0.1)
    found = split.parts(labels, texts(100), TENTH, seed=1)
    held_out = [n for n, part in zip(numbers, found, strict=True) if part]
    assert [int(n // 10) for n in held_out] == list(range(10))
    # Equal ones are alike; few rows are of few labels.
    assert split.bins([1.0, 5.0, 1.0, 5.0], 0.5) == [["0"], ["1"]] * 2
    assert split.bins([3.0, 1.0], 0.1) == [["0"], ["0"]]

"""Damage is the same every time, and of all kinds."""

import json
import random

import pytest

from tests import mutations

SEEDS = range(300)
TEXT = b'{"a": [1, 2.5, "\xc3\xa9"], "b": {"c": null}}\n'


def damaged(data):
    return [mutations.mutate(data, random.Random(seed)) for seed in SEEDS]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"[]", b"\xff\x00\x81", TEXT, TEXT * 3, b"a\tb 1\n" * 9],
)
def test_damage_is_a_function_of_the_seed(data):
    found = damaged(data)
    assert found == damaged(data)
    assert len({*found}) > len(SEEDS) / 10


def test_many_damaged_texts_are_still_json_with_another_value():
    values = set()
    for data in damaged(TEXT):
        try:
            values.add(json.dumps(json.loads(data)))
        except (ValueError, RecursionError):
            continue
    assert len(values) > len(SEEDS) / 4

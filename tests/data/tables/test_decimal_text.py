import json

import numpy as np
import pytest

from bert.data.tables.decimal_text import join_rounded


def as_the_original(rows):
    return [json.dumps([round(float(x), 6) for x in row])[1:-1] for row in rows]


@pytest.mark.parametrize(
    "scale", [0, 1e-9, 1e-6, 1e-5, 1e-4, 1e-2, 1, 10, 300, 3e4, 1e12, 1e30]
)
def test_text_is_that_of_round_and_json(scale):
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((7, 301)) * scale).astype(np.float32)
    assert join_rounded(rows) == as_the_original(rows)


def test_exact_ties_are_rounded_as_python_rounds_them():
    # Multiples of 2^-7 have seven decimals, the last one 5.
    rows = (np.arange(-50_000, 50_000) / 2**7).astype(np.float32)[None]
    assert join_rounded(rows) == as_the_original(rows)


def test_every_number_of_millionths_near_a_border():
    borders = [0, 10, 100, 1000, 10**5, 10**6, 10**7, 10**8, 10**9]
    near = np.concatenate([np.arange(b - 150, b + 150) for b in borders])
    rows = np.stack([near, -near]).astype(np.float64) / 1e6
    rows = rows.astype(np.float32)
    assert join_rounded(rows) == as_the_original(rows)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (-4e-7, "-0.0"),
        (1e-6, "1e-06"),
        (-1.2e-5, "-1.2e-05"),
        (1e-4, "0.0001"),
        (0.5, "0.5"),
        (-12.25, "-12.25"),
        (999.9999, "999.999878"),
        (1000, "1000.0"),
        (np.nan, "NaN"),
    ],
)
def test_special_numbers(number, text):
    row = np.array([[number, 1.0], [2.0, number]], np.float32)
    assert join_rounded(row) == [f"{text}, 1.0", f"2.0, {text}"]


def test_empty_rows_have_empty_texts():
    assert join_rounded(np.zeros([2, 0], np.float32)) == ["", ""]

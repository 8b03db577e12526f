import numpy as np
import pytest

from bert.errors import UserError
from bert.modeling import weight_values


def test_finite_numbers_become_float32():
    found = weight_values.as_float32("a", np.array([[0.5, -2]], np.float16))

    assert found.dtype == np.float32
    assert found.tolist() == [[0.5, -2]]


@pytest.mark.parametrize("number", [np.nan, -np.inf, 1e39])
def test_a_number_that_float32_has_not_is_named(number):
    with pytest.raises(UserError) as caught:
        weight_values.as_float32("bert/x", np.array([1.0, number]))

    assert str(caught.value) == (
        "bert/x must hold numbers that are finite in float32. "
        f"Received: {number}."
    )


def test_finite_numbers_whose_sum_is_not_pass():
    large = np.full([4], 3e38, np.float32)
    assert weight_values.as_float32("a", large) is large

"""A row's line; tests/field/test_b9_predict_table.py has the rest."""

import io

import pytest

from bert.serving import table_service
from bert.serving.table_service import Asked
from tests.field.test_b9_predict_table import Fake


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_those_of_the_table(end):
    out = io.BytesIO()
    content = end.join(["text", "red", "blue"]).encode()
    table_service.serve("f", content, Fake(), Asked(False, {}), out)
    assert out.getvalue().decode() == end.join(
        [
            "text\tprediction\tprobability",
            "red\tred\t0.5",
            "blue\tblue\t0.5",
            "",
        ]
    )


def test_rows_are_answered_a_window_at_a_time():
    seen = []

    class Model(Fake):
        def answers(self, requests):
            seen.append(len(requests))
            return super().answers(requests)

    content = "".join(f"{x}\n" for x in ["text", *"abcde"]).encode()
    table_service.serve("f", content, Model(), Asked(True, {}), io.BytesIO())
    assert seen == [2, 2, 1]

"""Answers by litert are those of the export; needs its packages.

pip install -r requirements-litert.txt.
"""

import pytest

from tests.serving import answers_alike

pytest.importorskip("ai_edge_litert")


@pytest.mark.parametrize("name", ["classification", "regression", "features"])
def test_answers_are_alike(golden, tmp_path, name):
    answers_alike.assert_same(golden, tmp_path, name, "litert_float16", 2e-2)

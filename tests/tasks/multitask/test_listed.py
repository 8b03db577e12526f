"""What the pipeline of several tasks asks of each."""

import pytest

from bert.errors import UserError
from bert.tasks.multitask import listed


def test_an_error_names_its_task():
    with (
        pytest.raises(UserError, match=r"^--tasks, rte: No file a\.tsv\.$"),
        listed.naming("rte"),
    ):
        raise UserError("No file a.tsv.")

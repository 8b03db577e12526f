"""The notebook of docs/migrating.md, which tests/test_readme.py runs."""

import difflib

from tests import manual


def test_a_notebook_differs_in_twenty_lines_at_most():
    before, after = (
        block.text.splitlines() for block in manual.blocks("docs/migrating.md")
    )
    changes = list(difflib.ndiff(before, after))
    assert sum(line.startswith("+ ") for line in changes) <= 20
    # What is done with texts, examples and features is not among them.
    start = before.index("def features_of(texts, teams):")
    stop = before.index("model_fn = run_classifier.model_fn_builder(")
    here = after.index("def features_of(texts, teams):")
    assert after[here : here + stop - start] == before[start:stop]

"""All that the original's Python functions return, record by record."""

import pytest

from tests.compat import library
from tests.compat.exceptions import exceptions_of


@pytest.mark.parametrize(
    "module",
    [
        "create_pretraining_data",
        "extract_features",
        "modeling",
        "run_classifier",
        "run_squad",
        "tokenization",
    ],
)
def test_results_are_the_originals(module, tmp_path, caplog):
    calls = library.Calls(tmp_path, caplog)
    records = {
        number: record
        for number, record in enumerate(library.records(module))
        # The other names of modeling: tests/modeling.
        if not record["call"].startswith("modeling.")
        or record["call"].startswith("modeling.BertConfig")
    }
    faults = {
        number: f"{record['call']}: {fault}"
        for number, record in records.items()
        if (fault := calls.fault(record))
    }
    exceptions = exceptions_of(module) & records.keys()
    assert {n: f for n, f in faults.items() if n not in exceptions} == {}
    assert sorted(exceptions - faults.keys()) == []

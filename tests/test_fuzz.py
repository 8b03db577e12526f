"""Some damaged files of every kind; `make fuzz` reads many more."""

import pytest

from tests import fuzz_child, fuzz_kinds
from tests.fuzz import Child
from tests.fuzz_child import Case

CASES = 12
# Kinds whose command is quick; what it reads, the reader reads, too.
COMMANDS = ("labels", "tokenizer", "corpus")


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    with Child(tmp_path_factory.mktemp("fuzz")) as child:
        yield child


@pytest.mark.parametrize("kind", fuzz_kinds.KINDS)
def test_a_sound_file_is_read(kind, child):
    """Else damage would show nothing."""
    assert child.run(Case(kind, -2)) == (False, "")


@pytest.mark.parametrize("kind", fuzz_kinds.KINDS)
def test_a_damaged_file_is_read_or_refused_in_one_line(kind, child):
    cases = [Case(kind, number) for number in range(CASES)]
    assert not any(case.runs_main for case in cases)
    if kind in COMMANDS:
        cases.append(Case(kind, fuzz_child.MAIN_EVERY - 1))
    results = {case: child.run(case) for case in cases}
    assert {c: r.fault for c, r in results.items() if r.fault} == {}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    with Child(folder, "tests.faulty_kinds", seconds=5) as child:
        yield child


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("trace", "KeyError\nTraceback"),
        ("memory", "MemoryError\n"),
        ("write", "written though refused"),
        ("warn", "a message with '\\x1b' in it"),
        ("print", "ends the process"),
        ("crash", "crash: exit code -11\n"),
        ("hang", "hangs: more than 5 s"),
    ],
)
def test_a_fault_is_found_and_the_next_case_runs(kind, fault, faulty):
    assert faulty.run(Case(kind, 0)).fault.startswith(fault)
    assert faulty.run(Case("refuse", 0)) == (True, "")
    assert faulty.run(Case("take", 0)) == (False, "")

"""What `make test-breaks` breaks is there; it shows that tests turn red."""

import pytest

from tests.break_lines import BREAKS, ROOT


@pytest.mark.parametrize("item", BREAKS, ids=lambda item: item.name)
def test_a_break_finds_its_line_once_and_its_tests(item):
    assert (ROOT / item.file).read_text().count(item.line) == 1
    file, _, name = item.tests.partition(" -k ")
    assert name in (ROOT / file).read_text()


def test_names_of_breaks_differ():
    assert len({item.name for item in BREAKS}) == len(BREAKS)

import unicodedata

import numpy as np
import pytest

from bert.serving import character_table as table


def look_up(paged, code_point):
    page = paged.page_of[code_point // table.PAGE_SIZE]
    return int(paged.pages[page, code_point % table.PAGE_SIZE])


def units_of(char, do_lower_case):
    """The units of a character, as (character, kind, combining class)."""
    built = table.build(do_lower_case)
    entry = look_up(built.entries, ord(char))
    if entry >= 0:
        units = [entry ^ ord(char)]
    else:
        begin, end = built.expansion_splits[-1 - entry :][:2]
        units = built.expansions[begin:end].tolist()
    return [
        (
            chr(unit & table.CODE_MASK),
            unit >> table.KIND_SHIFT & table.KIND_MASK,
            unit >> table.CLASS_SHIFT,
        )
        for unit in units
    ]


def test_equal_pages_are_kept_once():
    values = np.zeros(0x110000, np.int32)
    values[3] = values[table.PAGE_SIZE + 3] = 7
    values[-1] = 9

    paged = table.PagedTable.from_values(values)

    assert paged.page_of.shape == (4352,)
    assert paged.pages.shape == (3, table.PAGE_SIZE)
    assert paged.page_of.dtype == paged.pages.dtype == np.int32
    for code_point in (0, 3, table.PAGE_SIZE + 3, 4000, 0x10FFFF):
        assert look_up(paged, code_point) == values[code_point]


@pytest.mark.parametrize("do_lower_case", [True, False])
@pytest.mark.parametrize(
    ("char", "kind"),
    [
        ("a", table.LETTER),
        ("7", table.LETTER),
        ("あ", table.LETTER),
        ("\u0378", table.LETTER),  # unassigned
        (",", table.ALONE),
        ("$", table.ALONE),
        ("中", table.ALONE),
        ("\u2028", table.SPACE),
    ],
)
def test_a_character_that_stays_has_its_kind(char, kind, do_lower_case):
    assert units_of(char, do_lower_case) == [(char, kind, 0)]


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_spaces_become_the_space_and_controls_nothing(do_lower_case):
    for char in "\t\n\r\u00a0\u3000":
        assert units_of(char, do_lower_case) == [(" ", table.SPACE, 0)]
    for char in "\0\ufffd\u200b\x07":
        assert units_of(char, do_lower_case) == []


def test_letters_are_lower_cased_and_taken_apart_only_if_asked():
    assert units_of("É", True) == [
        ("e", table.LETTER, 0),
        ("\u0301", table.MARK, 230),
    ]
    assert units_of("É", False) == [("É", table.LETTER, 0)]
    assert [unit[0] for unit in units_of("한", True)] == list(
        unicodedata.normalize("NFD", "한")
    )


def test_an_accent_is_a_letter_where_case_is_kept():
    assert units_of("\u0301", True) == [("\u0301", table.MARK, 230)]
    assert units_of("\u0301", False) == [("\u0301", table.LETTER, 230)]


@pytest.mark.parametrize(
    ("char", "context"),
    [
        ("a", table.CASED),
        ("Σ", table.CASED),
        ("1", table.UNCASED),
        (" ", table.UNCASED),
        ("中", table.UNCASED),
        ("\u0301", table.TRANSPARENT),
        ("'", table.TRANSPARENT),
        ("\u00ad", table.TRANSPARENT),  # cleaning drops it
    ],
)
def test_what_stands_beside_a_sigma_tells_whether_a_word_ends(char, context):
    assert look_up(table.sigma_contexts(), ord(char)) == context

"""Of a page its passages stay."""

from collections import Counter

import pytest

pytest.importorskip("mwparserfromhell", reason="requirements-text.txt")

from bert.data.preparation import wikitext

PREFIXES = ("category", "datei", "file")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a [[b]] [[c|d]] [[c|''d'' e]].", "a b d d e."),
        ("'''a''' '' b '' O'Neil's '''''c'''''", "a  b  O'Neil's c"),
        ("a{{b|{{c}}|[[d]]}}e{{{f|g}}}", "ae"),
        ("[[Datei:x.jpg|thumb|a [[b]]]]c[[File: y]]", "c"),
        ("[[:category:x]] [[category:y]]", ":category:x"),
        ("a<ref>b</ref><ref name=c />d<br>e", "ad e"),
        ("{|\n| a\n{|\n| b\n|}\n|}\nc", "c"),
        ("== a ==\nb\n* c\n** d\n# e\n: f\n; g : h\n----\ni", "b\ni"),
        ("&amp; &#228; &#xe4; &nbsp;x &#99999999;", "& ä ä \xa0x &#99999999;"),
        (
            "<math>a</math>b<span class=x>c</span><nowiki>[[d]]</nowiki>",
            "bc[[d]]",
        ),
        ("a\n{{b\n| c\nd", "a\nd"),
        ("<!-- a -->b<!-- c", "b<!-- c"),
        ("", ""),
        ("\0a", "a"),
    ],
)
def test_passages(source, expected):
    assert wikitext.passages(source, PREFIXES, Counter()) == expected


def test_what_is_left_out_is_counted():
    left_out = Counter()
    wikitext.passages("== a ==\n* b\nc\n{{d\ne", PREFIXES, left_out)
    assert sum(left_out.values()) == 3


def test_deep_nesting_ends():
    for source in ("{{" * 5000, "[[" * 5000, "{|" * 5000, "<b>" * 5000):
        wikitext.passages(source + "a", PREFIXES, Counter())

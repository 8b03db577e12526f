"""docs/models.md lists what the case check knows, with the same casing."""

import re
from pathlib import Path

from bert.data.text import case_check

PAGE = (Path(__file__).parents[2] / "docs/models.md").read_text()
ADDRESS = r"https://storage\.googleapis\.com/bert_models/\d{4}_\d\d_\d\d"


def test_every_published_model_is_listed_and_no_other():
    table, small = PAGE.split("## The 24 smaller models")
    listed = re.findall(rf"<{ADDRESS}/([\w-]+)\.zip>.*", table)
    listed += re.findall(rf"\({ADDRESS}/([\w-]+)\.zip\)", small)
    known = case_check._LOWERED_MODELS | case_check._CASED_MODELS
    assert len(listed) == 33
    assert set(listed) == known


def test_the_casing_is_that_of_the_check():
    rows = re.findall(
        rf"<{ADDRESS}/([\w-]+)\.zip>.*`--do_lower_case=(True|False)`", PAGE
    )
    assert len(rows) == 9
    for name, value in rows:
        assert (name in case_check._LOWERED_MODELS) == (value == "True")


def test_the_sizes_are_those_of_the_names():
    rows = re.findall(rf"<{ADDRESS}/[a-z_]+(L-.*)\.zip> \| (.*?) \|", PAGE)
    assert len(rows) == 9
    for name, sizes in rows:
        assert name == "L-{}_H-{}_A-{}".format(*sizes.split(" / "))

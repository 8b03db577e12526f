import json
import math

import numpy as np
import pytest
from absl import logging

from bert.tasks import reports, spec
from bert.tasks.reports import Report
from tests import browser

SPEC = spec.find("ner")
RESULTS = {"f1": np.float32(0.1), "global_step": 7}


def _report(**more):
    values = {
        "figures": {"right": np.int64(1), "by": {0.5: ("你", np.nan)}},
        "rows": ({"id": i, "p": np.float32(0.1)} for i in range(2)),
        "sections": lambda document: [f"<p>{document['right']} is right</p>"],
    }
    return Report(**{**values, **more})


def test_a_report_is_a_page_its_figures_and_the_rows(tmp_path):
    out = tmp_path / "my run"
    out.mkdir()
    reports.write(f"{out}/", SPEC, {"": _report}, RESULTS)
    assert {path.name for path in out.iterdir()} == {*reports.FILES}
    page = (out / "eval_report.html").read_text()
    browser.check_html(page)
    assert "<h1>Evaluation: my run</h1>\n<p>1 is right</p>" in page
    assert "<td>f1</td>" in page
    assert json.loads((out / "eval_report.json").read_text()) == {
        "title": "my run",
        "task": "ner",
        "kind": SPEC.kind,
        "results": {"f1": 0.1, "global_step": 7},
        "right": 1,
        "by": {"0.5": ["你", None]},
        "curves": {},
    }
    assert (out / "dev_predictions.jsonl").read_text() == (
        '{"id": 0, "p": 0.1}\n{"id": 1, "p": 0.1}\n'
    )


def test_a_page_can_be_made_again_of_the_figures(tmp_path):
    seen = []

    def sections(document):
        seen.append(document)
        return []

    made = {"": lambda: _report(sections=sections)}
    reports.write(str(tmp_path), SPEC, made, RESULTS)
    text = (tmp_path / "eval_report.json").read_text()
    assert [json.loads(text)] == seen
    assert '\n"right": 1,\n' in text  # a line for each key


def test_each_part_of_a_dev_set_has_its_report(tmp_path):
    parts = {"": _report, "mismatched": _report}
    reports.write(str(tmp_path), SPEC, parts, RESULTS)
    page = (tmp_path / "eval_report_mismatched.html").read_text()
    assert f"<h1>Evaluation: {tmp_path.name}, mismatched</h1>" in page
    assert len([*tmp_path.iterdir()]) == 6
    assert reports.part_file("test_results.tsv", "") == "test_results.tsv"
    assert reports.part_file("eval.tf_record", "mm") == "eval_mm.tf_record"


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), ValueError("a\nbug " * 99)],
)
def test_a_report_that_fails_is_one_warning_and_leaves_nothing(
    tmp_path, monkeypatch, error
):
    def rows():
        yield {"id": 1}
        raise error

    lines = []
    monkeypatch.setattr(
        logging, "warning", lambda text, *args: lines.append(text % args)
    )
    makes = {"": lambda: _report(rows=rows()), "other": _report}
    reports.write(str(tmp_path), SPEC, makes, RESULTS)
    (line,) = lines
    assert line.startswith(f"{tmp_path}/eval_report.html was not written")
    assert type(error).__name__ in line
    assert "\n" not in line
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {reports.part_file(name, "other") for name in reports.FILES}


def test_numbers_are_what_json_has():
    found = reports.to_json(
        {
            1: np.array([[0.1, np.nan]], np.float32),
            "a": (np.int64(3), np.bool_(True), -math.inf, "x", None, 1e-9),
        }
    )
    assert found == {"1": [[0.1, None]], "a": [3, True, None, "x", None, 1e-9]}


def test_half_a_character_ends_nothing(tmp_path):
    odd = "\ud800 你 \u202e"
    made = _report(figures={"right": odd}, rows=[{"id": odd}])
    reports.write(str(tmp_path), SPEC, {"": lambda: made}, RESULTS)
    line = (tmp_path / "dev_predictions.jsonl").read_text()
    assert json.loads(line) == {"id": "? 你 \u202e"}
    assert (tmp_path / "eval_report.html").exists()

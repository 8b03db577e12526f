"""The report on an evaluation: what is in it is the task's, the files are here.

    eval_report.json      all figures, which no one has to compute again
    eval_report.html      the same for people
    dev_predictions.jsonl each row, what is right and what was predicted

A task makes a `Report` where it judges the model's answers (`task.Outcome`).
A report that fails costs the run nothing but a warning. Imports without
TensorFlow, NumPy and Matplotlib.
"""

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from absl import logging

from bert.errors import one_line
from bert.files import atomic_files, file_bytes
from bert.tasks.spec import Spec

PAGE, FIGURES, ROWS = FILES = (
    "eval_report.html",
    "eval_report.json",
    "dev_predictions.jsonl",
)
# Of a text that a page shows; dev_predictions.jsonl has all of it.
_MOST_CHARACTERS = 1000


class Report(NamedTuple):
    """What a task says of a model's answers to a set.

    Attributes:
        figures: what `to_json` takes; the texts of a few rows among them.
        rows: of each row of the set what `to_json` takes, in order.
        sections: makes the HTML of the page's beginning, up to the curves of
            training: a pure function of the document in eval_report.json,
            which has `task`, `kind`, `results` (those of eval_results.txt),
            `curves` (by tag, {steps: […], values: […]}) and the figures.
            First comes what people want to know, in words.
    """

    figures: Mapping[str, Any]
    rows: Iterable[Mapping[str, Any]]
    sections: Callable[[Mapping[str, Any]], Iterable[str]]


MakeReport = Callable[[], Report]


def part_file(name: str, part: str) -> str:
    """Returns the name of a part's file: a_<part>.b for a.b; a.b for ""."""
    root, extension = os.path.splitext(name)
    return f"{root}_{part}{extension}" if part else name


def write(
    output_dir: str,
    spec: Spec,
    reports: Mapping[str, MakeReport],
    results: Mapping[str, Any],
) -> None:
    """Writes the reports on an evaluation; one that fails is a warning.

    Args:
        output_dir: gets the files; has the run's event files.
        spec: the task's.
        reports: what makes them, by the names of the dev set's parts.
        results: the figures of eval_results.txt, `global_step` included.
    """
    for part, make in reports.items():
        path = os.path.join(output_dir, part_file(PAGE, part))
        try:
            _write(output_dir, part, spec, make(), results)
        # Whatever it is: results were written, and predictions may follow.
        except Exception as error:
            logging.warning(
                "%s was not written, nor what goes with it: %s: %s",
                path,
                type(error).__name__,
                one_line(error),
            )
            logging.debug("It failed here:", exc_info=True)
        else:
            logging.info("Wrote the report on this evaluation: %s", path)


def _write(
    output_dir: str,
    part: str,
    spec: Spec,
    report: Report,
    results: Mapping[str, Any],
) -> None:
    # Matplotlib's import takes half a second.
    from bert.tasks import report_page
    from bert.training import curves

    def path(name: str) -> str:
        return os.path.join(output_dir, part_file(name, part))

    name = os.path.basename(os.path.abspath(output_dir))
    document = to_json(
        {
            "title": f"{name}, {part}" if part else name,
            "task": spec.task,
            "kind": spec.kind,
            "results": results,
            **report.figures,
            "curves": {
                tag: curve._asdict()
                for tag, curve in curves.read(output_dir).items()
            },
        }
    )
    page = report_page.page(document, report.sections(document))
    _write_rows(path(ROWS), report.rows)
    figures = ",\n".join(_json({key: document[key]})[1:-1] for key in document)
    atomic_files.write_bytes(path(FIGURES), _utf8(f"{{{figures}}}\n"))
    atomic_files.write_bytes(path(PAGE), _utf8(page))


def _write_rows(path: str, rows: Iterable[Mapping[str, Any]]) -> None:
    with (
        atomic_files.replacing(path) as temporary,
        file_bytes.writer(temporary) as out,
    ):
        for row in rows:
            out.write(_utf8(f"{_json(to_json(row))}\n"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _utf8(text: str) -> bytes:
    # JSON may bring half of a surrogate pair.
    return text.encode("utf-8", "replace")


def shortened(
    row: Mapping[str, Any], most: int = _MOST_CHARACTERS
) -> dict[str, Any]:
    """Returns a row whose texts are short enough for a page."""
    return {
        key: own[: most - 1] + "…"
        if isinstance(own, str) and len(own) > most
        else own
        for key, own in row.items()
    }


def to_json(value: Any) -> Any:
    """Returns a value as JSON can have it.

    NumPy's numbers and arrays become Python's, with the digits that their
    type has; a number that is not finite becomes None: it is not defined.
    """
    if isinstance(value, Mapping):
        return {str(key): to_json(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(own) for own in value]
    if hasattr(value, "dtype"):
        if value.shape:
            return [to_json(own) for own in value]
        # A float32 has fewer digits than the float64 that it would become.
        is_float = value.dtype.kind == "f"
        value = float(str(value)) if is_float else value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

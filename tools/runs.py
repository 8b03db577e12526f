"""Shows runs side by side: what differs, their figures, their curves.

bert runs DIR… [--html=FILE] [--csv=FILE]

Takes folders that are, or hold, the output_dir of runs: each left a line in its
runs.jsonl for every start. See docs/runs.md.
"""

import csv
import dataclasses
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

from absl import flags

from bert.cli import command_line, config, shared_flags
from bert.errors import UserError
from bert.files import atomic_files, flag_paths
from bert.training import past_runs
from bert.training.past_runs import PastRun

_WIDTH = 80
_MOST_OF_A_VALUE = 24
# Pace is no result; what decides it differs from minute to minute.
_NO_CURVES = ("global_step/sec", "examples/sec")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this command's flags."""
    shared_flags.define_strings(
        flag_values,
        html="Page to write (HTML, one file), with the runs' curves over one "
        "another.",
        csv="Table to write: a row for each run.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True)
class Config:
    """The values of the flags, checked together."""

    folders: Sequence[str]
    html: str | None
    csv: str | None

    def __post_init__(self):
        if not self.folders:
            raise UserError(
                "Expected folders: bert runs DIR…, each the output_dir of a "
                "run or a folder of such. Received: none."
            )
        if self.html and self.html == self.csv:
            raise UserError(
                "--html and --csv must be two files. Received: "
                f"{self.html} for both."
            )
        for flag in ("html", "csv"):
            path = getattr(self, flag)
            if path:
                flag_paths.check_scheme(path, flag)
                flag_paths.check_writable(path, flag, "a table or page")


def main(words: Sequence[str] = ()) -> None:
    """Folders → runs → what differs, figures, curves."""
    values = config.read_fields(Config, FLAGS)
    chosen = Config(folders=[w for w in words if w != "--"], **values)
    runs = past_runs.find(chosen.folders)
    _check_outputs(chosen, runs)
    if chosen.html:
        write_page(runs, chosen.html)
    if chosen.csv:
        atomic_files.write_text(chosen.csv, as_csv(runs))
    print("\n".join(as_text(runs)))


def _check_outputs(chosen: Config, runs: Sequence[PastRun]) -> None:
    """Raises UserError where an output would replace a diary."""
    diaries = {os.path.realpath(run.diary) for run in runs}
    for path in filter(None, (chosen.html, chosen.csv)):
        if os.path.realpath(path) in diaries:
            raise UserError(
                f"{path} has the runs themselves, and would be replaced; name "
                "another file."
            )


def as_text(runs: Sequence[PastRun]) -> Iterator[str]:
    """Yields the lines of what a terminal shows, 80 columns wide.

    The runs' folders, numbered; then a column for each, as many as there is
    room for, below one another.
    """
    for number, run in enumerate(runs, start=1):
        state = _shortened(run.state, _WIDTH // 2)
        room = _WIDTH - len(f"{number:3}  , {state}")
        yield f"{number:3}  {_shortened(run.folder, room)}, {state}"
    names = past_runs.differences(runs)
    settings = [
        (name, [_value(run.settings.get(name, "")) for run in runs])
        for name in names
    ]
    figures = [
        (name, [past_runs.number(run.figures.get(name)) or "-" for run in runs])
        for name in past_runs.figure_names(runs)
    ]
    gap = [("", [""] * len(runs))] if settings and figures else []
    if rows := [*settings, *gap, *figures]:
        yield from _columns(rows, len(runs))


def _columns(
    rows: Sequence[tuple[str, Sequence[str]]], number: int
) -> Iterator[str]:
    """Yields a column for each run, in blocks that fit in the width."""
    head = max(len(name) for name, _ in rows)
    widths = [
        max(len(str(i + 1)), *(len(cells[i]) for _, cells in rows))
        for i in range(number)
    ]
    start = 0
    while start < number:
        end, width = start + 1, head + 2 + widths[start]
        while end < number and width + 2 + widths[end] <= _WIDTH:
            width += 2 + widths[end]
            end += 1
        yield ""
        own = range(start, end)
        for name, cells in [("", [str(i + 1) for i in range(number)]), *rows]:
            line = "".join(f"  {cells[i]:>{widths[i]}}" for i in own)
            yield f"{name:{head}}{line}".rstrip()
        start = end


def _value(text: str) -> str:
    return _shortened(text, _MOST_OF_A_VALUE) or "-"


def _shortened(text: str, most: int) -> str:
    """Returns a text without its middle, where it is long, and printable."""
    text = "".join(c if c.isprintable() else "?" for c in text)
    if len(text) <= most:
        return text
    end = most * 2 // 3
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def as_csv(runs: Sequence[PastRun]) -> str:
    """Returns a table: a row for each run, what differs and its figures."""
    settings = past_runs.differences(runs)
    figures = past_runs.figure_names(runs)
    own = ("status", "start", "end", "seconds", "peak_rss_mib")
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["folder", *own, *settings, *figures])
    for run in runs:
        cells: list[Any] = [run.entry.get(name, "") for name in own]
        cells += [run.settings.get(name, "") for name in settings]
        cells += [run.figures.get(name, "") for name in figures]
        table.writerow([run.folder, *cells])
    return file.getvalue()


def write_page(
    runs: Sequence[PastRun], path: str, title: str = "Runs side by side"
) -> None:
    """Writes the page of runs, with the curves of their folders."""
    from bert.pages import runs as page
    from bert.training import curves

    names = past_runs.differences(runs)
    drawn: set[str] = set()
    rows = []
    for run in runs:
        found = {}
        # Several starts in a folder go on with one course.
        if run.folder not in drawn:
            drawn.add(run.folder)
            found = {
                tag: (curve.steps, curve.values)
                for tag, curve in curves.read(run.folder).items()
                if tag not in _NO_CURVES
            }
        rows.append(
            page.Row(
                run.folder,
                run.state,
                {name: run.settings.get(name, "") for name in names},
                {k: past_runs.number(v) for k, v in run.figures.items()},
                found,
            )
        )
    atomic_files.write_text(path, page.page(rows, title))


if __name__ == "__main__":
    command_line.run(main, FLAGS, takes_words=True)

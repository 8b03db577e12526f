"""Runs a script with all values of a grid and all seeds, and compares them.

bert sweep run_classifier --grid='learning_rate=2e-5,5e-5' --seeds=1,2,3
    --output_dir=DIR -- FLAGS…

Each run has a folder of its own below --output_dir. The same command goes on
where it was stopped. See docs/runs.md.
"""

import dataclasses
import difflib
import math
import os
import shlex
import time
from collections.abc import Mapping, Sequence

from absl import flags

from bert.cli import command_line, commands, config, shared_flags
from bert.errors import MOST_CHARS, UserError, one_line
from bert.files import atomic_files, file_bytes, flag_paths, run_lock
from bert.tasks import spec
from bert.tools.sweeping import child_run, notes
from bert.tools.sweeping import grid as grids
from bert.tools.sweeping.plan import SEED, Run, plan

_SCRIPTS = commands.GROUPS["Train"]
_PAGE = "runs.html"
_LOG = "log.txt"


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this command's flags."""
    shared_flags.define_required_strings(
        flag_values,
        output_dir="Folder that gets a folder for each run, and runs.html.",
    )
    shared_flags.define_strings(
        flag_values,
        grid="Flags of the script with the values to try, each with each: "
        "'learning_rate=2e-5,3e-5;train_batch_size=16,32'.",
        seeds="Values of --random_seed, for each point of the grid: 1,2,3. "
        "Default: one run, with the seed that the flags say or one drawn.",
        metric="The figure of eval_results.txt that decides what is best; less "
        "of a loss or error. Default: the task's own first, such as "
        "eval_accuracy or f1.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The values of the flags, checked together.

    Attributes:
        script: which script, less `.py`.
        flags: its flags, of all runs.
    """

    script: str
    flags: Sequence[str]
    output_dir: str
    grid: str | None
    seeds: str | None
    metric: str | None

    def __post_init__(self):
        if self.script not in _SCRIPTS:
            near = difflib.get_close_matches(self.script, _SCRIPTS, n=1)
            hint = f"did you mean {near[0]}?" if near else "name one of them."
            raise UserError(
                "Expected a script and its flags: bert sweep run_… --grid=… -- "
                f"FLAGS…; scripts are {', '.join(_SCRIPTS)}. Received: "
                f"{self.script[:40]!r}; {hint}"
            )
        if not (self.grid or self.seeds):
            raise UserError(
                "Expected --grid, --seeds or both: what to try. Received: "
                "neither."
            )
        if not all(seed.isdecimal() for seed in self.each_seed):
            raise UserError(
                "Expected --seeds as whole numbers, separated by commas: "
                f"1,2,3. Received: {self.seeds!r}."
            )
        if len({*self.each_seed}) < len(self.each_seed):
            raise UserError(
                f"Expected each of --seeds once. Received: {self.seeds!r}."
            )
        if file_bytes.is_remote(self.output_dir):
            raise UserError(
                "Expected a folder of this machine for a sweep. Received: "
                f"--output_dir={self.output_dir}, which is remote."
            )
        flag_paths.check_folder(self.output_dir, "output_dir")

    @property
    def each_seed(self) -> list[str]:
        """The seeds; none where none are given."""
        return [s.strip() for s in (self.seeds or "").split(",") if self.seeds]

    @property
    def axes(self) -> dict[str, Sequence[str]]:
        """The flags of the grid, and the seed, with their values."""
        found: dict[str, Sequence[str]] = {**grids.parse(self.grid or "")}
        if self.each_seed:
            if SEED in found:
                raise UserError(
                    f"Expected {SEED} in --grid or --seeds. Received: both."
                )
            found[SEED] = self.each_seed
        return found


def main(words: Sequence[str] = ()) -> None:
    """Grid and seeds → runs, one after the other → what is best."""
    end = words.index("--") if "--" in words else len(words)
    own = words[:end]
    if len(own) > 1:
        raise UserError(
            "Expected one script, and its flags behind --. Received: "
            f"{' '.join(own)[:80]!r}."
        )
    chosen = Config(
        script="".join(own).removesuffix(".py"),
        flags=words[end + 1 :],
        **config.read_fields(Config, FLAGS),
    )
    if end == len(words):
        raise UserError(
            f"Expected the flags of {chosen.script} behind a --: bert sweep "
            f"{chosen.script} --seeds=1,2 --output_dir=DIR -- FLAGS…. "
            "Received: no --."
        )
    runs = plan(chosen.script, chosen.flags, chosen.axes, chosen.output_dir)
    with atomic_files.leaving_no_folder(chosen.output_dir):
        os.makedirs(chosen.output_dir, exist_ok=True)
        lock = os.path.join(chosen.output_dir, ".lock-bert-sweep")
        with run_lock.alone(lock, f"--output_dir={chosen.output_dir}"):
            sweep(chosen, runs)


def sweep(chosen: Config, runs: Sequence[Run]) -> None:
    """Runs what is not finished, and shows what all came to.

    Raises:
        UserError: a run failed, or --metric is none of the figures.
    """
    print(f"{len(runs)} runs of {chosen.script} in {chosen.output_dir}")
    failed = 0
    for number, run in enumerate(runs, start=1):
        print(f"[{number}/{len(runs)}] {run.name}: ", end="", flush=True)
        note = notes.read(run.folder)
        if note and note.is_finished:
            how = "finished before"
        else:
            fault, how = _run(chosen.script, run)
            failed += fault
            note = notes.read(run.folder)
        found = note.figures if note else {}
        figure = _figure(chosen, found)
        shown = f", {figure} = {found[figure]:.5g}" if figure else ""
        print(how + shown, flush=True)
    _report(chosen, runs)
    if failed:
        raise UserError(
            f"{failed} of {len(runs)} runs failed; the same command tries them "
            "again."
        )


def _run(script: str, run: Run) -> tuple[bool, str]:
    """Runs one to its end; returns whether it failed, and how it ended."""
    os.makedirs(run.folder, exist_ok=True)
    notes.begin(run.folder, run.values)
    log = os.path.join(run.folder, _LOG)
    begun = time.monotonic()
    try:
        code = child_run.run(child_run.command(script, run.flags), log)
    except (KeyboardInterrupt, SystemExit):
        print("stopped; the same command goes on", flush=True)
        raise
    if code:
        line = one_line(f"({code}): {child_run.last_line(log)}", MOST_CHARS)
        return True, f"failed {line}"
    notes.finish(run.folder, run.values)
    return False, f"finished in {time.monotonic() - begun:.0f} s"


def _figure(chosen: Config, found: Mapping[str, float]) -> str | None:
    """Returns the figure that decides; None where there are none.

    Raises:
        UserError: --metric is none of them.
    """
    if not found:
        return None
    if chosen.metric is None:
        return spec.first_figure(found)
    if chosen.metric not in found:
        raise UserError(
            f"Expected --metric to be one of {', '.join(found)}. Received: "
            f"{chosen.metric!r}."
        )
    return chosen.metric


def _report(chosen: Config, runs: Sequence[Run]) -> None:
    """Shows the table of points and the best command; writes the page."""
    _write_page(chosen, runs)
    noted = {run.name: notes.read(run.folder) for run in runs}
    found = {name: note.figures for name, note in noted.items() if note}
    figure = next(
        filter(None, (_figure(chosen, f) for f in found.values())), ""
    )
    values = {
        name: own[figure]
        for name, own in found.items()
        if math.isfinite(own.get(figure, math.nan))
    }
    if not values:
        print("No run has figures; --do_eval computes them.")
        return
    less = spec.less_is_better(figure)
    points = {grids.name(run.point): run.point for run in runs}
    own = {
        name: [run for run in runs if grids.name(run.point) == name]
        for name in points
    }
    ranked = grids.ranked(
        [
            grids.Summary(
                points[name],
                [values[run.name] for run in of_point if run.name in values],
                len(of_point),
            )
            for name, of_point in own.items()
        ],
        less,
    )
    print("", *grids.table(ranked, figure), sep="\n")
    choose = min if less else max
    best = choose(
        (r for r in own[grids.name(ranked[0].point)] if r.name in values),
        key=lambda run: values[run.name],
    )
    print(
        "\nThe best run of the best point, to go on with (--do_predict, "
        "--do_export):\n"
        + shlex.join(["python", "-m", "bert", chosen.script, *best.flags])
    )


def _write_page(chosen: Config, runs: Sequence[Run]) -> None:
    """Writes the page of all runs that began their work, in their order."""
    from bert.tools import runs as runs_tool
    from bert.training import past_runs

    found = [past for run in runs for past in past_runs.below(run.folder)]
    if not found:
        return
    path = os.path.join(chosen.output_dir, _PAGE)
    runs_tool.write_page(found, path, f"A sweep of {chosen.script}")
    print(f"All runs side by side, with their curves: {path}")


if __name__ == "__main__":
    command_line.run(main, FLAGS, takes_words=True)

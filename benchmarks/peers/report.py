"""What was measured → Markdown and JSON."""

import json
import os
import statistics
from pathlib import Path
from typing import Any

from benchmarks.peers import contestants, sizes

_PEAK = "peak, "


class Report:
    """What was measured so far.

    Args:
        folder: where bench.md and bench.json go.
        machine: what it was measured on.
    """

    def __init__(self, folder: Path, machine: dict[str, Any]):
        self._folder = folder
        self._machine = machine
        self._versions: dict[str, dict[str, str]] = {}
        self._left_out: dict[str, str] = {}
        self._tables: list[dict[str, Any]] = []

    def leave_out(self, name: str, reason: str) -> None:
        """Notes a contestant that takes no part at all."""
        self._left_out[name] = reason

    def refuse(self, cell: dict[str, Any], name: str, reason: str) -> None:
        """Notes a contestant that does not do a piece of work."""
        self._table(cell)["refused"][name] = reason

    def add_version(self, name: str, versions: dict[str, str]) -> None:
        """Notes what a contestant runs on."""
        self._versions[name] = versions

    def add(self, cell: dict[str, Any], rounds: list[dict[str, Any]]) -> None:
        """Notes the rounds of a piece of work."""
        table = self._table(cell)
        table["rounds"] = rounds
        table["rows"] = summarize(cell, rounds)

    def _table(self, cell: dict[str, Any]) -> dict[str, Any]:
        for table in self._tables:
            if table["cell"] == cell:
                return table
        self._tables.append(
            {"cell": cell, "rows": [], "rounds": [], "refused": {}}
        )
        return self._tables[-1]

    def write(self) -> None:
        """Writes both files."""
        content = {
            "machine": self._machine,
            "versions": self._versions,
            "left_out": self._left_out,
            "tables": self._tables,
        }
        for name, text in (
            ("bench.json", json.dumps(content, indent=1) + "\n"),
            ("bench.md", self.markdown()),
        ):
            temporary = self._folder / f"{name}.tmp"
            temporary.write_text(text)
            os.replace(temporary, self._folder / name)

    def markdown(self) -> str:
        """Returns the tables."""
        machine = self._machine
        parts = [
            f"{machine['processor']}, {machine['cores']} cores "
            f"({', '.join(machine['simd'])}), {machine['memory_gib']:.0f} GiB, "
            f"Python {machine['python']}; load at the start "
            f"{machine['load'][0]:.1f}."
        ]
        parts += [_table_markdown(table) for table in self._tables]
        names = {
            row["name"] for table in self._tables for row in table["rows"]
        }
        parts.append(
            "\n".join(
                f"- {name}: {contestant.note}{self._version_text(name)}."
                for name, contestant in contestants.CONTESTANTS.items()
                if name in names
            )
        )
        parts += [f"- {name}: {why}" for name, why in self._left_out.items()]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _version_text(self, name: str) -> str:
        versions = self._versions.get(name, {})
        text = ", ".join(f"{k} {v}" for k, v in versions.items())
        return f" ({text})" if text else ""


def summarize(
    cell: dict[str, Any], rounds: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns a row of the table for each contestant.

    Args:
        cell: the piece of work.
        rounds: of each round what each contestant measured.
    """
    names = list(dict.fromkeys(name for one in rounds for name in one))
    seconds = {
        name: statistics.median(
            one[name]["seconds"] for one in rounds if name in one
        )
        for name in names
    }
    square = 2.0 * 2048**3
    peak = max(
        (square / seconds[name] for name in names if name.startswith(_PEAK)),
        default=None,
    )
    order = [name for name in contestants.CONTESTANTS if name in names]
    order += [name for name in names if name not in order]
    rows = []
    for name in order:
        is_peak = name.startswith(_PEAK)
        flops = square if is_peak else sizes.flops(cell)
        rows.append(
            {
                "name": name,
                "seconds": seconds[name],
                "examples_per_second": None
                if is_peak
                else cell["rows"] / seconds[name],
                "ours_times_faster": ratio(rounds, name, "ours"),
                "share_of_products": None
                if is_peak
                else ratio(rounds, "products", name),
                "share_of_peak": peak and flops / seconds[name] / peak,
                "gflops": flops / seconds[name] / 1e9,
                **{
                    key: max(
                        one[name].get(key, 0.0) for one in rounds if name in one
                    )
                    for key in ("other_cores", "sleeping_cores")
                },
            }
        )
    return rows


def ratio(
    rounds: list[dict[str, Any]], above: str, below: str
) -> float | None:
    """Returns the median of a round's seconds of one by another's."""
    found = [
        one[above]["seconds"] / one[below]["seconds"]
        for one in rounds
        if above in one and below in one
    ]
    return statistics.median(found) if found else None


def _table_markdown(table: dict[str, Any]) -> str:
    cell = table["cell"]
    lines = [
        f"### {cell['work']}, {cell['model']}, {cell['rows']} x "
        f"{cell['length']}, {cell['head']}",
        "",
        "| | s | examples/s | ours is faster by | of the products' rate | "
        "GFLOP/s | of peak | others' cores |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table["rows"]:
        cells = [
            row["name"],
            f"{row['seconds']:.4g}",
            _text(row["examples_per_second"], ".4g"),
            _text(row["ours_times_faster"], ".2f"),
            _text(row["share_of_products"], ".0%"),
            f"{row['gflops']:.1f}",
            _text(row["share_of_peak"], ".0%"),
            f"{row['other_cores']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    count = len(table["rounds"])
    lines += ["", f"Medians of {count} rounds."]
    lines += [f"- {name}: {why}" for name, why in table["refused"].items()]
    return "\n".join(lines)


def _text(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)

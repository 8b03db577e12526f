"""What was measured → Markdown and JSON."""

import json
import os
import statistics
from pathlib import Path
from typing import Any

from benchmarks.peers import commands, contestants, sizes

# Before the name of who timed the product of two large square matrices.
PEAK = "peak, "
_SQUARE_FLOPS = 2.0 * 2048**3
_STEPS = ("forward", "train_step")
# The columns: a row's key, the heading, and how to write it.
_COLUMNS = (
    ("seconds", "s", ".4g"),
    ("cpu_seconds", "CPU s", ".4g"),
    ("items_per_second", "{item}/s", ",.4g"),
    ("ours_times_faster", "ours is faster by", ".2f"),
    ("share_of_products", "of the products' rate", ".0%"),
    ("gflops", "GFLOP/s", ".1f"),
    ("share_of_peak", "of peak", ".0%"),
    ("memory_mib", "MiB at most", ",.0f"),
    ("import_mib", "of it imports", ",.0f"),
    ("steps_mib", "the rest", ",.0f"),
    ("above_ours", "more than ours", ".0%"),
    ("other_cores", "others' cores", ".2f"),
)


class Report:
    """What was measured so far.

    Args:
        folder: where bench.md and bench.json go.
        machine: what it was measured on.

    Attributes:
        machine: the same.
        tables: of each piece of work, in order.
        left_out: who or what takes no part, and why.
    """

    def __init__(self, folder: Path, machine: dict[str, Any]):
        self._folder = folder
        self.machine = machine
        self._versions: dict[str, dict[str, str]] = {}
        self.left_out: dict[str, str] = {}
        self.tables: list[dict[str, Any]] = []

    def leave_out(self, name: str, reason: str) -> None:
        """Notes a contestant, or a kind of work, that takes no part at all."""
        self.left_out[name] = reason

    def refuse(self, cell: dict[str, Any], name: str, reason: str) -> None:
        """Notes a contestant that cannot do a piece of work."""
        self._table(cell)["refused"][name] = reason

    def add_versions(self, name: str, versions: dict[str, str]) -> None:
        """Notes what a contestant runs on."""
        self._versions.setdefault(name, {}).update(versions)

    def add(
        self,
        cell: dict[str, Any],
        rounds: list[dict[str, Any]],
        notes: dict[str, str] | None = None,
    ) -> None:
        """Notes the rounds of a piece of work.

        Args:
            cell: the piece of work.
            rounds: of each round, by contestant, what was measured.
            notes: what contestants did here in particular.
        """
        table = self._table(cell)
        table["answers"] = _compare_answers(rounds)
        table["rounds"] = rounds
        table["rows"] = summarize(cell, rounds)
        table["notes"] = notes or {}

    def _table(self, cell: dict[str, Any]) -> dict[str, Any]:
        for table in self.tables:
            if table["cell"] == cell:
                return table
        table = {"cell": cell, "rows": [], "rounds": [], "refused": {}}
        self.tables.append({**table, "notes": {}, "answers": {}})
        return self.tables[-1]

    def write(self) -> None:
        """Writes both files."""
        content = {
            "machine": self.machine,
            "versions": self._versions,
            "left_out": self.left_out,
            "tables": self.tables,
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
        machine = self.machine
        parts = [
            f"{machine['processor']}, {machine['cores']} cores "
            f"({', '.join(machine['simd'])}), {machine['memory_gib']:.0f} GiB, "
            f"Python {machine['python']}; load at the start "
            f"{machine['load'][0]:.1f}. Medians of rounds; a ratio is the "
            "median of the rounds' ratios."
        ]
        parts += [_table_markdown(table) for table in self.tables]
        names = {
            row["name"]
            for table in self.tables
            if not table["notes"]
            for row in table["rows"]
        }
        notes = [
            f"- {name}: {contestant.note}{self._version_text(name)}."
            for name, contestant in contestants.CONTESTANTS.items()
            if name in names
        ]
        notes += [f"- {name}: {why}." for name, why in self.left_out.items()]
        return "\n\n".join([*parts, "\n".join(notes)]) + "\n"

    def _version_text(self, name: str) -> str:
        versions = self._versions.get(name, {})
        text = ", ".join(f"{k} {v}" for k, v in versions.items())
        return f" ({text})" if text else ""


def title(cell: dict[str, Any]) -> str:
    """Returns a piece of work in words."""
    if cell["work"] in (*_STEPS, "memory"):
        return (
            f"{cell['work']}, {cell['model']}, {cell['rows']} x "
            f"{cell['length']}, {cell['head']}"
        )
    if cell["work"].startswith("tokenization"):
        return cell["work"]
    return f"{cell['work']}, {cell['model']}, length {cell['length']}"


def summarize(
    cell: dict[str, Any], rounds: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns a row of the table for each contestant.

    Args:
        cell: the piece of work.
        rounds: of each round, by contestant, what was measured.
    """
    clock = cell.get("clock", "seconds")
    names = list(dict.fromkeys(name for one in rounds for name in one))

    def median(name, key):
        found = [one[name][key] for one in rounds if key in one.get(name, {})]
        return statistics.median(found) if found else None

    peaks = [n for n in names if n.startswith(PEAK)]
    peak = max((_SQUARE_FLOPS / median(n, clock) for n in peaks), default=None)
    order = [name for name in contestants.CONTESTANTS if name in names]
    order += [name for name in names if name not in order]
    rows = []
    for name in order:
        seconds = median(name, clock)
        row = {"name": name, "seconds": seconds}
        if cell["work"] == "memory":
            row["seconds"] = None  # compilation and all
        elif name in peaks:
            row["gflops"] = _SQUARE_FLOPS / seconds / 1e9
        else:
            row["ours_times_faster"] = ratio(rounds, name, "ours", clock)
            items = median(name, "items")
            if items is None and cell["work"] in (*_STEPS, "latency"):
                items = cell["rows"]
            row["items_per_second"] = items and items / seconds
            if cell["work"] in _STEPS:
                is_ours = name.startswith(("ours", "products"))
                done = sizes.flops(cell, only_read=is_ours)
                row["gflops"] = done / seconds / 1e9
                if is_ours:
                    row["share_of_products"] = ratio(
                        rounds, "products", name, clock
                    )
        if peak and "gflops" in row:
            row["share_of_peak"] = row["gflops"] * 1e9 / peak
        if cell["work"] in commands.WORKS:
            row["cpu_seconds"] = median(name, "cpu_seconds")
        if cell["work"] not in _STEPS and median(name, "memory_kib"):
            row["memory_mib"] = median(name, "memory_kib") / 1024
        if cell["work"] == "memory":
            row["import_mib"] = median(name, "import_kib") / 1024
            row["steps_mib"] = row["memory_mib"] - row["import_mib"]
            above = ratio(rounds, name, "ours", "memory_kib")
            row["above_ours"] = above and above - 1.0
        for key in ("other_cores", "sleeping_cores"):
            row[key] = median(name, key)
        rows.append(row)
    return rows


def ratio(
    rounds: list[dict[str, Any]], above: str, below: str, key: str = "seconds"
) -> float | None:
    """Returns the median of a round's figure of one by another's."""
    found = [
        one[above][key] / one[below][key]
        for one in rounds
        if above in one and below in one
    ]
    return statistics.median(found) if found else None


def best(rows: list[dict[str, Any]]) -> str:
    """Returns in words by how much we are ahead of the best of the others.

    Args:
        rows: of a table.
    """
    found = []
    for words, with_onednn in (
        ("Best of the others as its users run it", False),
        ("best with oneDNN switched on by hand", True),
    ):
        others = [
            (row["ours_times_faster"], row["name"])
            for row in rows
            if row.get("ours_times_faster")
            and row["name"].endswith("+onednn") == with_onednn
            and not row["name"].startswith(("ours", "products"))
        ]
        if others:
            ratio, name = min(others)
            found.append(f"{words}: {name}, ours is faster by {ratio:.2f}")
    return "; ".join(found) + "." if found else ""


def _compare_answers(rounds: list[dict[str, Any]]) -> dict[str, str]:
    """Takes the answers out of the rounds; returns how they differ from ours.

    Those of one round are enough: they are the same in every round.
    """
    answers: dict[str, Any] = {}
    for one in rounds:
        for name, result in one.items():
            if "answers" in result:
                answers[name] = result.pop("answers")
    ours = answers.pop("ours", None)
    if ours is None:
        return {}
    return {name: difference(ours, own) for name, own in answers.items()}


def difference(ours: Any, others: Any) -> str:
    """Returns in words how two contestants' answers differ.

    Args:
        ours: texts by question, probabilities [n][labels], or ids [n][..].
        others: alike.
    """
    if len(ours) != len(others):
        return f"{len(others)} answers, ours are {len(ours)}"
    if isinstance(ours, dict):
        count = sum(ours[key] != others.get(key) for key in ours)
        return f"{count} of {len(ours)} answers differ"
    pairs = list(zip(ours, others, strict=True))
    if ours and isinstance(ours[0][:1], list) and _is_float(ours):
        most = max(abs(a - b) for x, y in pairs for a, b in zip(x, y))  # noqa: B905
        other_labels = sum(x.index(max(x)) != y.index(max(y)) for x, y in pairs)
        return (
            f"probabilities differ by {most:.1e} at most, {other_labels} of "
            f"{len(ours)} labels"
        )
    return f"{sum(x != y for x, y in pairs)} of {len(ours)} lines differ"


def _is_float(rows: list[list[Any]]) -> bool:
    return any(isinstance(value, float) for row in rows for value in row[:1])


def _table_markdown(table: dict[str, Any]) -> str:
    rows = table["rows"]
    columns = [
        column
        for column in _COLUMNS
        if any(row.get(column[0]) is not None for row in rows)
    ]
    heads = [head.format(**table["cell"]) for _, head, _ in columns]
    lines = [
        f"### {title(table['cell'])}",
        "",
        f"| {' | '.join(['', *heads])} |",
        "|" + "---|" * (1 + len(columns)),
    ]
    for row in rows:
        cells = [
            "" if row.get(key) is None else format(row[key], form)
            for key, _, form in columns
        ]
        lines.append(f"| {' | '.join([row['name'], *cells])} |")
    lines += ["", f"{len(table['rounds'])} round(s). {best(rows)}".rstrip()]
    lines += [f"- {name}: {text}" for name, text in table["answers"].items()]
    lines += [f"- {name}: {text}." for name, text in table["notes"].items()]
    lines += [f"- {name} failed: {t}" for name, t in table["refused"].items()]
    return "\n".join(lines)

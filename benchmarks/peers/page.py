"""What was measured → a page of text: a bar for each contestant."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.peers import report

_BAR = 32
# A row's figure: its key, its unit, and whether more of it is better.
_FIGURES = (
    ("items_per_second", "{item}/s", True),
    ("memory_mib", "MiB", False),
    ("seconds", "s", False),
)


def page(found: report.Report, before: Mapping[str, Any] | None) -> str:
    """Returns all tables as bars.

    Args:
        found: what was measured.
        before: an earlier line of the history, to compare ours with.
    """
    lines = [
        f"{found.machine['processor']}, {found.machine['cores']} cores. "
        "Medians of rounds; ratios are medians of the rounds' ratios."
    ]
    for table in found.tables:
        lines += ["", *_bars(table, before)]
    if found.left_out:
        lines += ["", f"Left out: {', '.join(found.left_out)}."]
    return "\n".join(lines) + "\n"


def figures(table: dict[str, Any]) -> dict[str, float]:
    """Returns each contestant's figure in a table, by name."""
    key = _figure(table)[0]
    return {
        row["name"]: row[key]
        for row in table["rows"]
        if row.get(key) and not row["name"].startswith(report.PEAK)
    }


def _figure(table: dict[str, Any]) -> tuple[str, str, bool]:
    """Returns which of _FIGURES a table's rows have."""
    found = (
        figure
        for figure in _FIGURES
        if any(row.get(figure[0]) for row in table["rows"])
    )
    return next(found, _FIGURES[-1])


def _bars(
    table: dict[str, Any], before: Mapping[str, Any] | None
) -> Iterator[str]:
    key, unit, more_is_better = _figure(table)
    title = report.title(table["cell"])
    better = "longer" if more_is_better else "shorter"
    yield f"{title}: {unit.format(**table['cell'])}, {better} is better"
    values = figures(table)
    width = max(map(len, values), default=0)
    for row in table["rows"]:
        if row["name"] not in values:
            continue
        value = values[row["name"]]
        bar = "█" * max(1, round(_BAR * value / max(values.values())))
        yield (
            f"  {row['name']:{width}} {bar:{_BAR}} {value:<8,.4g} "
            f"{'; '.join(_remarks(row, title, key, before))}"
        ).rstrip()
    for name, reason in table["refused"].items():
        yield f"  {name} failed: {reason}"


def _remarks(
    row: dict[str, Any],
    title: str,
    key: str,
    before: Mapping[str, Any] | None,
) -> Iterator[str]:
    """Yields how a row stands beside ours, the products and an earlier run."""
    name = row["name"]
    share, faster = row.get("share_of_products"), row.get("ours_times_faster")
    if share and name != "products":
        yield f"{share:.0%} of the products' rate"
    if faster and name not in ("ours", "products"):
        yield f"{1 / faster:.2f} times ours"
    if before and name.startswith("ours"):
        earlier = before["figures"].get(title, {}).get(name)
        if earlier:
            yield f"{row[key] / earlier:.2f} times {before['commit']}'s figure"

"""What was measured at which commit: a line of JSON for each run."""

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers import page, report

_MACHINE = ("processor", "cores")


def commit(folder: Path) -> str:
    """Returns the commit that a folder has, with a + where files differ."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        name = git("rev-parse", "--short", "HEAD")
        return name + "+" * bool(git("status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def line(
    name: str, machine: Mapping[str, Any], tables: list[dict[str, Any]]
) -> dict[str, Any]:
    """Returns a run's line.

    Args:
        name: of the commit.
        machine: what it was measured on.
        tables: of a `report.Report`.
    """
    return {
        "commit": name,
        "date": time.strftime("%Y-%m-%d %H:%M"),
        **{key: machine[key] for key in _MACHINE},
        "figures": {
            report.title(table["cell"]): page.figures(table)
            for table in tables
            if table["rows"]
        },
    }


def before(file: Path, own: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns the newest line of another commit on such a machine."""
    if not file.exists():
        return None
    for text in reversed(file.read_text().splitlines()):
        found = json.loads(text)
        is_other = found["commit"] != own["commit"]
        if is_other and all(found[key] == own[key] for key in _MACHINE):
            return found
    return None


def append(file: Path, own: Mapping[str, Any]) -> None:
    """Adds a run's line to the file."""
    with open(file, "a") as out:
        out.write(json.dumps(own) + "\n")

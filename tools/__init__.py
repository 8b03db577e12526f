"""Further commands: `bert NAME`, or `python -m bert.tools.NAME`."""

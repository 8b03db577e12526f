"""`python -m bert`; see cli/commands.py."""

from bert.cli import commands

commands.main()

"""Runs one of our scripts with all rows padded to --max_seq_length.

As a TPU needs it, so that no batch is cut: what `ours` is compared with.

    python benchmarks/peers/padded.py run_classifier.py FLAGS
"""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bert.cli import command_line
from bert.tasks import finetune


def main() -> None:
    """Runs the script that the first argument names."""
    script = importlib.import_module(sys.argv[1].removesuffix(".py"))
    del sys.argv[1]
    if not hasattr(finetune.Prepared, "fixed_shapes"):
        sys.exit("finetune.Prepared has no fixed_shapes: change padded.py")
    finetune.Prepared.fixed_shapes = True
    command_line.run(script.main, script.define_flags)


if __name__ == "__main__":
    main()

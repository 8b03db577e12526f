"""Runs one of our scripts with all rows padded to --max_seq_length.

As a TPU needs it, so that no batch is cut: what `ours` is compared with.

    python benchmarks/peers/padded.py run_classifier.py FLAGS
"""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bert.tasks.task import Prepared


def main() -> None:
    """Runs the script that the first argument names."""
    module = f"bert.{sys.argv[1].removesuffix('.py')}"
    del sys.argv[1]
    if not hasattr(Prepared, "fixed_shapes"):
        sys.exit("task.Prepared has no fixed_shapes: change padded.py")
    Prepared.fixed_shapes = True
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

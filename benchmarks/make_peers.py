r"""Makes the environments of other implementations, for benchmarks.bench.

A virtual environment each under .peers/ (another folder: --peers_dir), with
the versions that were tried. What is there already is left as it is.

    make bench-peers
    python -m benchmarks.make_peers torch keras_hub
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# PyTorch without the libraries of a GPU, which take 4 GB; where this index
# cannot be reached, pip's own serves as well.
_CPU_WHEELS = [
    "--index-url=https://download.pytorch.org/whl/cpu",
    "--retries=1",
]
_TENSORFLOW = "tensorflow==2.21.0"
# Each a list of calls of pip install.
ENVIRONMENTS = {
    "torch": [
        ["torch==2.13.0"],
        ["transformers==5.23.0", "tokenizers==0.23.3", "numpy==2.4.6"],
        ["-r", str(ROOT / "requirements-serve.txt")],
    ],
    "keras_hub": [[_TENSORFLOW, "keras==3.15.1", "keras-hub==0.32.0"]],
    # Its requirements hold TensorFlow back, and ask for all that any of its
    # models needs: only what BERT imports.
    "model_garden": [
        [_TENSORFLOW, "gin-config==0.5.0", "pyyaml==6.0.3", "scipy==1.17.1"],
        ["--no-deps", "tf-models-official==2.20.0", "tf-keras==2.21.0"],
    ],
    # It writes our model for them, too.
    "runtimes": [
        ["-r", str(ROOT / "requirements.txt"), "tokenizers==0.23.3"],
        *(
            ["-r", str(ROOT / f"requirements-{name}.txt")]
            for name in ("onnx", "openvino", "litert")
        ),
    ],
}


def main() -> None:
    """Makes what is asked for; tells what could not be made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", default=list(ENVIRONMENTS), metavar="environment"
    )
    parser.add_argument("--peers_dir", type=Path, default=ROOT / ".peers")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(ENVIRONMENTS))
    if unknown:
        parser.error(
            f"expected {', '.join(ENVIRONMENTS)}; received {unknown[0]}"
        )
    failed = [name for name in args.names if not make(name, args.peers_dir)]
    if failed:
        sys.exit(f"Not made: {', '.join(failed)}. The others are there.")


def define_torch(parser: argparse.ArgumentParser) -> None:
    """Defines --peer_python: that of the environment with transformers."""
    parser.add_argument(
        "--peer_python", default=ROOT / ".peers/torch/bin/python", type=Path
    )


def check_torch(python: Path) -> None:
    """Exits where --peer_python is not there."""
    if not python.exists():
        sys.exit(
            f"--peer_python: {python} is missing; make it: python -m "
            "benchmarks.make_peers torch"
        )


def make(name: str, peers_dir: Path) -> bool:
    """Makes an environment; returns whether it is there."""
    folder = peers_dir / name
    if (folder / "bin" / "python").exists():
        print(f"{name}: there already ({folder})")
        return True
    # Under another name until all is installed: half an environment is none.
    # A virtual environment cannot be moved, so a link gets the name.
    made = peers_dir / f"{name}.env"
    shutil.rmtree(made, ignore_errors=True)
    pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--no-input"]
    is_made = ran([sys.executable, "-m", "venv", str(made)])
    for packages in ENVIRONMENTS[name]:
        command = [*pip, *packages]
        is_torch = packages[0].startswith("torch==")
        is_made = is_made and (
            (is_torch and ran([*command, *_CPU_WHEELS])) or ran(command)
        )
    if not is_made:
        print(f"{name}: not made, see above", file=sys.stderr)
        return False
    folder.unlink(missing_ok=True)
    folder.symlink_to(made.name)
    return True


def ran(command: list[str]) -> bool:
    """Runs a command; returns whether it went well."""
    print(" ".join(command), flush=True)
    return not subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    main()

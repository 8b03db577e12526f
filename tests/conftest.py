"""What all tests share."""

import os
from pathlib import Path

import pytest

# Set before any test imports TensorFlow. Tests compare numbers that were made
# on a CPU; start-up notes on CUDA and CPU features would hide real output.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# As the scripts have it (cli.environment).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of reference outputs; PROVENANCE.md there says whose."""
    return Path(__file__).parent / "golden"

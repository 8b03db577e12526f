"""What all tests share."""

import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from absl import logging as absl_logging

# Set before any test imports TensorFlow. Tests compare numbers that were made
# on a CPU; start-up notes on CUDA and CPU features would hide real output.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# As the scripts have it (cli.environment).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Under nohup it is ignored, and a training leaves that as it is.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Of a run that was given no --basetemp.
_OWN_FOLDER = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Gives temporary folders paths that are short and the same everywhere.

    Messages are cut at 300 characters, and tests look for paths in them;
    pytest's own paths grow with the user's name and the number of runs.
    """
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="pytest-bert-")
        config.stash[_OWN_FOLDER] = config.option.basetemp


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Leaves the temporary folder of a run that failed, to look at."""
    folder = session.config.stash.get(_OWN_FOLDER, None)
    if folder is not None and exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(folder, ignore_errors=True)


def _process_state() -> Iterator[None]:
    """Puts back what a script may change that runs in this process."""
    verbosity, environment = absl_logging.get_verbosity(), dict(os.environ)
    absl_handler = absl_logging.get_absl_handler()
    has_handler = absl_handler in logging.root.handlers
    loggers = (logging.root, absl_logging.get_absl_logger())
    levels = [logger.level for logger in loggers]
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    yield
    absl_logging.set_verbosity(verbosity)
    if not has_handler:
        logging.root.removeHandler(absl_handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
        logger.disabled = False
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


# Also around a module: its fixtures run scripts, too.
_of_a_module = pytest.fixture(_process_state, autouse=True, scope="module")
_of_a_test = pytest.fixture(_process_state, autouse=True)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of reference outputs; PROVENANCE.md there says whose."""
    return Path(__file__).parent / "golden"

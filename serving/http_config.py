"""serve.py's flags, checked together; imports without TensorFlow."""

import dataclasses
import importlib.util
import math
import os
import re
from collections.abc import Mapping
from functools import cached_property

from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.files import file_bytes, flag_paths, task_paths
from bert.model_folder.given import Given

_ONLY_NAME = "model"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_KEY = re.compile(rb"[!-~]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names; checked together.

    Raises:
        UserError: they contradict one another, a folder or file is not there,
            or a package is missing.
    """

    model_dir: str = dataclasses.field(metadata={"paths": "several"})
    task_name: str | None
    host: str
    port: int
    workers: int
    batch_timeout_ms: float
    max_batch_tokens: int
    max_queue_rows: int
    request_timeout_s: float
    max_body_mb: float
    reload_seconds: float | None
    api_key_file: str | None
    log_style: str = "original"  # all scripts have the flag

    def __post_init__(self):
        for package in ("starlette", "uvicorn"):
            if importlib.util.find_spec(package) is None:
                raise UserError(
                    f"serve.py needs {package}, which is not installed: pip "
                    "install -r requirements-serve.txt (or the extra `serve`)."
                )
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(
                    f"--{field.name} must be a number. Received: {value}."
                )
        if len(self.models) > 1 and (flags := self.flags()):
            flag, value = next(iter(flags.items()))
            raise UserError(
                f"{flag} is for one model. Received: {flag}={value} and "
                f"{len(self.models)} models in --model_dir; leave it out, or "
                "serve the models apart."
            )
        for folder in self.models.values():
            flag_paths.check_scheme(folder, "model_dir")
            if file_bytes.is_remote(folder):
                continue
            where = task_paths.folders(folder)[0]
            if not os.path.isdir(where):
                is_there = os.path.exists(where)
                raise UserError(
                    "--model_dir: expected the folder of a trained model. "
                    f"Received: {folder}, "
                    f"{'a file' if is_there else 'which is not there'}."
                )
        self.api_keys  # noqa: B018 - reads the file, which may be at fault

    @cached_property
    def models(self) -> Mapping[str, str]:
        """The folder of each model, by its name."""
        given = self.model_dir
        parts = given.split(",")
        if "=" not in given or (len(parts) == 1 and os.path.isdir(given)):
            return {_ONLY_NAME: task_paths.join(given, self.task_name)}
        if self.task_name:
            raise UserError(
                "--task_name is for a --model_dir without names. Received: "
                f"{given[:80]!r}; write NAME=FOLDER#{self.task_name}."
            )
        models: dict[str, str] = {}
        for part in parts:
            name, equals, folder = part.partition("=")
            if not _NAME.fullmatch(name) or not equals or not folder:
                raise UserError(
                    "--model_dir: expected a folder, or NAME=FOLDER, separated "
                    "by commas, with names of letters, digits, '_', '-' and "
                    f"'.'. Received: {part[:80]!r}."
                )
            if name in models:
                raise UserError(
                    "--model_dir: expected a name for each model. Received: "
                    f"{name} twice; rename one."
                )
            models[name] = folder
        return models

    @cached_property
    def api_keys(self) -> tuple[bytes, ...]:
        """The keys that a client may give; empty: none is needed."""
        if self.api_key_file is None:
            return ()
        try:
            lines = file_bytes.read(self.api_key_file).split(b"\n")
        except OSError as error:
            raise UserError(
                f"Cannot read --api_key_file={self.api_key_file}: "
                f"{error.strerror or error}. Expected a text file with a key a "
                "line."
            ) from error
        keys = tuple(key for line in lines if (key := line.strip()))
        for number, line in enumerate(lines, 1):
            if line.strip() and not _KEY.fullmatch(line.strip()):
                raise UserError(
                    f"--api_key_file={self.api_key_file}, line {number}: "
                    "expected a key of visible ASCII characters, without "
                    "spaces. Received: another one."
                )
        if not keys:
            raise UserError(
                f"--api_key_file={self.api_key_file}: expected a key a line. "
                "Received: none; write one, or leave the flag out."
            )
        return keys

    @property
    def max_body_bytes(self) -> int:
        """The longest body of a request."""
        return int(self.max_body_mb * 2**20)

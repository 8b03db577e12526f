"""TF_CONFIG: which processes work together, and which of them this one is."""

import json
import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

from bert.errors import UserError

_FORM = (
    '{"cluster": {"worker": ["host0:port", "host1:port"]}, "task": {"type": '
    '"worker", "index": 0}}'
)
_JOBS = ("chief", "worker")


class Cluster(NamedTuple):
    """The processes that work together.

    Attributes:
        addresses: host:port of each, the chief's first if one is named.
        address: this process' own.
    """

    addresses: list[str]
    address: str

    def check_port(self) -> None:
        """Raises UserError where something listens on this one's port."""
        port = int(self.address.rpartition(":")[2])
        try:
            with socket.create_server(("", port)):
                pass
        except OSError as error:
            raise UserError(
                f"TF_CONFIG: this worker's port is taken ({self.address}: "
                f"{error.strerror}); another program listens there, or a "
                "worker of the same index. Give each worker an index of its "
                "own and a free port."
            ) from error


def from_environment() -> Cluster | None:
    """Returns what TF_CONFIG says; None where it names no other process.

    Raises:
        UserError: it is not what TensorFlow takes.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        values = json.loads(text)
        jobs = {job: found for job, found in values["cluster"].items() if found}
        _check_jobs(jobs)
        addresses = [*jobs.get("chief", []), *jobs.get("worker", [])]
        if len(set(addresses)) < len(addresses):
            raise ValueError("an address stands there twice")
        if len(addresses) < 2:
            return None
        task = values["task"]
        kind, index = task["type"], task["index"]
        if kind not in _JOBS:
            raise ValueError(f"the type of task {kind!r} trains nothing")
        if type(index) is not int or not 0 <= index < len(jobs.get(kind, [])):
            raise ValueError(f"there is no {kind} of index {index!r}")
        return Cluster(addresses, jobs[kind][index])
    except UserError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"TF_CONFIG ({reason}): expected JSON such as {_FORM}. Received: "
            f"{text!r}."
        ) from error


def _check_jobs(jobs: Mapping[str, object]) -> None:
    """Raises ValueError or UserError for a cluster that cannot train here."""
    for job, addresses in jobs.items():
        if job not in _JOBS:  # all would wait for each other, for ever
            raise UserError(
                f"TF_CONFIG: expected workers, one of which may be the chief. "
                f"Received: a cluster with {job[:20]!r} too, and training here "
                "knows no parameter servers; leave them out, and start the "
                "workers alone."
            )
        if not isinstance(addresses, list):
            raise ValueError(f"{job} is not a list")
        if job == "chief" and len(addresses) > 1:
            raise ValueError("there is more than one chief")
        for address in addresses:
            host, _, port = str(address).rpartition(":")
            if not (host and port.isdigit() and 0 < int(port) < 2**16):
                raise ValueError(f"{address!r} is not host:port")
    if not jobs:
        raise ValueError("the cluster has no worker")


def expected() -> UserError:
    """Returns what to say where there is no TF_CONFIG, but must be one."""
    return UserError(
        "--distribution_strategy=multi_worker needs the environment variable "
        f"TF_CONFIG on every worker: {_FORM}. Received: "
        f"{os.environ.get('TF_CONFIG')!r}."
    )

"""TF_CONFIG, right and wrong."""

import json
import re
import socket

import pytest

from bert.errors import UserError
from bert.training import cluster

TWO = ["localhost:1", "localhost:2"]


def tf_config(workers=TWO, kind="worker", index=0, **jobs):
    return json.dumps(
        {
            "cluster": {"worker": workers, **jobs},
            "task": {"type": kind, "index": index},
        }
    )


def test_the_own_address_is_found(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config(index=1))
    assert cluster.from_environment() == (TWO, "localhost:2")
    monkeypatch.setenv(
        "TF_CONFIG", tf_config(kind="chief", chief=["localhost:3"])
    )
    assert cluster.from_environment() == (["localhost:3", *TWO], "localhost:3")


@pytest.mark.parametrize("text", ["", tf_config(workers=["localhost:1"])])
def test_one_process_is_no_cluster(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert cluster.from_environment() is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "list indices"),
        ("{}", "no 'cluster'"),
        ('{"cluster": 3}', "'int' object"),
        (tf_config(workers="localhost:1"), "worker is not a list"),
        (tf_config(workers=["localhost:1", "host"]), "'host' is not host:port"),
        (tf_config(workers=["a:1", "a:1"]), "stands there twice"),
        (tf_config(index=2), "no worker of index 2"),
        (tf_config(index=-1), "no worker of index -1"),
        (tf_config(index="0"), "no worker of index '0'"),
        (tf_config(kind="ps"), "'ps' trains nothing"),
        (json.dumps({"cluster": {"worker": TWO}}), "no 'task'"),
    ],
)
def test_a_wrong_cluster_is_shown(monkeypatch, text, reason):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=re.escape(reason)) as raised:
        cluster.from_environment()
    assert f"Received: {text!r}" in str(raised.value)


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("", 0)) as server:
        address = f"localhost:{server.getsockname()[1]}"
        taken = cluster.Cluster([address, "b:1"], address)
        with pytest.raises(UserError, match=rf"port is taken \({address}"):
            taken.check_port()
    taken.check_port()

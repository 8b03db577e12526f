"""B8: a TF_CONFIG with parameter servers, or with one process."""

import json

import pytest

from bert.errors import UserError
from bert.training import cluster, strategy
from tests.training.configs import training_config

TWO = ["localhost:1", "localhost:2"]


def put(monkeypatch, jobs, kind, index=0):
    values = {"cluster": jobs, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(values))


@pytest.mark.parametrize("kind", ["chief", "worker", "ps"])
@pytest.mark.parametrize("other", ["ps", "evaluator", "master"])
def test_others_than_workers_are_refused_at_once(monkeypatch, kind, other):
    """They waited for each other, for ever."""
    jobs = {"chief": TWO[:1], "worker": TWO[1:], other: ["localhost:3"]}
    put(monkeypatch, jobs, kind)
    for flag in ("auto", "multi_worker"):
        config = training_config(distribution_strategy=flag)
        with pytest.raises(UserError) as raised:
            strategy.create(config)
        assert f"a cluster with '{other}' too" in str(raised.value)
        assert "knows no parameter servers" in str(raised.value)
        assert len(str(raised.value)) <= 300


@pytest.mark.parametrize("jobs", [{"chief": TWO[:1]}, {"worker": TWO[:1]}])
@pytest.mark.parametrize("flag", ["auto", "multi_worker", "one_device"])
def test_one_process_alone_runs(monkeypatch, jobs, flag):
    """And needs no port: nobody is to reach it."""
    put(monkeypatch, jobs, *jobs)
    made = strategy.create(training_config(distribution_strategy=flag))
    assert made.num_replicas_in_sync == 1
    with made.scope():
        assert strategy.is_chief()
        assert not strategy.has_workers()


def test_a_job_without_a_process_is_none(monkeypatch):
    put(monkeypatch, {"worker": TWO, "ps": [], "chief": None}, "worker", 1)
    assert cluster.from_environment() == (TWO, TWO[1])


@pytest.mark.parametrize(
    ("jobs", "reason"),
    [
        ({}, "the cluster has no worker"),
        ({"chief": []}, "the cluster has no worker"),
        ({"chief": TWO}, "more than one chief"),
    ],
)
def test_what_is_no_cluster_is_named(monkeypatch, jobs, reason):
    put(monkeypatch, jobs, "chief")
    with pytest.raises(UserError, match=reason):
        cluster.from_environment()

"""Figures in Prometheus' text format, of all processes together."""

import os
import re

from bert.serving.http_metrics import Metrics

_LINE = re.compile(
    r'bert_[a-z_]+\{model="[^"]*"(,code="\d+")?(,le="[\d.]+|,le="\+Inf)?"?\} '
    r"[\d.e+-]+"
)


def values(metrics):
    lines = [x for x in metrics.text().splitlines() if not x.startswith("#")]
    assert all(map(_LINE.fullmatch, lines)), lines
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines)
    }


def test_requests_are_counted_by_model_and_code():
    metrics = Metrics(["a", "b"], 1)
    metrics.request("a", 200, 8, 0.02)
    metrics.request("a", 200, 2, 0.4)
    metrics.request("b", 429, 5, 100.0)
    metrics.request("", 418, 0, 0.001)
    found = values(metrics)
    assert found['bert_requests_total{model="a",code="200"}'] == 2
    assert found['bert_rows_total{model="a",code="200"}'] == 10
    assert found['bert_requests_total{model="b",code="429"}'] == 1
    assert found['bert_requests_total{model="",code="500"}'] == 1
    seconds = "bert_request_seconds"
    buckets = {
        key: found[f'{seconds}_bucket{{model="a",code="200",le="{key}"}}']
        for key in ("0.01", "0.025", "0.25", "0.5", "60", "+Inf")
    }
    assert list(buckets.values()) == [0, 1, 1, 2, 2, 2]
    assert found[f'{seconds}_sum{{model="a",code="200"}}'] == 0.42
    assert found[f'{seconds}_count{{model="a",code="200"}}'] == 2
    late = f'{seconds}_bucket{{model="b",code="429",le='
    assert found[late + '"60"}'] == 0
    assert found[late + '"+Inf"}'] == 1
    assert not any('model="b",code="200"' in name for name in found)


def test_batches_and_the_queue_are_told():
    metrics = Metrics(["a"], 1)
    metrics.batch("a", 30, 0.3)
    metrics.batch("a", 2, 0.1)
    metrics.queue("a", 17)
    found = values(metrics)
    assert found['bert_batches_total{model="a"}'] == 2
    assert found['bert_batch_rows_total{model="a"}'] == 32
    assert found['bert_batch_seconds_count{model="a"}'] == 2
    assert found['bert_queue_rows{model="a"}'] == 17


def test_each_figure_says_once_what_it_is():
    metrics = Metrics(["a", "b"], 2)
    metrics.request("a", 200, 1, 0.1)
    metrics.request("b", 200, 1, 0.1)
    lines = metrics.text().splitlines()
    types = [line for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types)) == 7
    assert "# TYPE bert_request_seconds histogram" in types


def test_processes_add_up_and_a_new_one_goes_on():
    metrics = Metrics(["a"], 2)
    for process in (0, 1, 1):
        child = os.fork()
        if not child:
            metrics.write_as(process)
            metrics.request("a", 200, 3, 0.1)
            metrics.queue("a", 4)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    found = values(metrics)
    assert found['bert_requests_total{model="a",code="200"}'] == 3
    assert found['bert_rows_total{model="a",code="200"}'] == 9
    # That of the process before it is gone.
    assert found['bert_queue_rows{model="a"}'] == 8

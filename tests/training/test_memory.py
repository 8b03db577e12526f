"""Estimates of memory, against what was measured (docs/scale.md)."""

import re

import pytest

from modeling.config import BertConfig
from tests.training.configs import training_config
from training import memory

BASE = BertConfig(vocab_size=30522)
NUM_WEIGHTS = 109_483_778


@pytest.mark.parametrize(
    ("rows", "seq_length", "recomputes", "gib"),
    # Largest resident memory of run_classifier.py, less the 0.6 GiB of
    # TensorFlow itself; python -m benchmarks.memory.
    [
        (32, 128, False, 5.33),
        (8, 512, False, 6.94),
        (32, 128, True, 3.10),
        (8, 512, True, 3.27),
        # A quarter of the batch at a time.
        (8, 128, False, 4.26),
        (2, 512, False, 5.28),
        (8, 128, True, 3.76),
        (2, 512, True, 3.83),
    ],
)
def test_estimate_is_near_the_measured_peak(rows, seq_length, recomputes, gib):
    load = memory.Load(rows, seq_length, recomputes, bytes_per_number=4)
    estimate = load.estimate(BASE, NUM_WEIGHTS) / 2**30
    assert estimate == pytest.approx(gib - 0.6, rel=0.25)


def advise(replicas=1, **values):
    config = training_config(max_seq_length=512, **values)
    return memory.advice(config, BASE, NUM_WEIGHTS, replicas)


def test_advice_names_what_was_tried_and_smaller_ways():
    text = advise(train_batch_size=32)
    assert "32 row(s) of 512 tokens at a time on each of 1 device" in text
    for flags in (
        "--gradient_accumulation_steps=2 ",
        "--gradient_accumulation_steps=32 ",
        "--recompute_activations ",
        "--precision=bfloat16 ",
        "--train_batch_size=16 ",
        "--max_seq_length=256 ",
    ):
        assert flags in text
    sizes = [float(size) for size in re.findall(r"([\d.]+) GiB", text)]
    assert sizes[0] == max(sizes)
    assert sizes.count(sizes[0]) == 1


def test_advice_leaves_out_what_is_done_already():
    text = advise(
        train_batch_size=4,
        gradient_accumulation_steps=2,
        recompute_activations=True,
        precision="bfloat16",
        replicas=2,
    )
    assert "1 row(s) of 512 tokens at a time on each of 2 device" in text
    assert "--recompute_activations" not in text
    assert "--precision" not in text
    assert "--train_batch_size=2" not in text

"""Estimates of memory, against what was measured (docs/scale.md)."""

import re

import keras
import pytest

from bert.modeling.classifiers import ClassifierModel
from bert.modeling.config import BertConfig
from bert.training import memory
from tests.training.configs import training_config

# Without values, which take no memory then.
with keras.StatelessScope(initialize_variables=False):
    BASE = ClassifierModel(BertConfig(vocab_size=30522), num_labels=2)


# Largest resident memory of run_classifier.py, less the 0.6 GiB of TensorFlow
# itself, in GiB; python -m benchmarks.memory. By rows, tokens, whether they are
# computed again, and whether they are a quarter of the batch.
MEASURED = {
    (32, 128, False, False): 4.73,
    (8, 512, False, False): 6.34,
    (32, 128, True, False): 2.50,
    (8, 512, True, False): 2.67,
    (8, 128, False, True): 3.66,
    (2, 512, False, True): 4.68,
    (8, 128, True, True): 3.16,
    (2, 512, True, True): 3.23,
}


def test_windows_of_a_text_are_rows():
    load = memory.Load(2, 128, False, 4, False, sequences=8)
    whole = memory.Load(16, 128, False, 4, False)
    assert load.estimate(BASE) == whole.estimate(BASE)


def estimate(rows, seq_length, recomputes, is_part):
    load = memory.Load(rows, seq_length, recomputes, 4, is_part)
    return load.estimate(BASE) / 2**30


@pytest.mark.parametrize("way", MEASURED)
def test_estimate_is_near_the_measured_peak(way):
    assert estimate(*way) == pytest.approx(MEASURED[way], rel=0.2)


@pytest.mark.parametrize("seq_length", [128, 512])
def test_ways_are_in_the_order_that_was_measured(seq_length):
    ways = [way for way in MEASURED if way[1] == seq_length]
    by_estimate = sorted(ways, key=lambda way: estimate(*way))
    assert by_estimate == sorted(ways, key=MEASURED.get)


def advise(replicas=1, max_seq_length=512, others=0, **values):
    config = training_config(max_seq_length=max_seq_length, **values)
    return " ".join(memory.advice(config, BASE, replicas, others))


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
    assert sizes[-1] == max(sizes)  # what was tried
    assert sizes.count(sizes[-1]) == 1


def test_advice_leaves_out_what_takes_more():
    both = "--recompute_activations --gradient_accumulation_steps="
    assert both in advise(train_batch_size=32)
    # Gradients of parts take more than one row's activations save.
    assert both not in advise(train_batch_size=32, max_seq_length=128)
    assert "The same steps" not in advise(
        train_batch_size=2, max_seq_length=64, recompute_activations=True
    )


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


def test_a_teacher_adds_its_weights_to_all_ways():
    def sizes(text):
        return [float(size) for size in re.findall(r"([\d.]+) GiB", text)]

    alone = advise()
    taught = advise(others=2**30)
    assert "GiB, 4.0 of it the teacher's." in taught
    assert sizes(taught) == pytest.approx([s + 4 for s in sizes(alone)])

import math
from collections import Counter

import pytest
import tensorflow as tf

from benchmarks import pretraining


def test_ids_that_are_padding_do_not_count(tmp_path):
    path = str(tmp_path / "records")
    with tf.io.TFRecordWriter(path) as writer:
        for ids, weights in (([5, 6, 0], [1.0, 1.0, 0.0]), ([5], [1.0])):
            feature = {
                "masked_lm_ids": tf.train.Feature(
                    int64_list=tf.train.Int64List(value=ids)
                ),
                "masked_lm_weights": tf.train.Feature(
                    float_list=tf.train.FloatList(value=weights)
                ),
            }
            features = tf.train.Features(feature=feature)
            example = tf.train.Example(features=features)
            writer.write(example.SerializeToString())

    assert list(pretraining.masked_ids([path])) == [[5, 6], [5]]


def test_the_entropy_of_counts():
    assert pretraining.entropy(Counter({1: 2, 2: 1, 3: 1})) == pytest.approx(
        1.5 * math.log(2)
    )

import tensorflow as tf

from bert.data.records.without_autotune import without_autotune


def test_the_tuner_is_off_for_all_that_is_made_of_it():
    numbers = without_autotune(tf.data.Dataset.range(3))
    doubled = numbers.map(lambda n: 2 * n, tf.data.AUTOTUNE)

    assert doubled.options().autotune.enabled is False
    assert [int(n) for n in doubled] == [0, 2, 4]

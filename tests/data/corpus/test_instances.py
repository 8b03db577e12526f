import random

from bert.data.corpus.instances import create_training_instances
from tests.data.corpus.test_documents import store
from tests.data.corpus.test_instance_settings import (
    CLS,
    SEP,
    VOCABULARY,
    make_settings,
)


def make_documents(num_documents=5, num_sentences=6):
    """Documents whose ids tell where they come from: no id comes twice."""
    numbers = iter(range(10_000, 100_000))
    rng = random.Random(0)
    return [
        [
            [next(numbers) for _ in range(rng.randint(1, 6))]
            for _ in range(num_sentences)
        ]
        for _ in range(num_documents)
    ]


def make_instances(documents, seed=0, **changes):
    return [
        instance
        for instances in create_training_instances(
            store(documents),
            make_settings(**changes),
            VOCABULARY,
            random.Random(seed),
        )
        for instance in instances
    ]


def unmasked_texts(instance):
    """Returns a and b as they were."""
    ids = list(instance.packed.ids)
    for position, label in zip(
        instance.masked_lm_positions, instance.masked_lm_ids, strict=True
    ):
        ids[position] = label
    split = instance.packed.first_length
    assert (ids[0], ids[split - 1], ids[-1]) == (CLS, SEP, SEP)
    return ids[1 : split - 1], ids[split:-1]


def test_each_pass_makes_other_instances():
    documents = make_documents(num_documents=1)

    passes = list(
        create_training_instances(
            store(documents),
            make_settings(dupe_factor=2),
            VOCABULARY,
            random.Random(0),
        )
    )

    assert len(passes) == 2
    assert passes[0] != passes[1]

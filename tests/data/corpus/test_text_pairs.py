import itertools
import random
from collections import Counter

import pytest

from bert.data.corpus.text_pairs import text_pairs
from tests.data.corpus.test_documents import store
from tests.data.corpus.test_instance_settings import make_settings
from tests.data.corpus.test_instances import (
    make_documents,
    make_instances,
    unmasked_texts,
)

SEEDS = range(20)


def test_instance_fits_and_has_both_texts():
    for seed in SEEDS:
        for instance in make_instances(make_documents(), seed):
            ids_a, ids_b = unmasked_texts(instance)
            assert ids_a
            assert ids_b
            assert len(instance.packed.ids) <= 16


def test_smallest_length_has_an_id_in_each_text():
    for instance in make_instances(make_documents(), max_seq_length=5):
        assert [len(ids) for ids in unmasked_texts(instance)] == [1, 1]


def test_next_text_follows_in_its_document():
    documents = make_documents()
    stream = [
        [i for sentence in document for i in sentence] for document in documents
    ]
    found = 0
    # Long enough that nothing is truncated, so that b follows a at once.
    for instance in make_instances(documents, max_seq_length=400):
        if not instance.next_sentence_label:
            ids_a, ids_b = unmasked_texts(instance)
            (text,) = [ids for ids in stream if ids_a[0] in ids]
            start = text.index(ids_a[0])
            assert text[start : start + len(ids_a) + len(ids_b)] == (
                ids_a + ids_b
            )
            found += 1
    assert found > 0


def test_random_text_comes_from_another_document():
    documents = make_documents()
    found = 0
    for instance in make_instances(documents):
        if instance.next_sentence_label:
            ids_a, ids_b = unmasked_texts(instance)
            (home,) = [d for d in documents if any(ids_a[0] in s for s in d)]
            assert not any(ids_b[0] in sentence for sentence in home)
            found += 1
    assert found > 0


def test_sentences_that_random_text_displaced_are_used_next():
    """Nothing is lost where nothing is truncated: every id is an a or a b."""
    for seed in SEEDS:
        # Four sentences of one id fill a sequence, so no text is cut.
        documents = [[[10 * d + s] for s in range(9)] for d in range(100, 105)]
        instances = make_instances(
            documents, seed, max_seq_length=7, short_seq_prob=0.0
        )
        used = []
        for instance in instances:
            ids_a, ids_b = unmasked_texts(instance)
            used += ids_a if instance.next_sentence_label else ids_a + ids_b
        assert sorted(used) == sorted(
            i for document in documents for (i,) in document
        )


def test_chunk_of_one_sentence_gets_random_text():
    documents = [[[10, 11, 12]], [[20, 21, 22]]]

    assert all(i.next_sentence_label for i in make_instances(documents))


def test_lone_document_takes_random_text_from_itself():
    instances = make_instances([[[10, 11]]])

    assert [unmasked_texts(i) for i in instances] == [([10, 11], [10, 11])]
    assert instances[0].next_sentence_label


@pytest.mark.parametrize(("short_seq_prob", "is_full"), [(0, True), (1, False)])
def test_short_seq_prob_decides_whether_sequences_are_full(
    short_seq_prob, is_full
):
    documents = [[[i] for i in range(10, 60)] for _ in range(20)]

    instances = make_instances(documents, short_seq_prob=short_seq_prob)

    lengths = Counter(len(instance.packed.ids) for instance in instances)
    assert (lengths.most_common(1)[0][0] == 16) == is_full


def pairs_of(documents, seed=0, **changes):
    """The pairs of all documents, as (text a, text b, label)."""
    stored, rng = store(documents), random.Random(seed)
    found = [
        pair
        for index in range(len(stored))
        for pair in text_pairs(
            *(stored, index, stored, range(len(stored)), index),
            *(make_settings(**changes), rng),
        )
    ]
    assert not any(pair.is_random_next for pair in found)
    return [
        (stored.ids[slice(*pair.a)], stored.ids[slice(*pair.b)], pair.label)
        for pair in found
    ]


def test_sentence_order_is_right_or_swapped_by_a_coin():
    """As long as nothing is cut, both are the text itself, in two parts."""
    documents = make_documents(40, 6)
    found = pairs_of(documents, next_sentence="sop", max_seq_length=400)
    assert len(found) == len(documents)
    for document, (a, b, is_swapped) in zip(documents, found, strict=True):
        text = list(itertools.chain.from_iterable(document))
        assert text == (b + a if is_swapped else a + b)
        # Between sentences.
        ends = {*itertools.accumulate(map(len, document))}
        assert len(b if is_swapped else a) in ends - {len(text)}
    assert 12 < sum(label for *_, label in found) < 28
    assert found == pairs_of(documents, next_sentence="sop", max_seq_length=400)


def test_sentence_order_cuts_a_lone_sentence_inside_and_leaves_out_one_id():
    found = pairs_of([[[1, 2, 3]], [[4]], [[5, 6]]] * 20, next_sentence="sop")
    assert {
        (*(b + a), len(a)) if label else (*(a + b), len(a))
        for a, b, label in found
    } == {
        (1, 2, 3, 1),
        (1, 2, 3, 2),
        (5, 6, 1),
    }
    assert len(found) == 40
    assert {label for *_, label in found} == {False, True}


def test_one_text_has_all_sentences_and_no_second():
    documents = [[[10 * d + s] for s in range(9)] for d in range(10)]
    changes = {"next_sentence": "none", "short_seq_prob": 0.0}
    found = pairs_of(documents, max_seq_length=7, **changes)
    assert all(b == [] and label is False for _, b, label in found)
    assert [len(a) for a, *_ in found] == [5, 4] * 10
    used = [i for a, *_ in found for i in a]
    assert used == [10 * d + s for d in range(10) for s in range(9)]

    # A long sentence loses what does not fit, at its ends.
    ((text, *_),) = pairs_of([[[*range(30)]]], max_seq_length=16, **changes)
    assert text == [*range(text[0], text[0] + 14)]

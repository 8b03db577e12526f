import itertools
import logging
import random
from collections import Counter

import pytest

from bert.data.corpus import instances as pretraining
from bert.data.records import packing

CLS, SEP, MASK = 1, 2, 3
# 10-59 begin a word, 60-99 go on with one.
CONTINUATIONS = frozenset(range(60, 100))
VOCABULARY = pretraining.Vocabulary(
    packing.SpecialIds(CLS, SEP, SEP),
    MASK,
    list(range(1000, 1100)),
    CONTINUATIONS,
)
SEEDS = range(20)
# Ids, masked_lm_prob, max_predictions_per_seq, and how many are masked.
NUMBERS_OF_MASKS = [
    (100, 0.15, 20, 15),
    (100, 0.15, 10, 10),  # never more than the limit
    (10, 0.01, 20, 1),  # always one
    (50, 0.05, 20, 2),  # 2.5 to the even number, as Python rounds
    (70, 0.05, 20, 4),  # 3.5 too
]


def make_settings(**changes):
    settings = {
        "max_seq_length": 16,
        "max_predictions_per_seq": 4,
        "masked_lm_prob": 0.15,
        "short_seq_prob": 0.1,
        "dupe_factor": 1,
        "do_whole_word_mask": False,
    }
    return pretraining.InstanceSettings(**{**settings, **changes})


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


def store(documents):
    """Returns lists of sentences as `Documents`."""
    stored = pretraining.Documents()
    for document in documents:
        for sentence in document:
            stored.add_sentence(sentence)
        stored.end_document()
    return stored


def lists(documents):
    """What `store` was given."""
    sentences = [
        documents.ids[start:stop]
        for start, stop in itertools.pairwise(documents.bounds)
    ]
    return [
        sentences[start:stop]
        for start, stop in itertools.pairwise(documents.firsts)
    ]


def make_instances(documents, seed=0, **changes):
    return [
        instance
        for instances in pretraining.create_training_instances(
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


def mask(ids_a, ids_b=(500,), seed=0, vocabulary=VOCABULARY, **changes):
    """Returns (masked ids, positions, labels)."""
    packed = packing.pack_pair(ids_a, ids_b, vocabulary.special)
    positions, labels = pretraining.create_masked_lm_predictions(
        packed, make_settings(**changes), vocabulary, random.Random(seed)
    )
    return packed.ids, positions, labels


def read(*files):
    return lists(
        pretraining.read_documents(files, lambda text: [*map(ord, text)])
    )


def test_vocabulary_reads_ids_and_continuations():
    vocab = {"a": 4, "[CLS]": 1, "##b": 0, "[MASK]": 2, "[SEP]": 3}

    assert pretraining.Vocabulary.from_vocab(vocab) == (
        (1, 3, 3),
        2,
        [4, 1, 0, 2, 3],
        {0},
        set(),
    )


def test_vocabulary_of_byte_pairs_says_what_ends_no_word():
    vocab = {
        **{"<unk>": 0, "a": 1, "a</w>": 2, "_start_": 3, "_delimiter_": 4},
        **{"_classify_": 5, "_mask_": 6},
    }
    found = pretraining.Vocabulary.from_vocab(vocab)
    assert found.special == (3, 4, 5)
    assert found.mask_id == 6
    assert (found.continuation_ids, found.unfinished_ids) == (set(), {1})


def test_a_word_of_byte_pairs_is_masked_whole():
    vocabulary = VOCABULARY._replace(
        continuation_ids=frozenset(), unfinished_ids=frozenset({7, 8})
    )
    ids = [CLS, 7, 8, 9, 10, SEP, 7, 9, SEP]
    words = pretraining._words([1, 2, 3, 4, 6, 7], ids, vocabulary)
    assert words == [[1, 2, 3], [4], [6, 7]]


def test_blank_lines_separate_documents():
    lines = [b"a\n", b"b\n", b"\n", b" \t\n", b"c\n", b"\n"]

    assert read(("x", lines)) == [[[97], [98]], [[99]]]


def test_lines_are_stripped():
    assert read(("x", [b"  a \r\n"])) == [[[97]]]
    assert read(("x", [b"a\rb\n"])) == [[[97, 98]]]  # as the original does


def test_end_of_a_file_ends_no_document():
    assert read(("x", [b"a"]), ("y", [b"b\n"])) == [[[97], [98]]]


def test_line_without_ids_is_left_out_and_ends_no_document():
    documents = pretraining.read_documents(
        [("x", [b"a\n", b"-\n", b"b\n"])],
        lambda text: [] if text == "-" else [ord(text)],
    )

    assert lists(documents) == [[[97], [98]]]


def test_bytes_that_are_not_utf8_are_left_out_with_one_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="absl"):
        documents = read(
            ("x", [b"a\n"]), ("y", [b"a\n", b"\xffb\n", b"\xc3c\n"])
        )

    assert documents == [[[97], [97], [98], [99]]]
    (message,) = caplog.messages
    assert "Received 2 lines" in message
    assert "(the first: y, line 2)" in message


@pytest.mark.parametrize("size", [*range(20), 31, 32, 33, 125, 1000, 4097])
def test_shuffle_is_random_shuffle(size):
    """The same order and the same state, so that what follows is the same."""
    for seed in range(3):
        rng, expected_rng = random.Random(seed), random.Random(seed)
        items, expected = list(range(size)), list(range(size))

        pretraining.shuffle(items, rng)
        expected_rng.shuffle(expected)

        assert items == expected
        assert rng.getstate() == expected_rng.getstate()


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
        if not instance.is_random_next:
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
        if instance.is_random_next:
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
            used += ids_a if instance.is_random_next else ids_a + ids_b
        assert sorted(used) == sorted(
            i for document in documents for (i,) in document
        )


def test_chunk_of_one_sentence_gets_random_text():
    documents = [[[10, 11, 12]], [[20, 21, 22]]]

    assert all(i.is_random_next for i in make_instances(documents))


def test_lone_document_takes_random_text_from_itself():
    instances = make_instances([[[10, 11]]])

    assert [unmasked_texts(i) for i in instances] == [([10, 11], [10, 11])]
    assert instances[0].is_random_next


def test_each_pass_makes_other_instances():
    documents = make_documents(num_documents=1)

    passes = list(
        pretraining.create_training_instances(
            store(documents),
            make_settings(dupe_factor=2),
            VOCABULARY,
            random.Random(0),
        )
    )

    assert len(passes) == 2
    assert passes[0] != passes[1]


@pytest.mark.parametrize(("short_seq_prob", "is_full"), [(0, True), (1, False)])
def test_short_seq_prob_decides_whether_sequences_are_full(
    short_seq_prob, is_full
):
    documents = [[[i] for i in range(10, 60)] for _ in range(20)]

    instances = make_instances(documents, short_seq_prob=short_seq_prob)

    lengths = Counter(len(instance.packed.ids) for instance in instances)
    assert (lengths.most_common(1)[0][0] == 16) == is_full


def test_masking_keeps_cls_and_sep():
    ids, positions, _ = mask(
        [10] * 5, [11] * 6, masked_lm_prob=1.0, max_predictions_per_seq=14
    )

    assert positions == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]
    assert (ids[0], ids[6], ids[13]) == (CLS, SEP, SEP)


@pytest.mark.parametrize(
    ("num_ids", "prob", "limit", "num_masked"),
    NUMBERS_OF_MASKS,
)
def test_number_of_masks(num_ids, prob, limit, num_masked):
    """[CLS] and [SEP] count among the ids."""
    _, positions, _ = mask(
        [10] * (num_ids - 4),
        masked_lm_prob=prob,
        max_predictions_per_seq=limit,
    )

    assert len(positions) == num_masked


def test_masked_ids_are_mask_or_same_or_random_word():
    counts = Counter()
    for seed in range(200):
        ids, positions, labels = mask(
            list(range(10, 60)),
            seed=seed,
            max_predictions_per_seq=20,
            masked_lm_prob=0.4,
        )
        for position, label in zip(positions, labels, strict=True):
            assert label == ([CLS, *range(10, 60), SEP, 500])[position]
            if ids[position] in VOCABULARY.word_ids:
                counts["random"] += 1
            else:
                counts[ids[position]] += ids[position] == MASK
                counts["same"] += ids[position] == label

    assert counts[MASK] / 4000 == pytest.approx(0.8, abs=0.02)
    assert counts["same"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert counts["random"] / 4000 == pytest.approx(0.1, abs=0.02)


def test_ids_that_are_not_chosen_stay():
    ids, positions, _ = mask(list(range(10, 50)))

    original = [CLS, *range(10, 50), SEP, 500, SEP]
    for position, (new, old) in enumerate(zip(ids, original, strict=True)):
        assert position in positions or new == old


def test_pieces_are_masked_by_themselves_without_whole_words():
    chosen = {tuple(mask([10, 60, 11], seed=seed)[1]) for seed in SEEDS}

    assert chosen == {(1,), (2,), (3,), (5,)}


def test_whole_words_are_masked_wholly_or_not_at_all():
    chosen = {
        tuple(
            mask(
                [10, 60, 61, 11, 12, 62],
                seed=seed,
                do_whole_word_mask=True,
                masked_lm_prob=0.3,
            )[1]
        )
        for seed in SEEDS
    }

    # Three positions; 1-3, 4, 5-6 and 8 are words.
    assert chosen <= {(1, 2, 3), (4, 5, 6), (5, 6, 8), (4, 8)}
    assert len(chosen) > 2


def test_word_that_exceeds_the_number_of_masks_is_skipped():
    for seed in SEEDS:
        _, positions, _ = mask(
            [10, 60, 61],
            seed=seed,
            do_whole_word_mask=True,
            max_predictions_per_seq=2,
            masked_lm_prob=1.0,
        )
        assert positions == [5]


def test_continuation_joins_the_last_word_of_the_other_text():
    chosen = {
        tuple(
            mask(
                [10, 11],
                [60, 12],
                seed=seed,
                do_whole_word_mask=True,
                max_predictions_per_seq=2,
                masked_lm_prob=1.0,
            )[1]
        )
        for seed in SEEDS
    }

    assert chosen == {(2, 4), (1, 5)}


def test_continuation_at_the_front_is_a_word_of_its_own():
    chosen = {
        tuple(mask([60, 10], seed=seed, do_whole_word_mask=True)[1])
        for seed in SEEDS
    }

    assert chosen == {(1,), (2,), (4,)}

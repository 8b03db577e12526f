"""Shards against the original's records, and against one another."""

import dataclasses
import functools
import itertools
import random
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from bert.cli.progress import Progress
from bert.data.corpus import (
    instance_rows,
    packed_texts,
    streaming,
    streaming_run,
)
from bert.data.corpus.documents import read_documents
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.instances import create_training_instances
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.corpus.worker_pool import WorkerPool
from bert.data.records import record_bytes
from bert.errors import UserError

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"w{i}" for i in range(50)]
LENGTH, PREDICTIONS = 32, 5


def text(num_documents=60, seed=0):
    rng = random.Random(seed)
    return "\n".join(
        "".join(
            " ".join(rng.choices(WORDS, k=rng.randint(1, 12))) + "\n"
            for _ in range(rng.randint(1, 12))
        )
        for _ in range(num_documents)
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join([*VOCAB, *WORDS]) + "\n")
    (tmp_path / "text.txt").write_text(text())
    return tmp_path


def make_job(folder, output="out", block_bytes=700, **changes):
    settings = {
        "max_seq_length": LENGTH,
        "max_predictions_per_seq": PREDICTIONS,
        "masked_lm_prob": 0.15,
        "short_seq_prob": 0.1,
        "dupe_factor": 2,
        "do_whole_word_mask": False,
    }
    names = [field.name for field in dataclasses.fields(InstanceSettings)]
    own = {key: changes.pop(key) for key in names if key in changes}
    values = {
        "vocab_file": str(folder / "vocab.txt"),
        "do_lower_case": True,
        "settings": InstanceSettings(**{**settings, **own}),
        "seed": 1,
        "compression": "none",
        "block_bytes": block_bytes,
        **changes,
    }
    return streaming.Job.of(
        [str(folder / "text.txt")], str(folder / output), **values
    )


def create(job, num_workers=1, worker=streaming.Worker):
    streaming_run.create(
        job,
        functools.partial(
            WorkerPool, num_workers, functools.partial(worker, job)
        ),
        Progress,
    )


def shards(folder, output="out"):
    paths = sorted(folder.glob(f"{output}-*-of-*"))
    return [path.read_bytes() for path in paths]


def examples(folder, output="out", compression=None, length=LENGTH):
    paths = sorted(map(str, folder.glob(f"{output}-*-of-*")))
    fields = pretraining_fields(length, PREDICTIONS)
    return [
        record_bytes.values(fields, record.numpy())
        for record in tf.data.TFRecordDataset(paths, compression)
    ]


def test_number_of_workers_changes_nothing(folder):
    for number in (1, 2, 3):
        create(make_job(folder, f"out{number}"), number)

    first = shards(folder, "out1")
    assert len(first) == make_job(folder).num_shards > 3
    assert all(first)
    assert shards(folder, "out2") == first
    assert shards(folder, "out3") == first


def test_seed_changes_everything(folder):
    create(make_job(folder, "one"))
    create(make_job(folder, "two", seed=2))

    assert not {*shards(folder, "one")} & {*shards(folder, "two")}


def test_only_shards_and_manifest_are_left(folder):
    create(make_job(folder))

    names = {path.name for path in folder.iterdir()}
    assert {name for name in names if "-of-" not in name} == {
        *("text.txt", "vocab.txt", "out.manifest.json")
    }


def restored(example):
    """Returns the ids as they were."""
    ids = np.array(example["input_ids"])
    used = np.array(example["masked_lm_weights"]) > 0
    positions = np.array(example["masked_lm_positions"])[used]
    ids[positions] = np.array(example["masked_lm_ids"])[used]
    return ids


def unmasked(example):
    """Returns the ids of both texts as they were."""
    ids = restored(example)
    in_b = np.array(example["segment_ids"]) == 1
    in_a = (np.array(example["input_mask"]) == 1) & ~in_b
    assert (ids[0], ids[in_a][-1], ids[in_b][-1]) == (2, 3, 3)
    return ids[in_a][1:-1].tolist(), ids[in_b][:-1].tolist()


def test_all_text_is_used_once_in_each_pass(folder):
    """Four sentences of one id fill a sequence, so no text is cut."""
    texts = [WORDS[i : i + 9] for i in range(0, 45, 9)]
    (folder / "text.txt").write_text("\n\n".join(map("\n".join, texts)))
    job = make_job(folder, max_seq_length=7, short_seq_prob=0.0, dupe_factor=3)
    create(job)

    counts = Counter()
    for example in examples(folder, length=7):
        ids_a, ids_b = unmasked(example)
        is_random = example["next_sentence_labels"][0]
        counts.update(ids_a if is_random else ids_a + ids_b)
    assert counts == {len(VOCAB) + i: 3 for i in range(45)}


def figures(all_examples):
    """What the two streams must have alike, with standard errors."""
    lengths = np.array([sum(e["input_mask"]) for e in all_examples])
    a_lengths = lengths - [sum(e["segment_ids"]) for e in all_examples]
    masked = np.array([sum(e["masked_lm_weights"]) for e in all_examples])
    columns = {
        "random next": [e["next_sentence_labels"][0] for e in all_examples],
        "length": lengths,
        "full": lengths == LENGTH,
        "length of a": a_lengths,
        "masked": masked,
        "masked share": masked / lengths,
        "is [MASK]": [
            np.mean([e["input_ids"][p] == 4 for p in positions])
            for e, m in zip(all_examples, masked, strict=True)
            for positions in [e["masked_lm_positions"][: int(m)]]
        ],
    }
    return {
        name: (np.mean(values), np.std(values) / len(values) ** 0.5)
        for name, values in columns.items()
    }


@pytest.mark.parametrize("whole_words", [False, True])
def test_figures_are_those_of_the_originals_stream(folder, whole_words):
    job = make_job(folder, dupe_factor=30, do_whole_word_mask=whole_words)
    create(job)
    tokenizer = streaming.tokenizer(job)
    vocabulary = Vocabulary.from_vocab(tokenizer.vocab)
    with open(folder / "text.txt", "rb") as file:
        documents = read_documents([("text", file)], tokenizer.encode)
    values = instance_rows.instance_features(
        [
            instance
            for instances in create_training_instances(
                documents, job.settings, vocabulary, random.Random(0)
            )
            for instance in instances
        ],
        job.settings,
    )
    originals = [
        {name: rows[row].tolist() for name, rows in values.items()}
        for row in range(len(values["input_ids"]))
    ]
    streamed = examples(folder)

    assert len(streamed) == pytest.approx(len(originals), rel=0.02)
    expected, found = figures(originals), figures(streamed)
    for name, (mean, error) in found.items():
        difference = abs(mean - expected[name][0])
        assert difference <= 4 * np.hypot(error, expected[name][1]), name


def test_random_next_text_comes_from_another_document(folder):
    """Words tell documents apart here."""
    words = [f"{letter}{i}" for letter in "abcd" for i in range(4)]
    (folder / "vocab.txt").write_text("\n".join([*VOCAB, *words]))
    (folder / "text.txt").write_text(
        "\n".join(
            "".join(f"{letter}{i}\n" for i in range(4)) for letter in "abcd"
        )
    )
    create(make_job(folder, dupe_factor=20, max_seq_length=8))
    found = Counter()
    for example in examples(folder, length=8):
        homes = {
            tuple({(i - len(VOCAB)) // 4 for i in ids})
            for ids in unmasked(example)
        }
        is_random = example["next_sentence_labels"][0]
        assert len(homes) == 1 + is_random
        found[is_random] += 1
    assert min(found[0], found[1]) > 20


def test_gzip_shards_hold_the_same_records(folder):
    create(make_job(folder, "plain"))
    create(make_job(folder, "packed", compression="gzip"))
    create(make_job(folder, "again", compression="gzip"), 2)

    assert examples(folder, "packed", "GZIP") == examples(folder, "plain")
    assert shards(folder, "again") == shards(folder, "packed")
    assert sum(map(len, shards(folder, "packed"))) < 0.5 * sum(
        map(len, shards(folder, "plain"))
    )


def test_shuffled_in_parts_nothing_is_lost(folder, monkeypatch):
    create(make_job(folder, "whole"))
    monkeypatch.setattr(streaming, "_SHUFFLE_BYTES", 3000)
    monkeypatch.setattr(streaming, "_BATCH_IDS", 10 * LENGTH)
    create(make_job(folder, "parts"))

    whole, parts = shards(folder, "whole"), shards(folder, "parts")
    assert whole != parts
    assert sorted(map(len, whole)) == sorted(map(len, parts))
    assert sorted(map(str, examples(folder, "whole"))) == sorted(
        map(str, examples(folder, "parts"))
    )


def test_a_shard_holds_text_from_all_over(folder):
    job = make_job(folder)

    blocks = [list(job.shard_blocks(s)) for s in range(job.num_shards)]

    assert sorted(itertools.chain(*blocks)) == list(range(job.text.num_blocks))
    assert blocks[0][:2] == [0, job.num_shards]


def test_vocabulary_without_mask_is_an_error(folder):
    (folder / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")

    with pytest.raises(UserError, match=r"vocab.txt.*\[MASK\] not found"):
        streaming.tokenizer(make_job(folder))


@pytest.mark.parametrize("objective", ["sop", "none"])
def test_other_objectives_depend_on_text_and_seed_alone(folder, objective):
    """A word stands once in the text: where it is, its order is known."""
    words = [f"w{i}" for i in range(400)]
    (folder / "vocab.txt").write_text("\n".join([*VOCAB, *words]) + "\n")
    lines = [" ".join(words[i : i + 4]) for i in range(0, 400, 4)]
    (folder / "text.txt").write_text(
        "\n\n".join("\n".join(lines[i : i + 10]) for i in range(0, 100, 10))
    )
    job = make_job(folder, next_sentence=objective, max_ngram=3)
    create(job)
    first = shards(folder)
    (folder / "out-00000-of-00001").unlink()
    create(job)
    assert shards(folder) == first != []

    labels = []
    for example in examples(folder):
        labels += example["next_sentence_labels"]
        if objective == "none":
            assert not any(example["segment_ids"])
            ids = restored(example)[: sum(example["input_mask"])].tolist()
            assert (ids[0], ids[-1]) == (2, 3)
            text = ids[1:-1]
        else:
            ids_a, ids_b = unmasked(example)
            assert ids_a
            assert ids_b
            text = ids_b + ids_a if labels[-1] else ids_a + ids_b
        assert text == sorted(text)
    assert len(labels) > 20
    assert (5 < sum(labels) < len(labels) - 5) == (objective == "sop")


def test_shards_may_be_packed_and_without_masks(folder):
    for output, changes in {
        "rows": {},
        "packed": {"pack_sequences": True},
        "unmasked": {"pack_sequences": True, "masking": "dynamic"},
    }.items():
        create(make_job(folder, output, dupe_factor=1, **changes))
    texts = []
    for output in ("packed", "unmasked"):
        paths = sorted(map(str, folder.glob(f"{output}-*-of-*")))
        fields = pretraining_fields(LENGTH, PREDICTIONS, pack_sequences=True)
        found = [
            record_bytes.values(fields, record.numpy())
            for record in tf.data.TFRecordDataset(paths)
        ]
        rows = {
            name: np.array([one[name] for one in found]) for name in found[0]
        }
        assert rows["masked_lm_weights"].any() == (output == "packed")
        unpacked, _ = packed_texts.texts_of(rows)
        texts.append(sorted(packed_texts.unmask(unpacked).tolist()))
    rows = sorted(restored(e).tolist() for e in examples(folder, "rows"))
    assert texts == [rows, rows]

"""Shards against the original's records, and against one another."""

import dataclasses
import functools
import itertools
import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.cli.progress import Progress
from bert.data.corpus import (
    instance_rows,
    shard_manifest,
    streaming,
    streaming_run,
)
from bert.data.corpus import instances as pretraining
from bert.data.corpus.worker_pool import WorkerPool
from bert.data.records import fields as record_fields
from bert.data.records import record_bytes
from bert.errors import UserError
from tests.data.corpus.unfinished_worker import Unfinished

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
    own = {key: changes.pop(key) for key in settings if key in changes}
    values = {
        "vocab_file": str(folder / "vocab.txt"),
        "do_lower_case": True,
        "settings": pretraining.InstanceSettings(**{**settings, **own}),
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
    fields = record_fields.pretraining_fields(length, PREDICTIONS)
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


def unmasked(example):
    """Returns the ids of both texts as they were."""
    ids = np.array(example["input_ids"])
    used = np.array(example["masked_lm_weights"]) > 0
    positions = np.array(example["masked_lm_positions"])[used]
    ids[positions] = np.array(example["masked_lm_ids"])[used]
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
    vocabulary = pretraining.Vocabulary.from_vocab(tokenizer.vocab)
    with open(folder / "text.txt", "rb") as file:
        documents = pretraining.read_documents(
            [("text", file)], tokenizer.encode
        )
    values = instance_rows.instance_features(
        [
            instance
            for instances in pretraining.create_training_instances(
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


@pytest.mark.parametrize("num_workers", [1, 2])
def test_restart_makes_the_missing_shards_alone(folder, num_workers):
    create(make_job(folder, "whole"))
    job = make_job(folder)
    with pytest.raises(OSError, match="No space left"):
        create(job, num_workers, Unfinished)
    before = {p: p.stat().st_mtime_ns for p in folder.glob("out-*")}
    assert 1 <= len(before) < job.num_shards
    assert not list(folder.glob(".tmp-bert-out-*"))

    create(job, num_workers)

    assert shards(folder) == shards(folder, "whole")
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_finished_job_is_left_alone(folder):
    job = make_job(folder)
    create(job)
    before = {p: p.stat().st_mtime_ns for p in folder.iterdir()}

    create(job)

    assert {p: p.stat().st_mtime_ns for p in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 2}, "random_seed"),
        ({"dupe_factor": 3}, "dupe_factor"),
        ({"do_lower_case": False}, "do_lower_case"),
        ({"compression": "gzip"}, "output_compression"),
        ({"block_bytes": 701}, "block_bytes"),
    ],
)
def test_other_flags_on_restart_are_refused(folder, changes, named):
    with pytest.raises(OSError, match="No space"):
        create(make_job(folder), worker=Unfinished)
    before = shards(folder)

    with pytest.raises(UserError, match=f"made with another {named};"):
        create(make_job(folder, **changes))

    assert shards(folder) == before


@pytest.mark.parametrize("name", ["text.txt", "vocab.txt"])
def test_other_inputs_on_restart_are_refused(folder, name):
    create(make_job(folder))
    with open(folder / name, "a") as file:
        file.write("w1\n")

    with pytest.raises(UserError, match=r"manifest.json is of .* another"):
        create(make_job(folder))


def test_shards_without_a_manifest_are_refused(folder):
    (folder / "out-00000-of-00099").write_text("somebody's")

    with pytest.raises(UserError, match=r"of-00099 is there, but not .*json"):
        create(make_job(folder))


def test_other_text_in_place_of_the_manifest_is_an_error(folder):
    job = make_job(folder)
    for content in ("[]", "{"):
        (folder / "out.manifest.json").write_text(content)
        with pytest.raises(UserError, match="Expected a manifest of shards"):
            shard_manifest.check(job)


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


@pytest.mark.parametrize("content", ["", "\n \n\n", "\u200b\n"])
def test_text_without_tokens_is_an_error(folder, content):
    (folder / "text.txt").write_text(content)

    with pytest.raises(UserError, match=r"Expected text.*text.txt, without"):
        create(make_job(folder))
    assert not list(folder.glob("*out*"))


def test_bad_bytes_and_a_single_document_are_warned_of(folder, caplog):
    (folder / "text.txt").write_bytes(b"w1 w2\nw3 \xff\n")

    create(make_job(folder))

    assert "Received 1 lines with other bytes" in caplog.text
    assert "text.txt, byte 0" in caplog.text
    assert "All text is one document" in caplog.text
    assert len(examples(folder)) == 2


def test_line_longer_than_a_block_is_an_error_before_work(folder):
    (folder / "text.txt").write_text("w1\n\n" + "w2 " * 300)

    with pytest.raises(UserError, match="byte 4: expected a sentence a line"):
        create(make_job(folder), 2)
    assert not list(folder.glob("*out*"))


def test_vocabulary_without_mask_is_an_error(folder):
    (folder / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")

    with pytest.raises(UserError, match=r"vocab.txt.*\[MASK\] not found"):
        streaming.tokenizer(make_job(folder))


def test_files_may_have_a_scheme(folder):
    """Those are read and written through TensorFlow."""
    create(make_job(folder, "local"))
    job = make_job(folder, "remote")
    remote = dataclasses.replace(
        job,
        names=tuple(f"file://{name}" for name in job.names),
        output_file=f"file://{job.output_file}",
        reservoir_file=f"file://{job.reservoir_file}",
    )

    create(remote)
    create(remote)

    assert shards(folder, "remote") == shards(folder, "local")
    assert not list(folder.glob(".tmp*"))


def test_two_runs_at_once_with_one_output_are_refused(folder):
    """Else the second one's manifest would stand beside the first's shards."""
    lock = make_job(folder).reservoir_file + ".lock"

    class Second(streaming.Worker):
        def make_shard(self, shard):
            with pytest.raises(UserError, match="Another run is writing"):
                create(make_job(folder, seed=2))
            assert os.path.exists(lock)
            return super().make_shard(shard)

    create(make_job(folder), worker=Second)
    create(make_job(folder, "alone"))
    assert shards(folder) == shards(folder, "alone")
    assert not os.path.exists(lock)


def test_lock_of_a_killed_run_is_no_hindrance(folder):
    job = make_job(folder)
    Path(job.reservoir_file + ".lock").touch()
    create(job)
    assert not os.path.exists(job.reservoir_file + ".lock")


@pytest.mark.parametrize(
    "name",
    [".tmp-bert-out.others", "out-00000-of-00003", "out.manifest.json"],
)
def test_own_files_are_no_text(folder, name):
    """A pattern such as folder/* may match what a killed run has left."""
    (folder / name).write_text(text())
    job = make_job(folder)
    job = dataclasses.replace(job, names=(str(folder / name),))
    before = (folder / name).read_bytes()
    with pytest.raises(UserError, match="name is that of a file which belongs"):
        create(job)
    assert (folder / name).read_bytes() == before


def test_document_without_tokens_is_none_to_warn_of(folder, caplog):
    (folder / "text.txt").write_text("w1 w2\nw3\n\n\u200b\n")
    create(make_job(folder))
    assert "All text is one document" in caplog.text

import re

import numpy as np
import pytest
import tensorflow as tf

from bert.data.corpus import packed_texts, record_notes
from bert.data.corpus.instance_settings import InstanceSettings
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import input_pipeline, record_files, record_writer
from bert.errors import UserError
from bert.modeling import BertConfig
from bert.tasks.pretraining import inputs, records, training
from bert.tasks.pretraining.config import MASK_FLAGS
from tests.data.corpus.test_drawn_masks import (
    CLS,
    LENGTH,
    PACKED,
    PREDICTIONS,
    TEXTS,
    draw,
)
from tests.tasks.pretraining.test_config import parse

STATIC = draw(TEXTS, seed=1)
SIZES = BertConfig(vocab_size=1000)


def write(path, rows):
    record_writer.write(
        str(path),
        pretraining_fields(LENGTH, PREDICTIONS, "text_starts" in rows),
        (
            {name: values[i].tolist() for name, values in rows.items()}
            for i in range(len(rows["input_ids"]))
        ),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A vocabulary, and the same texts as four kinds of records."""
    folder = tmp_path_factory.mktemp("records")
    words = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"]
    words += [f"{'##' * (800 <= i < 900)}w{i}" for i in range(5, 1000)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    write(folder / "static", STATIC)
    write(folder / "unmasked", TEXTS)
    write(folder / "packed", packed_texts.pack(STATIC))
    write(folder / "packed_unmasked", PACKED)
    return folder


def config(folder, name, *args):
    return parse(
        f"--input_file={folder / name}",
        f"--max_seq_length={LENGTH}",
        f"--max_predictions_per_seq={PREDICTIONS}",
        "--do_train",
        *args,
    )


def dynamic(folder):
    return "--masking=dynamic", f"--vocab_file={folder / 'vocab.txt'}"


def source(folder, name, *args):
    """The records as they are in the files."""
    flags = config(folder, name, *args)
    files = inputs.record_files(flags)
    found = training.record_source(flags, SIZES, files, is_trained=True)
    record_files.check_records(found)
    return found


def trained(folder, name, *args, count, batch_size=4, buffer=7, **kwargs):
    """Rows in the order in which they are trained on."""
    rows = records.for_training(
        config(folder, name, *args), source(folder, name, *args)
    )
    batches = input_pipeline.train_batches(
        rows, batch_size, seed=3, shuffle_buffer_size=buffer, **kwargs
    )
    found = list(batches.take(count).as_numpy_iterator())
    return {n: np.concatenate([b[n] for b in found]) for n in found[0]}


def evaluated(folder, name, *args):
    rows = records.for_evaluation(
        config(folder, name, *args), source(folder, name, *args)
    )
    (batch,) = input_pipeline.eval_batches(rows, 100)
    return {name: values.numpy() for name, values in batch.items()}


def same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def sorted_texts(rows):
    texts = rows
    if "text_starts" in rows:
        texts, _ = packed_texts.texts_of(rows)
    return sorted(map(tuple, packed_texts.unmask(texts).tolist()))


def test_any_records_are_packed_and_each_text_comes_once_an_epoch(folder):
    num_rows = len(packed_texts.pack(STATIC)["input_ids"])
    rows = trained(
        *(folder, "static", "--pack_sequences"), count=num_rows, batch_size=1
    )
    assert sorted_texts(rows) == sorted_texts(STATIC)
    assert sorted(rows["input_ids"].tolist()) == sorted(
        packed_texts.pack(STATIC)["input_ids"].tolist()
    )


@pytest.mark.parametrize("name", ["static", "packed_unmasked"])
def test_a_run_that_goes_on_gets_the_same_rows_and_masks(folder, name):
    args = (folder, name, "--pack_sequences", *dynamic(folder))
    whole = trained(*args, count=9)
    rest = trained(*args, count=4, examples_seen=20)
    assert same(rest, {name: values[20:] for name, values in whole.items()})


def test_workers_share_the_rows_and_their_masks(folder):
    args = (folder, "static", "--pack_sequences", *dynamic(folder))
    whole = trained(*args, count=2, batch_size=4)
    parts = [
        trained(
            *args,
            count=2,
            batch_size=4,
            context=tf.distribute.InputContext(2, worker, 2),
        )
        for worker in range(2)
    ]
    for name, values in whole.items():
        halves = [part[name].reshape(2, 2, -1) for part in parts]
        merged = np.concatenate(halves, axis=1).reshape(values.shape)
        np.testing.assert_array_equal(merged, values)


def test_masks_of_an_epoch_are_others_than_those_before(folder):
    found = trained(
        *(folder, "unmasked", *dynamic(folder)),
        count=80,
        batch_size=1,
        buffer=1,
    )
    first, second = (
        {name: values[part] for name, values in found.items()}
        for part in (slice(40), slice(40, 80))
    )
    for epoch in (first, second):
        np.testing.assert_array_equal(
            packed_texts.unmask(epoch), TEXTS["input_ids"]
        )
    assert not same(first, second)


@pytest.mark.parametrize("name", ["static", "packed"])
def test_an_evaluation_has_the_records_own_masks_and_a_row_a_text(folder, name):
    found = evaluated(folder, name, "--pack_sequences")
    assert "text_starts" not in found
    order, expected = (
        np.lexsort(rows["input_ids"].T) for rows in (found, STATIC)
    )
    for field, values in STATIC.items():
        np.testing.assert_array_equal(found[field][order], values[expected])


def test_a_run_of_one_text_a_row_is_evaluated_on_packed_records(folder):
    flags = config(
        *(folder, "static", "--do_train", "--eval_steps=1"),
        f"--eval_file={folder / 'packed'}",
    )
    trained_on = source(folder, "static")
    found = training.evaluated_source(flags, SIZES, trained_on)
    rows = records.for_evaluation(flags, found)
    (batch,) = input_pipeline.eval_batches(rows, 100)
    assert len(batch["input_ids"]) == len(STATIC["input_ids"])


@pytest.mark.parametrize("name", ["unmasked", "packed_unmasked"])
def test_an_evaluation_of_records_without_masks_draws_the_same_ones(
    folder, name
):
    args = (folder, name, "--pack_sequences", *dynamic(folder))
    found = evaluated(*args)
    assert (found["masked_lm_weights"].sum(axis=1) > 0).all()
    assert same(found, evaluated(*args))
    assert sorted_texts(found) == sorted_texts(TEXTS)
    # Also where an evaluation begins again at the end of the files.
    rows = records.for_evaluation(config(*args), source(*args))
    batches = input_pipeline.eval_batches(
        rows, len(found["input_ids"]), repeat=True
    )
    for batch in batches.take(2):
        assert same(found, {name: v.numpy() for name, v in batch.items()})


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("packed", [], "has several texts in a record; add --pack_sequences"),
        ("unmasked", [], "have no masks; add --masking=dynamic"),
        ("static", ["--masking=dynamic"], "needs --vocab_file"),
    ],
)
def test_flags_that_do_not_fit_the_records_are_one_line(
    folder, name, args, message
):
    with pytest.raises(UserError, match=message):
        source(folder, name, *args)


def test_a_training_is_not_to_change_for_the_sake_of_an_evaluation(folder):
    eval_file = f"--eval_file={folder / 'unmasked'}"
    flags = config(folder, "static", "--eval_steps=1", eval_file)
    trained_on = source(folder, "static")
    with pytest.raises(UserError, match="have no masks; create them with --"):
        training.evaluated_source(flags, SIZES, trained_on)
    flags = config(folder, "static", "--nodo_train", "--do_eval", eval_file)
    with pytest.raises(UserError, match="have no masks; add --masking=dynam"):
        training.evaluated_source(flags, SIZES, trained_on)


def test_masks_are_drawn_as_the_note_says_but_for_a_flag(folder, tmp_path):
    write(tmp_path / "noted", TEXTS)
    settings = InstanceSettings(LENGTH, PREDICTIONS, 0.3, 0.1, 1, True)
    record_notes.write(
        str(tmp_path / "noted"),
        record_notes.Note.of(str(folder / "vocab.txt"), True, settings),
    )

    def masked(*args):
        args = (tmp_path, "noted", *dynamic(folder), *args)
        return trained(*args, count=10)

    noted, fewer = masked(), masked("--masked_lm_prob=0.1")
    num_masked = noted["masked_lm_weights"].sum()
    assert num_masked > 2 * fewer["masked_lm_weights"].sum()
    assert not same(noted, masked("--nodo_whole_word_mask"))
    # Workers, and the parts of a run, compare what is drawn.
    flags = config(tmp_path, "noted", *dynamic(folder), "--max_ngram=2")
    found = records.settled(flags, [str(tmp_path / "noted")]).course
    assert [found[name] for name in MASK_FLAGS] == [0.3, True, 2]
    assert found["masking"] == "dynamic"
    static = config(tmp_path, "noted")
    assert records.settled(static, [str(tmp_path / "noted")]) == static
    with pytest.raises(UserError, match="--max_ngram must be from 1"):
        source(tmp_path, "noted", *dynamic(folder), "--max_ngram=99")


def test_records_of_another_vocabulary_are_refused(folder, tmp_path):
    words = (folder / "vocab.txt").read_text().split()
    (tmp_path / "vocab.txt").write_text("\n".join(["[unused]", *words]))
    with pytest.raises(
        UserError, match=re.escape(f"begins with id {CLS}, but [CLS] is 2")
    ):
        source(folder, "static", *dynamic(tmp_path))


@pytest.mark.parametrize("encoder_type", ["textcnn", "bilstm", "gpt"])
def test_an_encoder_that_takes_one_text_a_row_is_refused(folder, encoder_type):
    sizes = BertConfig(vocab_size=1000, encoder_type=encoder_type)
    packed = config(folder, "static", "--pack_sequences")
    with pytest.raises(
        UserError, match=f"^--pack_sequences needs .* '{encoder_type}'"
    ):
        training.record_source(
            packed, sizes, inputs.record_files(packed), is_trained=True
        )
    with pytest.raises(UserError, match=r"^teacher: --pack_sequences needs"):
        records.check_encoder(packed, sizes, "teacher: ")
    records.check_encoder(packed, SIZES)


def test_what_is_no_record_is_left_to_the_check_of_records(tmp_path):
    (tmp_path / "a").write_bytes(b"no record")
    assert records.kind_of([str(tmp_path / "a")]) == records.Kind()
    with pytest.raises(
        UserError, match=r"Expected records\. Received: 1 files without"
    ):
        source(tmp_path, "a")

import dataclasses
import functools
import json
import logging

import numpy as np
import pytest
import tensorflow as tf

from bert.data.text.tokenization import FullTokenizer
from bert.modeling import BertConfig
from bert.tasks import record_sets, spec, task_run
from bert.tasks.squad import inference, window_workers, windows
from bert.tasks.squad.finetuning import Squad
from bert.tasks.task import Prepared
from bert.training.checkpointing import RunState
from bert.training.head_check import Start
from tests.tasks.squad.test_config import V2, parse


@pytest.fixture
def asked(golden):
    """A run that evaluates, its questions read."""
    task = Squad(
        parse(
            "--do_eval",
            f"--predict_file={golden / 'inputs/squad/dev-v2.0.json'}",
            V2,
            "--max_seq_length=48",
            "--max_query_length=12",
            "--null_score_diff_threshold=-1.5",
        )
    )
    task.read(Start())
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    config = BertConfig(vocab_size=len(tokenizer.vocab))
    task.prepare(Prepared(tf.distribute.get_strategy, config, tokenizer))
    return task


def test_windows_are_cut_once_for_all_evaluations(asked, monkeypatch):
    cut = []
    make = windows.windows
    monkeypatch.setattr(
        windows, "windows", lambda *args: cut.append(args) or make(*args)
    )
    evaluation = asked.evaluation()
    (walk,) = asked.walks()
    records = walk.sets[""]
    assert records is evaluation.sets[""]
    first, second = list(records.features()), list(records.features())
    assert first == second
    assert len(cut) == 1
    path = asked.config.predict_file
    assert asked.data_files() == [("predict", path, len(asked.asked))]
    assert walk.sizes == [
        f"Num orig examples = {len(asked.asked)}",
        f"Num split examples = {len(first)}",
    ]


def test_several_processes_make_the_same_records(asked, monkeypatch):
    monkeypatch.setattr(window_workers, "LOGGED_EXAMPLES", 2)
    monkeypatch.setattr(
        window_workers,
        "features",
        functools.partial(of_this_process, window_workers.features),
    )
    expected = list(asked.evaluation().sets[""].features())
    config = dataclasses.replace(asked.config, num_workers=2)
    several = asked.read_by(config, asked.prepared)
    found = list(several.evaluation().sets[""].features())
    assert len(found) == len(expected)
    for row, other in zip(found, expected, strict=True):
        assert {k: list(v) for k, v in row.items()} == other


def of_this_process(features, questions, job, num_workers, first_id):
    assert num_workers == 2
    return features(questions, job, 1, first_id)


def test_options_are_the_flags_of_their_names(asked):
    options = asked.options()
    assert options.keys() == spec.find("squad").options.keys()
    assert options["null_score_diff_threshold"] == -1.5
    assert options["version_2_with_negative"] is True
    assert options["max_query_length"] == 12


def test_padding_is_never_among_the_best():
    logits = {
        name: tf.constant([[-5.0, -6.0, 90.0]])
        for name in ("start_logits", "end_logits")
    }
    batch = {
        "input_mask": tf.constant([[1, 1, 0]]),
        "unique_ids": tf.constant([[7]]),
    }
    found = inference.select(None, logits, batch)
    assert found["unique_ids"].numpy().tolist() == [7]
    for name in logits:
        np.testing.assert_array_equal(found[name], [[-5.0, -6.0, -10000.0]])


@pytest.mark.parametrize("cut", [False, True])
def test_padding_is_left_out_of_training_if_it_is_said(golden, tmp_path, cut):
    path = golden / "inputs/squad/train-v1.1.json"
    task = Squad(
        parse(
            *("--do_train", f"--train_file={path}", f"--cut_padding={cut}"),
            *("--max_seq_length=64", "--max_query_length=12"),
            "--train_batch_size=1",
        )
    )
    task.read(Start())
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    config = BertConfig(
        vocab_size=len(tokenizer.vocab),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    task.prepare(Prepared(tf.distribute.get_strategy, config, tokenizer))
    assert task.make_model().masks_padding is cut
    assert task.config.course.get("cut_padding", False) is cut
    records = task.training_set()
    file = record_sets.write(records, str(tmp_path), tokenizer)
    feed = task_run.training_feed(
        task,
        record_sets.source(
            *(config, [file.path], records.fields, records.limits),
            lengths=file.lengths,
        ),
    )
    batches = feed.make_batches(RunState(seed=1, examples_seen=0), None)
    found = list(batches.take(len(file.lengths)))
    widths = [batch["input_ids"].shape[1] for batch in found]
    lengths = sorted(file.lengths)
    assert sorted(widths) == (lengths if cut else [64] * len(lengths))


@pytest.fixture
def languages(golden, caplog):
    """Reads the 22 questions; returns the run."""

    def read(*args):
        folder = golden / "squad_languages"
        task = Squad(
            parse(
                *args,
                f"--train_file={folder}/questions.json",
                f"--predict_file={folder}/questions.json",
            )
        )
        tokenizer = FullTokenizer(folder / "vocab.txt")
        with caplog.at_level(logging.WARNING):
            task.read(Start())
            caplog.clear()
            config = BertConfig(vocab_size=len(tokenizer.vocab))
            strategy = tf.distribute.get_strategy
            task.prepare(Prepared(strategy, config, tokenizer))
        return task

    return read


@pytest.mark.parametrize("does", ["--do_train", "--do_eval"])
def test_answers_that_words_cannot_give_are_counted_once(
    golden, languages, caplog, does
):
    task = languages(does)
    results = json.loads(
        (golden / "squad_languages/results.json").read_text("utf-8")
    )
    # One more is left out of training, since its place is a wrong one.
    left_out = {"de-1"} if does == "--do_train" else set()
    num_lost = len(results["tiny"]["not_exact"].keys() | left_out)
    assert caplog.messages == [
        f"{task.config.train_file}: {num_lost} of 22 answers cannot come back "
        "exactly, since answers are counted in words; "
        "--answer_offsets=characters counts characters."
    ]
    assert task.num_examples == (21 if does == "--do_train" else 0)


def test_characters_lose_no_answer(languages, caplog):
    task = languages("--do_train", "--answer_offsets=characters")
    assert caplog.messages == []
    assert task.num_examples == 22
    assert task.options()["answer_offsets"] == "characters"


def test_records_are_made_anew_for_other_offsets(languages):
    words, characters = (
        list(
            languages("--do_train", f"--answer_offsets={each}")
            .training_set()
            .inputs()
        )
        for each in ("words", "characters")
    )
    assert words != characters

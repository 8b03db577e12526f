"""A task that is fine-tuned, as one of several."""

import types

import pytest

from bert.errors import UserError
from bert.modeling.config import BertConfig
from bert.tasks import finetune, teachers
from bert.tasks.multitask.fine_tuned import FineTuned
from bert.training.head_check import Start

SIZES = BertConfig(vocab_size=11, max_position_embeddings=64)


class Task:
    """What is asked of a `FineTuningTask`."""

    config = types.SimpleNamespace(max_seq_length=64)
    labels = ()
    num_outputs = 2
    teacher = None
    prepared = None

    def read(self, start):
        self.labels = ("no", "yes")

    def prepare(self, prepared):
        self.prepared = prepared


def test_labels_are_those_that_were_read():
    task = FineTuned(Task())
    assert (task.config, task.labels) == (Task.config, ())
    task.read(Start())
    assert task.labels == ("no", "yes")


def test_a_head_of_another_size_is_refused():
    reader = types.SimpleNamespace(prefix="model.ckpt-1#a")
    with pytest.raises(UserError, match="head for 3 label"):
        FineTuned(Task()).read(Start(reader, False, 3))


def test_a_teacher_is_found_once_all_is_prepared(monkeypatch):
    said = []

    class Teacher:
        @property
        def logits(self):
            said.append("all")

    monkeypatch.setattr(
        teachers, "find", lambda task: task.prepared and Teacher()
    )
    task = FineTuned(Task())
    task.ask_teacher()
    assert not said
    task.prepare(types.SimpleNamespace(bert_config=SIZES))
    task.ask_teacher()
    assert said == ["all"]


def test_texts_are_no_longer_than_the_positions():
    class Long(Task):
        config = types.SimpleNamespace(max_seq_length=65)

    task = FineTuned(Long())
    with pytest.raises(
        UserError, match="only trained up to sequence length 64"
    ):
        task.prepare(types.SimpleNamespace(bert_config=SIZES))


def test_alone_it_is_the_scripts_own_run(monkeypatch):
    ran = []
    monkeypatch.setattr(finetune, "run", ran.append)
    own = Task()
    FineTuned(own).run_alone()
    assert ran == [own]

import logging

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.training import checkpointing, loop, resume
from bert.training.checkpointing import RunState
from tests.tasks.pretraining.test_config import parse as pretraining_config
from tests.training.configs import training_config
from tests.training.test_loop import GoldenRun


def saved(folder, state, step=4):
    tensors = {"global_step": tf.Variable(step, dtype=tf.int64)}
    checkpointing.save(str(folder), step, tensors, state)


def config(folder, **values):
    return training_config(
        output_dir=str(folder), **{"optimizer": "adamw", **values}
    )


def test_a_new_run_has_the_seed_that_is_asked_for(tmp_path):
    position = resume.find_position(config(tmp_path, random_seed=3))
    assert (position.reader, position.step) == (None, 0)
    assert position.state == RunState(3, 0, optimizer="adamw")


def test_a_drawn_seed_differs_from_run_to_run(tmp_path):
    first, second = (
        resume.find_position(config(tmp_path)).state.seed for _ in range(2)
    )
    assert first != second


def test_a_run_goes_on_where_its_sidecar_says(tmp_path):
    state = RunState(7, 99, optimizer="adamw")
    saved(tmp_path, state)
    position = resume.find_position(config(tmp_path))
    assert (position.step, position.state) == (4, state)


def test_another_seed_or_optimizer_is_taken_with_a_warning(tmp_path, caplog):
    saved(tmp_path, RunState(7, 99, optimizer="lamb"))
    with caplog.at_level(logging.WARNING):
        position = resume.find_position(config(tmp_path, random_seed=8))
    assert position.state == RunState(8, 99, optimizer="adamw")
    assert "from here on --random_seed=8" in caplog.text
    assert "trained with --optimizer=lamb; from here on adamw" in caplog.text


def test_without_a_sidecar_the_examples_follow_from_the_step(tmp_path):
    saved(tmp_path, RunState(7, 99))
    (tmp_path / "model.ckpt-4.run.json").unlink()
    position = resume.find_position(config(tmp_path, train_batch_size=8))
    assert position.state.examples_seen == 32


def test_a_worker_that_sees_another_step_is_refused(tmp_path, monkeypatch):
    chief = iter([None, 5, 1])

    def broadcast(value):
        found = next(chief)
        return value if found is None else found

    monkeypatch.setattr(resume.strategy, "broadcast_from_chief", broadcast)
    with pytest.raises(UserError, match=r"is of step 0, the chief's of step 5"):
        resume.find_position(config(tmp_path))


def test_a_worker_with_other_flags_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        resume.strategy, "broadcast_from_chief", lambda value: value + 1
    )
    with pytest.raises(UserError, match="must be started with the same flags"):
        resume.find_position(config(tmp_path))


def test_workers_compare_a_scripts_own_flags_but_not_where_input_is(
    tmp_path, monkeypatch
):
    sent = []

    def broadcast(value):
        sent.append(value)
        return value

    monkeypatch.setattr(resume.strategy, "broadcast_from_chief", broadcast)

    def mark(*flags):
        sent.clear()
        out = f"--output_dir={tmp_path}"
        resume.find_position(pretraining_config("--do_train", out, *flags))
        return sent[0]

    flags = ["--masking=dynamic", "--pack_sequences", "--num_warmup_steps=7"]
    assert len({mark(), *map(mark, flags)}) == 4
    assert mark("--input_file=here", "--teacher_dir=there") == mark()


def test_output_dirs_checkpoint_wins_over_init_checkpoint(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    trained = loop.Trained(run.model, run.optimizer)
    run.restore(6)
    checkpointing.save(str(tmp_path), 6, trained.tensors(), RunState(1, 48))
    expected = run.tensors()
    run.restore(0)
    position = resume.find_position(config(tmp_path))
    resume.load(position, trained, str(golden / "model_base"))
    found = run.tensors()
    assert found["global_step"] == 6
    for name, value in expected.items():
        assert (found[name] == value).all(), name


def test_only_weights_are_taken_from_init_checkpoint(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    trained = loop.Trained(run.model, run.optimizer)
    position = resume.find_position(config(tmp_path))
    resume.load(
        position, trained, str(golden / "train_classifier/model.ckpt-6")
    )
    found = run.tensors()
    assert found["global_step"] == 0
    assert not found["output_weights/adam_m"].any()
    run.restore(6)
    assert (found["output_weights"] == run.tensors()["output_weights"]).all()


def test_an_output_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="must be a folder that can be written"):
        resume.prepare_output_dir(str(tmp_path / "file"))

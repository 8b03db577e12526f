"""The goldens of training: the original's losses and weights, step by step."""

import json
import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import BertConfig, checkpoint, classifiers, heads
from bert.training import (
    checkpointing,
    loop,
    optimization,
    step_calls,
    steps,
)
from bert.training.batches import Batches
from bert.training.forward import Forward
from tests.modeling import checkpoints
from tests.training.configs import training_config

# Floors of the tolerance |a - b| <= 1e-5 * max|b| + floor: tests/golden.
FLOORS = {"adam_m": 1e-8, "adam_v": 1e-16}
WEIGHT_FLOOR = 2e-5

MODELS = {
    "train_pretraining": heads.PretrainingModel,
    # The golden was made with the head's own dropout switched off.
    "train_classifier": lambda config: classifiers.ClassifierModel(
        config, num_labels=3, dropout_rate=0.0
    ),
    "train_squad": heads.SpanModel,
}


class GoldenRun:
    """A run of the original: its model, its batches, where it went."""

    def __init__(self, golden, name):
        self.folder = golden / name
        self.trajectory = json.loads(
            (self.folder / "trajectory.json").read_text()
        )
        with np.load(self.folder / "batches.npz") as batches:
            self.batches = dict(batches)
        self.model = MODELS[name](
            BertConfig.from_json_file(golden / "model_base/bert_config.json")
        )
        self.optimizer = optimization.AdamWeightDecay(
            {
                checkpoint.checkpoint_name(v, self.model): v.value
                for v in self.model.trainable_variables
            },
            optimization.learning_rate_schedule(
                "original",
                self.trajectory["learning_rate"],
                self.trajectory["num_train_steps"],
                self.trajectory["num_warmup_steps"],
            ),
        )

    def restore(self, step):
        checkpointing.restore(
            checkpoint.Reader(str(self.folder / f"model.ckpt-{step}")),
            loop.Trained(self.model, self.optimizer).tensors(),
            "bert",
        )

    def batch(self, step):
        return {k: tf.constant(v[step]) for k, v in self.batches.items()}

    def tensors(self):
        variables = loop.Trained(self.model, self.optimizer).tensors()
        return {name: v.numpy() for name, v in variables.items()}


def assert_same_end(tensors, reader):
    """Compares with a checkpoint at the tolerance of the goldens."""
    assert set(tensors) == set(reader.shapes)
    for name, value in tensors.items():
        expected = reader.read(name)
        floor = FLOORS.get(name.rsplit("/", 1)[-1], WEIGHT_FLOOR)
        limit = 1e-5 * np.max(np.abs(expected)) + floor
        assert np.max(np.abs(value - expected)) <= limit, name


@pytest.mark.parametrize("first_step", [0, 6])
@pytest.mark.parametrize("name", list(MODELS))
def test_training_goes_the_way_of_the_original(golden, name, first_step):
    run = GoldenRun(golden, name)
    run.restore(first_step)
    train_step = steps.compile_train_step(
        run.model, run.optimizer, steps.StepSettings(seed=0)
    )
    losses = [
        float(train_step(run.batch(step))["loss"])
        for step in range(first_step, 12)
    ]
    np.testing.assert_allclose(
        losses, run.trajectory["losses"][first_step:], rtol=0, atol=1e-5
    )
    assert_same_end(
        run.tensors(), checkpoint.Reader(str(run.folder / "model.ckpt-12"))
    )


START = checkpointing.RunState(seed=1, examples_seen=0)


def train(
    run,
    folder,
    *,
    batches=None,
    state=START,
    num_train_steps=4,
    compile_step=steps.compile_train_step,
    **changes,
):
    changes = {"train_batch_size": 8, "save_checkpoints_steps": 3, **changes}
    loop.TrainLoop(
        loop.Trained(run.model, run.optimizer, compile=compile_step),
        Batches(endless(run) if batches is None else batches),
        training_config(output_dir=str(folder), **changes),
        num_train_steps,
        state,
    ).run()


def endless(run):
    step = 0
    while True:
        yield run.batch(step % 12)
        step += 1


def test_train_saves_at_0_every_n_steps_and_at_the_end(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    train(run, tmp_path)
    names = sorted(p.name for p in tmp_path.glob("*.index"))
    assert names == [f"model.ckpt-{s}.index" for s in (0, 3, 4)]
    reader = checkpoint.Reader(str(tmp_path))
    assert reader.prefix.endswith("model.ckpt-4")
    assert checkpointing.read_state(reader) == checkpointing.RunState(1, 32)


def as_dataset(run):
    """Returns the batches of `endless`, read by TensorFlow."""
    return tf.data.Dataset.from_tensor_slices(run.batches).repeat()


def compile_counting(model, optimizer, *_):
    """Stands in for `compile_train_step`: the weights stay."""

    @tf.function
    def step(batch):
        optimizer.global_step.assign_add(1)
        return {"loss": tf.reduce_mean(tf.cast(batch["label_ids"], "float32"))}

    return step


def losses(folder):
    """Returns the points of the losses' curve: steps and values."""
    (path,) = folder.glob("events.out.tfevents.*")
    return [
        (event.step, tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "loss"
    ]


def test_calls_of_several_steps_end_where_something_is_due(
    golden, tmp_path, monkeypatch
):
    monkeypatch.setattr(step_calls, "_SECONDS", 600.0)
    monkeypatch.setattr(loop, "_MANY_STEPS", 12)
    counts, contents, logged = [], [], []
    take = step_calls.StepCalls.take

    def counting(self, most):
        figures = take(self, most)
        counts.append(len(figures["loss"]))
        return figures

    monkeypatch.setattr(step_calls.StepCalls, "take", counting)
    for folder in ("dataset", "generator"):
        run = GoldenRun(golden, "train_classifier")
        run.restore(0)
        train(
            run,
            tmp_path / folder,
            batches=as_dataset(run) if folder == "dataset" else None,
            compile_step=compile_counting,
            num_train_steps=12,
            save_checkpoints_steps=4,
            log_steps=5,
            eval_steps=9,
        )
        files = sorted((tmp_path / folder).glob("model.ckpt-*"))
        contents.append({p.name: p.read_bytes() for p in files})
        logged.append(losses(tmp_path / folder))
    assert counts == [1, 3, 1, 3, 1, 1, 2] + [1] * 12
    assert contents[0] == contents[1]
    assert len(contents[0]) == 3 * 4
    assert logged[0] == logged[1]
    assert [step for step, _ in logged[0]] == [5, 10, 12]


def test_a_restart_at_step_0_leaves_its_checkpoint_alone(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    for steps_now in (0, 1):
        train(run, tmp_path, num_train_steps=steps_now)
        index = (tmp_path / "model.ckpt-0.index").stat()
        if steps_now == 0:
            first = index.st_mtime_ns
    assert index.st_mtime_ns == first


def test_weights_that_are_not_finite_never_reach_a_checkpoint(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    run.restore(0)
    # The loss of the only step is taken before the update, and sound.
    run.optimizer.schedule = lambda step: tf.constant(np.inf)
    with pytest.raises(UserError, match="not finite"):
        train(run, tmp_path, num_train_steps=1)
    assert [p.name for p in tmp_path.glob("*.index")] == ["model.ckpt-0.index"]


def test_a_loss_that_is_not_finite_stops_before_a_checkpoint(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    run.restore(0)

    def poisoned():
        for batch in endless(run):
            yield batch
            kernel = run.model.backbone.pooler.trainable_variables[0]
            kernel.assign(kernel * np.nan)

    with pytest.raises(
        UserError, match=r"not finite.*last good checkpoint is .*ckpt-0"
    ):
        train(run, tmp_path, batches=poisoned())
    assert [p.name for p in tmp_path.glob("*.index")] == ["model.ckpt-0.index"]


def test_event_file_has_the_figures_of_every_log_step(golden, tmp_path):
    run = GoldenRun(golden, "train_pretraining")
    train(run, tmp_path, log_steps=2)
    found = {}
    (path,) = tmp_path.glob("events.out.tfevents.*")
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append(event.step)
    assert set(found) == {
        "loss",
        "masked_lm_loss",
        "next_sentence_loss",
        "gradient_norm",
        "learning_rate",
        "global_step/sec",
        "examples/sec",
    }
    assert all(points == [2, 4] for points in found.values())


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    golden, tmp_path, monkeypatch
):
    run = GoldenRun(golden, "train_classifier")
    train(run, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.glob("model*")}
    write_files = checkpoint.write_files

    def full(prefix, tensors):
        write_files(prefix, tensors)
        raise OSError(28)

    monkeypatch.setattr(checkpoint, "write_files", full)
    with pytest.raises(OSError, match="28"):
        train(
            run,
            tmp_path,
            state=checkpointing.RunState(seed=1, examples_seen=32),
            num_train_steps=6,
        )
    assert {p.name: p.read_bytes() for p in tmp_path.glob("model*")} == before
    assert not list(tmp_path.glob("tmp-*"))


def test_forward_gives_every_row_in_order(golden):
    run = GoldenRun(golden, "train_classifier")
    rows = {k: v.reshape(-1, *v.shape[2:]) for k, v in run.batches.items()}
    dataset = tf.data.Dataset.from_tensor_slices(rows)

    def logits(batch_size):
        forward = Forward(
            run.model, lambda outputs, batch: {"logits": outputs["logits"]}
        )
        parts = forward(Batches(dataset.batch(batch_size)))
        return np.concatenate([part["logits"] for part in parts])

    assert logits(7).shape == (96, 3)
    np.testing.assert_allclose(logits(7), logits(96), atol=1e-6)


def test_a_copy_of_an_old_output_dir_needs_no_sidecar(golden, tmp_path):
    checkpoints.copy(golden / "train_pretraining/model.ckpt-6", tmp_path)
    assert (
        checkpointing.read_state(
            checkpoint.Reader(checkpointing.newest(str(tmp_path)))
        )
        is None
    )


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, SystemExit),
        (signal.SIGHUP, SystemExit),
    ],
)
def test_a_signal_saves_the_step_under_way(golden, tmp_path, number, raised):
    run = GoldenRun(golden, "train_classifier")

    def signalled():
        for step, batch in enumerate(endless(run)):
            if step == 1:  # read for the second step
                signal.raise_signal(number)
            yield batch

    before = signal.getsignal(number)
    with pytest.raises(raised):
        train(run, tmp_path, batches=signalled(), num_train_steps=100)
    reader = checkpoint.Reader(str(tmp_path))
    assert reader.prefix.endswith("model.ckpt-2")
    assert checkpointing.read_state(reader).examples_seen == 16
    assert signal.getsignal(number) == before


def test_a_signal_ends_a_call_of_several_steps(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")

    def numbered(number, batch):
        def signalled(number):
            if number == 40:
                os.kill(os.getpid(), signal.SIGTERM)
            return number

        read = tf.numpy_function(signalled, [number], tf.int64)
        with tf.control_dependencies([read]):
            return tf.nest.map_structure(tf.identity, batch)

    with pytest.raises(SystemExit):
        train(
            run,
            tmp_path,
            batches=as_dataset(run).enumerate().map(numbered),
            compile_step=compile_counting,
            num_train_steps=10**6,
            save_checkpoints_steps=10**6,
            log_steps=10**6,
        )
    reader = checkpoint.Reader(str(tmp_path))
    step = checkpointing.step_of(reader)
    assert 40 <= step < 10**5
    assert checkpointing.read_state(reader).examples_seen == 8 * step

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
from absl import flags

from bert.cli import training_flags
from bert.data.records import fields as record_fields
from bert.data.records import packing
from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.tasks import finetune
from bert.training import checkpointing

FIELDS = record_fields.classification_fields(16)
NUM_EXAMPLES = 10


@pytest.fixture
def config(golden, tmp_path):
    """Returns a function: flags to the Config of a run in tmp_path/out."""

    def parse(*args):
        flag_values = flags.FlagValues()
        training_flags.define_fine_tuning_flags(flag_values, max_seq_length=16)
        given = [
            f"--bert_config_file={golden / 'model_base/bert_config.json'}",
            f"--vocab_file={golden / 'inputs/vocab.txt'}",
            f"--output_dir={tmp_path / 'out'}",
            "--do_train",
            "--train_batch_size=2",
            "--learning_rate=1e-3",
            "--random_seed=1",
        ]
        flag_values(["test", *given, *args])
        return finetune.Config.from_flags(flag_values)

    return parse


def check(config, prepared):
    """Does all checks, which end in a folder for the results."""
    start = finetune.find_start(config, "output_weights", uses_pooler=True)
    with prepared.strategy.scope():
        finetune.check_model(
            config,
            start,
            NUM_EXAMPLES,
            lambda seed: ClassifierModel(
                prepared.bert_config, 2, init_seed=seed
            ),
        )


def train(config):
    """Trains on NUM_EXAMPLES rows; returns the losses seen in between."""
    prepared = finetune.prepare(config)
    check(config, prepared)
    special = packing.SpecialIds.from_vocab(prepared.tokenizer.vocab)
    features = (
        {
            **packing.pad(packing.pack_single([20 + i] * i, special), 16),
            "label_ids": [i % 2],
            "is_real_example": [1],
        }
        for i in range(1, NUM_EXAMPLES + 1)
    )
    path = finetune.write_records(
        config.output_dir, "train.tf_record", FIELDS, features, "the same"
    )
    source = finetune.source(prepared, path, FIELDS, {"label_ids": 2})
    seen = []

    def make_evaluate(model):
        rows = finetune.Rows(
            prepared,
            model,
            source,
            3,
            lambda outputs, batch: {
                "loss": model.losses(outputs, batch)["classification"],
                "label": batch["label_ids"],
            },
        )

        def evaluate():
            found = list(rows)
            labels = [int(row["label"][0]) for row in found]
            assert labels == [i % 2 for i in range(1, NUM_EXAMPLES + 1)]
            seen.append(float(np.mean([row["loss"] for row in found])))
            # The second evaluation is the best by this measure.
            return {"eval_loss": seen[-1], "made_up": -abs(len(seen) - 2.0)}

        return evaluate

    with prepared.strategy.scope():
        finetune.train(
            config,
            prepared,
            source,
            NUM_EXAMPLES,
            lambda seed: ClassifierModel(
                prepared.bert_config, 2, init_seed=seed
            ),
            make_evaluate,
        )
    return seen


def last_tensors(folder):
    reader = checkpoint.Reader(str(folder))
    return {name: reader.read(name) for name in reader.shapes}


def test_evaluates_while_training_and_uses_the_best_weights(config, tmp_path):
    monitored = config("--eval_steps=4", "--save_best=made_up")
    assert len(train(monitored)) == 4  # steps 4, 8, 12 and 15, the last
    best = tmp_path / "out/best"
    assert checkpointing.newest(str(best)).endswith("model.ckpt-8")
    model = ClassifierModel(finetune.prepare(monitored).bert_config, 2)
    assert finetune.load(monitored, model) == 8
    assert finetune.load(config("--nodo_train", "--do_eval"), model) == 15
    other = config("--nodo_train", "--do_eval", "--save_best=f1")
    for refused in (
        lambda: finetune.load(other, model),
        lambda: check(other, finetune.prepare(other)),
    ):
        with pytest.raises(UserError, match="those by made_up; leave"):
            refused()


def test_a_run_that_stopped_early_stays_stopped(config, tmp_path):
    # The first evaluation is the best by this measure.
    args = [
        "--eval_steps=2",
        "--save_best=eval_loss",
        "--early_stopping_patience=1",
        "--learning_rate=0",
    ]
    assert len(train(config(*args))) == 2
    before = sorted(path.name for path in (tmp_path / "out").glob("model*"))
    assert any(name.startswith("model.ckpt-4.") for name in before)
    assert train(config(*args)) == []
    after = sorted(path.name for path in (tmp_path / "out").glob("model*"))
    assert after == before


def test_evaluation_does_not_change_the_training(config, tmp_path):
    train(config(f"--output_dir={tmp_path / 'plain'}"))
    train(config("--eval_steps=3", "--save_best=eval_loss"))
    plain, monitored = map(last_tensors, (tmp_path / "plain", tmp_path / "out"))
    assert all(np.array_equal(plain[name], monitored[name]) for name in plain)


def test_frozen_layers_keep_their_weights_and_have_no_moments(config, tmp_path):
    train(config("--freeze_layers=1", "--save_checkpoints_steps=100"))
    first = checkpoint.Reader(str(tmp_path / "out/model.ckpt-0"))
    last = checkpoint.Reader(str(tmp_path / "out"))
    changed = {
        name
        for name in last.shapes
        if not np.array_equal(first.read(name), last.read(name))
    }
    frozen = re.compile(r"bert/(embeddings|encoder/layer_0)/")
    assert not any(frozen.match(name) for name in changed)
    assert not any(
        frozen.match(name) and name.endswith("adam_m") for name in last.shapes
    )
    assert "bert/encoder/layer_1/output/dense/kernel" in changed


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--nodo_train"], "At least one of --do_train"),
        (["--save_best=f1"], "--save_best needs --eval_steps"),
        (
            ["--early_stopping_patience=2", "--eval_steps=1"],
            "--early_stopping_patience needs --save_best",
        ),
    ],
)
def test_flags_that_contradict_each_other_are_refused(config, args, message):
    with pytest.raises(UserError, match=message):
        config(*args)


def test_an_unknown_metric_is_refused(config):
    chosen = config("--eval_steps=1", "--save_best=f2")
    with pytest.raises(UserError, match=r"one of the metrics a, f1.*'f2'"):
        chosen.check_metric(["f1", "a"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--freeze_layers=4"], "must be at most 3, the layers"),
        (["--max_seq_length=65"], "Cannot use sequence length 65"),
        (["--init_checkpoint=nowhere/x.ckpt"], "No checkpoint found"),
        (["--nodo_train", "--do_predict"], "There is no trained model"),
        (["--num_train_epochs=0.1"], "=2; raise the one or lower the other"),
        (["--output_dir=/dev/null"], "/dev/null must be a folder"),
    ],
)
def test_what_is_refused_is_so_before_output_dir_is_made(
    config, tmp_path, args, message
):
    chosen = config(*args)
    with pytest.raises(UserError, match=message):
        check(chosen, finetune.prepare(chosen))
    assert not (tmp_path / "out").exists()


def test_a_batch_that_devices_cannot_share_is_refused_before_it_writes(
    config, tmp_path, monkeypatch
):
    class Strategy:
        num_replicas_in_sync = 4

    chosen = config()
    prepared = finetune.prepare(chosen)
    monkeypatch.setattr(tf.distribute, "get_strategy", Strategy)
    with pytest.raises(UserError, match=r"a multiple of 4: 4 device.*: 2"):
        check(chosen, prepared)
    assert not (tmp_path / "out").exists()


def test_best_weights_of_another_model_are_refused_before_it_writes(
    config, golden, tmp_path
):
    best = tmp_path / "out/best"
    best.mkdir(parents=True)
    for path in (golden / "train_classifier").glob("model.ckpt-12.*"):
        shutil.copy(path, best)  # of three labels
    chosen = config("--eval_steps=1", "--save_best=f1", "--do_eval")
    with pytest.raises(UserError, match=r"output_weights is \[3, 32\]"):
        check(chosen, finetune.prepare(chosen))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"best"}


def test_a_vocabulary_larger_than_the_models_is_refused(config, tmp_path):
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("[UNK]\n[CLS]\n[SEP]\n" + "a\n" * 1000)
    with pytest.raises(UserError, match=r"vocab\.txt has 1003 tokens"):
        finetune.prepare(config(f"--vocab_file={vocab}"))


def test_batch_mean_weights_batches_alike_not_rows():
    assert finetune.batch_mean([1.0, 3.0, 8.0], 2) == 5.0
    assert finetune.batch_mean([1.0, 3.0, 8.0], 3) == 4.0


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("result.txt", "mkdir", r"result\.txt\. Received: a folder"),
        ("best", "touch", r"best\. Received: a file"),
        ("eval", "touch", r"eval\. Received: a file"),
    ],
)
def test_what_is_in_the_way_of_results_is_named(
    config, tmp_path, name, make, message
):
    (tmp_path / "out").mkdir()
    getattr(tmp_path / "out" / name, make)()
    with pytest.raises(UserError, match=message):
        finetune.check_results(config(), ["result.txt"])


def test_an_input_that_a_link_makes_a_result_is_refused(config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "mine.txt").touch()
    (tmp_path / "out/result.txt").symlink_to(tmp_path / "mine.txt")
    mine = str(tmp_path / "mine.txt")
    with pytest.raises(UserError, match=r"mine\.txt would be replaced"):
        finetune.check_results(config(), ["result.txt"], None, mine)
    finetune.check_results(config(), ["result.txt"], None)


def test_another_models_files_are_refused_before_it_writes(config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/vocab.txt").write_text("other")
    chosen = config()
    with pytest.raises(UserError, match=r"out/vocab\.txt differs from"):
        check(chosen, finetune.prepare(chosen))
    predicts = config("--nodo_train", "--do_export", "--init_checkpoint=x")
    assert predicts.export_folder == str(tmp_path / "out/export")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("out/export/mine.txt", r"a folder with mine\.txt"),
        ("out/export", "Received: a file"),
    ],
)
def test_what_is_in_the_way_of_an_export_is_named(
    config, tmp_path, path, message
):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    with pytest.raises(UserError, match=message):
        finetune.check_results(config("--do_export"), [])
    finetune.check_results(config(), [])


@pytest.mark.parametrize("folder", ["out", "."])
def test_an_export_does_not_take_the_place_of_output_dir(
    config, tmp_path, folder
):
    chosen = config("--do_export", f"--export_dir={tmp_path / folder}")
    with pytest.raises(UserError, match="must be a folder of its own"):
        finetune.check_results(chosen, [])


def write_records(folder, made_from, num_logged=0):
    """Writes three records, and returns the path and how many were made."""
    made = []

    def features():
        for number in range(3):
            made.append(number)
            ids = packing.Packed([number], 1)
            label = {"label_ids": [0], "is_real_example": [1]}
            yield {**packing.pad(ids, 16), **label}

    file = finetune.write_records(
        str(folder), "x.tf_record", FIELDS, features(), made_from, num_logged
    )
    assert file.lengths == [1, 1, 1]
    return file.path, len(made)


def test_records_are_made_again_only_where_they_would_differ(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    path, num_made = write_records(tmp_path, "a")
    assert num_made == 3
    assert f"Wrote records to {path}" in caplog.text
    written = (tmp_path / "x.tf_record").stat().st_mtime_ns
    assert write_records(tmp_path, "a", num_logged=2) == (path, 2)
    assert (tmp_path / "x.tf_record").stat().st_mtime_ns == written
    assert f"The records in {path} are used again" in caplog.text
    assert write_records(tmp_path, "b") == (path, 3)
    assert write_records(tmp_path, "b") == (path, 0)
    (tmp_path / "x.tf_record").write_bytes(b"damaged")
    assert write_records(tmp_path, "b") == (path, 3)


def test_a_worker_writes_nothing_to_output_dir(tmp_path, monkeypatch):
    from bert.training import strategy

    monkeypatch.setattr(strategy, "is_chief", lambda: False)
    own, num_made = write_records(tmp_path, "a")
    assert num_made == 3
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    path, _ = write_records(tmp_path, "a")
    with open(own, "rb") as mine, open(path, "rb") as chiefs:
        assert mine.read() == chiefs.read()
    monkeypatch.setattr(strategy, "is_chief", lambda: False)
    assert write_records(tmp_path, "a") == (path, 0)

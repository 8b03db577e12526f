import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert.data.records import packing
from bert.errors import UserError
from bert.files import json_log
from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.tasks import finetune, spec, task_run
from bert.tasks.classification import kinds
from bert.tasks.record_sets import RecordSet
from bert.tasks.reports import Report
from bert.tasks.task import FineTuningTask, Outcome, Walk
from bert.training import checkpointing, diary
from tests.modeling import checkpoints

FIELDS = kinds.find("classification").fields(16, 2)
NUM_EXAMPLES = 10


class Toy(FineTuningTask):
    """Two labels; the figures are those of the rows that it trains on.

    Attributes:
        seen: the losses of all evaluations.
    """

    results = ()
    spec = spec.find("classification", "classification")
    input_files = ()

    def __init__(self, config):
        super().__init__(config)
        self.seen = []

    num_examples = NUM_EXAMPLES

    def read(self, start):
        self.labels = ["a", "b"]

    def data_files(self):
        return [("train", __file__, NUM_EXAMPLES)]

    def metric_names(self):
        return ["eval_loss", "made_up"]

    def make_model(self, seed=None):
        return ClassifierModel(self.prepared.bert_config, 2, init_seed=seed)

    def training_set(self):
        special = packing.SpecialIds.from_vocab(self.prepared.tokenizer.vocab)
        return RecordSet(
            file="train.tf_record",
            fields=FIELDS,
            features=lambda: (
                {
                    **packing.pad(
                        packing.pack_single([20 + i] * i, special), 16
                    ),
                    "label_ids": [i % 2],
                    "is_real_example": [1],
                }
                for i in range(1, NUM_EXAMPLES + 1)
            ),
            inputs=lambda: ["the same"],
            limits={"label_ids": 2},
        )

    def evaluation(self):
        return Walk(
            {"": self.training_set()},
            3,
            lambda model, outputs, batch: {
                "loss": model.losses(outputs, batch)["classification"],
                "label": batch["label_ids"],
            },
            self.figures,
        )

    def figures(self, answers):
        found = list(answers[""])
        labels = [int(row["label"][0]) for row in found]
        assert labels == [i % 2 for i in range(1, NUM_EXAMPLES + 1)]
        self.seen.append(float(np.mean([row["loss"] for row in found])))
        # The second evaluation is the best by this measure.
        made_up = -abs(len(self.seen) - 2.0)
        return Outcome(
            {"eval_loss": self.seen[-1], "made_up": made_up},
            {"": lambda: Report({}, [], lambda document: [])},
        )

    def walks(self):
        yield self.evaluation()


def check(config, prepared=None):
    """Does all checks, which end in a folder for the results."""
    toy = Toy(config)
    start = finetune.start_checkpoint(config, toy.spec)
    toy.prepare(prepared or finetune.prepare(config))
    with toy.prepared.strategy().scope():
        finetune.check_model(toy, start)


def train(config):
    """Trains on NUM_EXAMPLES rows; returns the losses seen in between."""
    toy = Toy(config)
    finetune.run(toy)
    return toy.seen


def test_evaluates_while_training_and_uses_the_best_weights(config, tmp_path):
    monitored = config("--eval_steps=4", "--save_best=made_up")
    assert len(train(monitored)) == 4  # steps 4, 8, 12 and 15, the last
    assert not [*(tmp_path / "out").glob("*report*")]  # only of --do_eval
    best = tmp_path / "out/best"
    assert checkpointing.newest(str(best)).endswith("model.ckpt-8")
    (line,) = json_log.read(str(tmp_path / "out/runs.jsonl")).entries
    assert line["status"] == "finished"
    assert line["checkpoint"] == "model.ckpt-15"
    model = ClassifierModel(finetune.prepare(monitored).bert_config, 2)
    assert task_run.load(monitored, model) == 8
    uses = ["--nodo_train", "--do_eval"]
    assert task_run.load(config(*uses), model) == 8
    for wanted, step in (("newest", 15), ("0", 0), ("best", 8)):
        chosen = config(*uses, f"--checkpoint={wanted}")
        assert task_run.load(chosen, model) == step
        check(chosen)
    other = config(*uses, "--save_best=f1")
    for refused in (
        lambda: task_run.load(other, model),
        lambda: check(other),
    ):
        with pytest.raises(UserError, match="those by made_up; leave"):
            refused()


def test_a_run_that_stopped_early_stays_stopped(config, tmp_path, caplog):
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
    with caplog.at_level("INFO"):
        assert len(train(config(*args, "--do_eval"))) == 1  # not in training
    # It is said where training would begin, and is the last line.
    last = "the run stopped early at step 4; to go on, raise --early_stopping_"
    assert last in caplog.messages[-1]
    assert caplog.messages.count(caplog.messages[-1]) == 2
    after = sorted(path.name for path in (tmp_path / "out").glob("model*"))
    assert after == before


def test_evaluation_does_not_change_the_training(config, tmp_path):
    train(config(f"--output_dir={tmp_path / 'plain'}"))
    train(config("--eval_steps=3", "--save_best=eval_loss"))
    plain, monitored = map(
        checkpoints.tensors, (tmp_path / "plain", tmp_path / "out")
    )
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
        check(chosen)
    assert not (tmp_path / "out").exists()


def test_a_batch_that_devices_cannot_share_is_refused_before_it_writes(
    config, tmp_path, monkeypatch
):
    class Strategy:
        num_replicas_in_sync = 4

    chosen = config()
    prepared = finetune.prepare(chosen)
    prepared.strategy()
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
        check(chosen)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"best"}


def test_a_vocabulary_larger_than_the_models_is_refused(config, tmp_path):
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("[UNK]\n[CLS]\n[SEP]\n" + "a\n" * 1000)
    with pytest.raises(UserError, match=r"vocab\.txt has 1003 tokens"):
        finetune.prepare(config(f"--vocab_file={vocab}"))


def test_what_is_in_the_way_of_a_report_is_named(config, tmp_path):
    (tmp_path / "out/eval_report.html").mkdir(parents=True)
    with pytest.raises(UserError, match=r"eval_report\.html\. Received: a fol"):
        finetune.run(Toy(config("--do_eval")))
    # Not where there will be none; this one fails for another reason.
    for flags in ([], ["--do_eval", "--noeval_report"]):
        with pytest.raises(UserError, match="missing"):
            finetune.run(Toy(config(*flags, "--init_checkpoint=missing")))


def test_a_folder_of_records_that_is_a_file_is_refused(config, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.touch()
    with pytest.raises(UserError, match=f"--records_dir={mine}, which is a f"):
        finetune.check_outputs(Toy(config(f"--records_dir={mine}")), [])


def test_another_models_files_are_refused_before_it_writes(config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/vocab.txt").write_text("other")
    chosen = config()
    with pytest.raises(UserError, match=r"out/vocab\.txt differs from"):
        check(chosen)
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
        finetune.check_outputs(Toy(config("--do_export")), [])
    finetune.check_outputs(Toy(config()), [])


@pytest.mark.parametrize("folder", ["out", "."])
def test_an_export_does_not_take_the_place_of_output_dir(
    config, tmp_path, folder
):
    chosen = config("--do_export", f"--export_dir={tmp_path / folder}")
    with pytest.raises(UserError, match="must be a folder of its own"):
        finetune.check_outputs(Toy(chosen), [])


@pytest.mark.slow
def test_a_run_leaves_a_line_in_its_diary(config, tmp_path):
    finetune.run(Toy(config("--do_eval", "--num_train_epochs=1")))
    with pytest.raises(UserError, match="no metrics"):
        finetune.run(Unlucky(config("--nodo_train", "--do_eval")))
    entries, broken = json_log.read(str(tmp_path / "out/runs.jsonl"))
    assert not broken
    trained, failed = entries
    assert trained["status"] == "finished"
    assert trained["checkpoint"] == "model.ckpt-5"
    assert trained["seed"] == trained["flags"]["random_seed"] == 1
    results = (tmp_path / "out/eval_results.txt").read_text()
    assert f"made_up = {trained['figures']['made_up']}" in results
    known = diary.described(__file__)
    assert trained["data"] == [
        {"set": "train", "file": __file__, "rows": 10, **known}
    ]
    assert (failed["status"], failed["error"]) == ("failed", "no metrics")


class Unlucky(Toy):
    def figures(self, answers):
        raise UserError("no metrics")

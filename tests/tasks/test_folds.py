import dataclasses
import json

import pytest

from bert import run_classifier
from bert.errors import UserError
from bert.tasks import folds
from bert.tasks.classification.finetuning import Classification
from tests.conversion import gpt_folder
from tests.scripts.runner import config_of


@pytest.fixture
def make(tmp_path):
    """Returns a function: flags to the task of three folds in tmp_path/out."""
    (tmp_path / "a.csv").write_text("text,label\na,x\nb,x\nc,y\nd,y\n")

    def make(*args):
        return Classification(
            config_of(
                run_classifier,
                f"--train_file={tmp_path / 'a.csv'}",
                "--bert_config_file=x",
                "--vocab_file=x",
                f"--output_dir={tmp_path / 'out'}",
                *("--folds=3", "--do_train", "--do_eval"),
                *args,
            )
        )

    return make


@pytest.fixture
def run(tmp_path):
    """Returns a function that runs folds without training; lists what it did.

    `fails` is the fold that is killed.
    """

    def run(task, fails=None):
        done = []

        def run_fold(own):
            done.append(own.config.fold)
            folder = tmp_path / "out" / f"fold_{own.config.fold}"
            assert own.config.output_dir == str(folder)
            if own.config.fold == fails:
                raise KeyboardInterrupt
            folder.mkdir(parents=True)
            (folder / "eval_results.txt").write_text(
                f"eval_accuracy = 0.{own.config.fold}\nglobal_step = 7\n"
            )

        folds.run(task, run_fold, lambda own: done.append("read"))
        return done

    return run


def test_each_fold_is_run_and_their_mean_kept(make, run, tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    assert run(make()) == [1, 2, 3]
    found = json.loads((tmp_path / "out/folds.json").read_text())
    assert found["figures"]["fold_2"] == {
        "eval_accuracy": 0.2,
        "global_step": 7.0,
    }
    assert found["mean"] == {"eval_accuracy": pytest.approx(0.2)}
    # Of a sample: the squares are divided by n - 1.
    deviation = found["standard_deviation"]
    assert deviation == {"eval_accuracy": pytest.approx(0.1)}
    assert "***** Results of 3 folds *****" in caplog.messages
    (row,) = [m for m in caplog.messages if "eval_accuracy" in m]
    assert row.split() == ["eval_accuracy", "0.2", "0.1", "0.1", "0.2", "0.3"]


def test_finished_folds_are_not_run_again(make, run, caplog):
    caplog.set_level("INFO", logger="absl")
    with pytest.raises(KeyboardInterrupt):
        run(make(), fails=2)
    assert run(make()) == [2, 3]
    assert any("1 of 3 folds are finished" in m for m in caplog.messages)
    # Nothing is left but to see that the file is still the same.
    assert run(make()) == ["read"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--folds=2"], r"another --folds \(3 then, 2 now\)"),
        (["--split_seed=1"], r"another --split_seed \(12345 then, 1 now\)"),
        (["--learning_rate=1"], r"another --learning_rate \(5e-05 then, 1\.0"),
        (["--init_checkpoint=y"], r"another --init_checkpoint \(None then, y"),
        (["--lm_loss_weight=1"], r"another --lm_loss_weight \(None then, 1"),
    ],
)
def test_a_mean_is_of_folds_with_the_same_flags(make, run, args, message):
    with pytest.raises(KeyboardInterrupt):
        run(make(), fails=2)
    with pytest.raises(UserError, match=f"{message}.*; give that again, or"):
        run(make(*args))


def test_a_flag_that_is_left_out_is_another_one(make, run):
    with pytest.raises(KeyboardInterrupt):
        run(make("--lm_loss_weight=0.5"), fails=2)
    with pytest.raises(UserError, match=r"_weight \(0\.5 then, None now\)"):
        run(make())


def test_folds_go_on_with_another_attention_mask(make, run, golden, tmp_path):
    model = gpt_folder.write(golden, tmp_path / "gpt")
    flag = f"--bert_config_file={model / 'bert_config.json'}"
    both = [flag, "--attention_mask=bidirectional"]
    with pytest.raises(KeyboardInterrupt):
        run(make(*both), fails=2)
    with pytest.raises(UserError, match="another --bert_config_file"):
        run(make(flag))
    assert run(make(*both)) == [2, 3]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"made_with": {}, "figures": {"fold_1": 1}}']
)
def test_broken_figures_are_refused(make, run, tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/folds.json").write_text(text)
    with pytest.raises(UserError, match=r"folds\.json: expected the figures"):
        run(make())


def test_several_machines_are_refused(make, run, monkeypatch):
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    task = {"type": "worker", "index": 0}
    text = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="--folds is for one machine"):
        run(make())
    assert run(make("--distribution_strategy=mirrored")) == [1, 2, 3]


def test_only_what_has_no_fold_yet_has_folds(make, config):
    task = make()
    assert folds.has_folds(task.config)
    assert not folds.has_folds(dataclasses.replace(task.config, fold=1))
    assert not folds.has_folds(config())  # of a script without the flag

"""C13: a run does not go on as something else without a word."""

import json
import logging

import pytest

from bert import run_pretraining
from bert.errors import UserError
from bert.training import run
from tests.modeling import checkpoints
from tests.scripts.conftest import command as command
from tests.scripts.conftest import record_file as record_file
from tests.scripts.runner import config_of


def test_another_casing_is_refused_unless_one_insists(
    tag, tmp_path, contents, caplog
):
    tag()
    before = contents()
    with pytest.raises(UserError) as raised:
        tag("--nodo_lower_case", "--num_train_epochs=2")
    assert "another do_lower_case (true before, false now)" in str(raised.value)
    assert "--force_resume" in str(raised.value)
    assert contents() == before
    tag("--nodo_lower_case", "--num_train_epochs=2", "--force_resume")
    assert "goes on with another do_lower_case" in caplog.text
    kept = json.loads((tmp_path / "out/resume.json").read_text())
    assert kept["do_lower_case"] is False


def test_other_labels_are_refused_unless_one_insists(tag, tmp_path, contents):
    tag()
    labels = (tmp_path / "out/labels.txt").read_text().split()
    other = ",".join([*labels[1:], labels[0]])
    (tmp_path / "out/labels.txt").unlink()  # which told it before
    before = contents()
    with pytest.raises(UserError, match=r"another labels \(.* before, .* now"):
        tag(f"--labels={other}", "--num_train_epochs=2")
    assert contents() == before
    (tmp_path / "out/labels.txt").write_text("\n".join(labels))
    with pytest.raises(UserError, match="was trained with the 3 labels"):
        tag(f"--labels={other}", "--num_train_epochs=2")
    tag(f"--labels={other}", "--num_train_epochs=2", "--force_resume")
    assert (tmp_path / "out/labels.txt").read_text().split() == other.split(",")


def test_another_vocabulary_is_refused_unless_one_insists(
    golden, tag, tmp_path, contents
):
    tag()
    tokens = (golden / "inputs/vocab.txt").read_text().splitlines()
    other = tmp_path / "other_vocab.txt"
    other.write_text("\n".join([*tokens[:-2], tokens[-1], tokens[-2]]))
    before = contents()
    with pytest.raises(UserError, match="differs from this run's"):
        tag(f"--vocab_file={other}", "--num_train_epochs=2")
    assert contents() == before
    tag(f"--vocab_file={other}", "--num_train_epochs=2", "--force_resume")
    copy = (tmp_path / "out/vocab.txt").read_text()
    assert copy == other.read_text()


def test_another_course_is_one_line(tag, tmp_path, caplog):
    tag()
    caplog.clear()
    tag(
        f"--train_file={tmp_path / 'other.txt'}",
        "--train_batch_size=2",
        "--learning_rate=1e-4",
        "--max_seq_length=12",
        "--num_train_epochs=2",
    )
    told = [line for line in caplog.messages if "goes on with another" in line]
    assert told == [
        f"The run in {tmp_path / 'out'} goes on with another data, "
        "train_batch_size (4 before, 2 now), learning_rate (5e-05 before, "
        "0.0001 now), max_seq_length (16 before, 12 now), num_train_epochs "
        "(1.0 before, 2.0 now)."
    ]
    caplog.clear()
    tag(
        f"--train_file={tmp_path / 'other.txt'}",
        "--train_batch_size=2",
        "--learning_rate=1e-4",
        "--num_train_epochs=3",
    )
    told = [line for line in caplog.messages if "goes on with another" in line]
    assert told[0].endswith(
        "another max_seq_length (12 before, 16 now), num_train_epochs (2.0 "
        "before, 3.0 now)."
    )


def test_the_same_command_says_nothing(tag, tmp_path, caplog):
    """Nor where the data have another name, or nobody knows of before."""
    with caplog.at_level(logging.INFO):
        tag("--num_train_epochs=2", "--save_checkpoints_steps=1")
        out, data = tmp_path / "out", tmp_path / "train.txt"
        for number in (2, 3, 4):
            for path in out.glob(f"model.ckpt-{number}.*"):
                path.unlink()
        (out / "checkpoint").unlink()
        data.rename(tmp_path / "moved.txt")
        again = (
            f"--train_file={tmp_path / 'moved.txt'}",
            "--num_train_epochs=2",
        )
        tag(*again)
        (out / "resume.json").unlink()
        tag("--num_train_epochs=3", "--train_batch_size=2", *again[:1])
    assert "another" not in caplog.text
    assert (out / "resume.json").exists()


def test_pretraining_keeps_it_too(
    golden, command, tmp_path, monkeypatch, caplog
):
    def train(*_, on_loaded, make_objective):
        on_loaded()
        checkpoints.copy(
            golden / "train_pretraining/model.ckpt-6", tmp_path / "out"
        )

    monkeypatch.setattr(run, "train", train)
    run_pretraining.pretrain(config_of(run_pretraining, *command, "--do_train"))
    kept = json.loads((tmp_path / "out/resume.json").read_text())
    assert (kept["task"], kept["max_seq_length"]) == ("pretraining", 24)
    again = [*command, "--do_train", "--num_train_steps=99"]
    run_pretraining.pretrain(config_of(run_pretraining, *again))
    assert "goes on with another num_train_steps (12 before, 99 now)" in (
        caplog.text
    )
    (tmp_path / "out/bert_config.json").unlink()
    config = tmp_path / "config.json"
    values = json.loads((golden / "model_base/bert_config.json").read_text())
    config.write_text(json.dumps({**values, "hidden_dropout_prob": 0.5}))
    with pytest.raises(UserError, match="made with another bert_config, so"):
        run_pretraining.pretrain(
            config_of(run_pretraining, *again, f"--bert_config_file={config}")
        )

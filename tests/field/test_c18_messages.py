"""Point 18: what is wrong in one line, however odd the input is."""

import re

import pytest
import tensorflow as tf
from absl import flags

from bert.cli import error_guard, parser
from bert.errors import MOST_CHARS, UserError
from bert.modeling import BertConfig, BertModel, checkpoint
from bert.modeling.backbones import backbone
from bert.training import checkpointing, failures
from bert.training.checkpointing import RunState

ODD = "\x1b[2J\a" + "x" * 5000 + "\u202e\ny"


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    "error",
    [
        UserError(f"Received: {ODD}"),
        OSError(2, "No such file", f"/tmp/{ODD}"),
        OSError(2, "No such file", b"/tmp/\xff\x1b"),
        OSError(ODD),
        tf.errors.NotFoundError(None, None, f"/tmp/{ODD}"),
        UnicodeEncodeError("utf-8", "\udcff" * 999, 0, 1, "surrogates"),
    ],
)
def test_every_command_ends_in_a_line_that_can_be_shown(error, capsys):
    assert error_guard.exit_code(raising(error)) == 1
    assert_can_be_shown(capsys.readouterr().err)


@pytest.mark.parametrize(
    "args", [[f"--size={ODD}"], [ODD], [f"--size=1{ODD}", f"--{ODD}=1"]]
)
def test_so_does_a_bad_command_line(args, capsys):
    values = flags.FlagValues()
    flags.DEFINE_integer("size", 1, "A size.", flag_values=values)
    flags.DEFINE_integer("verbosity", 0, "As absl's.", flag_values=values)
    with pytest.raises(SystemExit):
        parser.parse(values, ["script.py", *args])
    assert_can_be_shown(capsys.readouterr().err)


def test_an_unknown_flag_is_warned_of_in_a_line_that_can_be_shown(capsys):
    values = flags.FlagValues()
    flags.DEFINE_integer("verbosity", 0, "As absl's.", flag_values=values)
    parser.parse(values, ["script.py", f"--{ODD}=1"])
    assert_can_be_shown(capsys.readouterr().err, "warning: ")


def assert_can_be_shown(said, start="error: "):
    assert said.startswith(start)
    line = said.removesuffix("\n")
    assert line.isprintable()
    assert len(line) <= MOST_CHARS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vocab_size", 2**31),
        ("vocab_size", 10**400),
        ("hidden_size", 768_000),
        ("num_hidden_layers", 1001),
        ("num_hidden_layers", 10**12),
        ("intermediate_size", 2**40),
        ("max_position_embeddings", 10**9),
        ("type_vocab_size", 2**31),
    ],
)
def test_a_huge_size_of_a_configuration_is_named_as_such(key, value):
    with pytest.raises(UserError, match=f"^{key} is too large: ") as error:
        BertConfig(**{"vocab_size": 30522, key: value}).validate()
    start = str(value)[:20]
    assert f"Received: {start}" in str(error.value)


def test_a_model_that_the_machine_cannot_hold_is_not_made(monkeypatch):
    """Else Linux would end the process while its weights are drawn."""
    config = BertConfig(vocab_size=9, hidden_size=2400)
    monkeypatch.setattr(backbone, "_memory_bytes", lambda: 2**30)
    with pytest.raises(UserError, match="hidden_size is too large"):
        BertModel(config)


def test_sizes_that_exist_are_not_huge():
    BertConfig(
        vocab_size=250_000,
        hidden_size=4096,
        num_hidden_layers=100,
        num_attention_heads=64,
        intermediate_size=16384,
        max_position_embeddings=131_072,
    ).validate()


@pytest.fixture
def run(tmp_path):
    """An output_dir with the checkpoints of steps 8, 9 and 10."""
    for step in (8, 9, 10):
        tensors = {
            "bert/w": tf.Variable(tf.ones([100]) * step),
            "global_step": tf.Variable(step, dtype=tf.int64),
        }
        checkpointing.save(str(tmp_path), step, tensors, RunState(1, step))
    return tmp_path


def read_newest(folder):
    reader = checkpoint.Reader(checkpointing.newest(str(folder)))
    return checkpointing.step_of(reader), reader.read("bert/w")


def cut(path):
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize("damage", [cut, lambda path: path.unlink()])
@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_a_damaged_newest_checkpoint_names_the_whole_ones(run, damage, part):
    damage(run / f"model.ckpt-10.{part}")
    with pytest.raises(UserError, match="Whole beside it: ") as error:
        read_newest(run)
    assert "model.ckpt-9, model.ckpt-8; to go on" in str(error.value)
    # What it says to do helps.
    line = re.search('model_checkpoint_path: "[^"]+"', str(error.value))[0]
    (run / "checkpoint").write_text(line)
    step, values = read_newest(run)
    assert (step, values[0]) == (9, 9)


def test_older_ones_that_are_damaged_too_are_not_named(run):
    for name in ("10.index", "9.data-00000-of-00001"):
        cut(run / f"model.ckpt-{name}")
    with pytest.raises(UserError, match=r"it: model\.ckpt-8; to") as error:
        read_newest(run)
    assert "model.ckpt-9" not in str(error.value)
    cut(run / "model.ckpt-8.index")
    with pytest.raises(UserError) as error:
        read_newest(run)
    assert "Whole" not in str(error.value)


def test_all_advice_on_memory_is_logged_and_the_first_of_it_is_said(caplog):
    error = tf.errors.ResourceExhaustedError(
        None, None, "OOM when allocating tensor with shape[1,2]" + " x" * 500
    )
    advice = ["Less: --recompute_activations.", "Tried: 32 rows."]
    with (
        pytest.raises(UserError, match=r"\(OOM when .*\)\. Less: --recomp"),
        failures.explained(lambda: advice),
    ):
        raise error
    assert "Tried: 32 rows." in caplog.text

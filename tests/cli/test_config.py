"""Flags → configurations."""

import dataclasses

import pytest
from absl import flags

from bert.cli import config, shared_flags
from bert.errors import UserError
from tests.training.configs import training_config


@dataclasses.dataclass(frozen=True)
class Limits:
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Config(config.FlagConfig):
    name: str
    limits: Limits
    other: str = "no flag"


@pytest.fixture
def values():
    found = flags.FlagValues()
    flags.DEFINE_string("name", "a", "", flag_values=found)
    flags.DEFINE_integer("first", 1, "", flag_values=found)
    flags.DEFINE_integer("last", None, "", flag_values=found)
    flags.DEFINE_string("unused", "x", "", flag_values=found)
    return found


def test_fields_are_read_from_the_flags_of_their_names(values):
    values(["script.py", "--name=b", "--last=5"])
    assert Config.from_flags(values) == Config("b", Limits(1, 5))


def test_field_without_flag_and_default_is_an_error(values):
    @dataclasses.dataclass(frozen=True)
    class Wrong(Config):
        missing: int = dataclasses.field(kw_only=True)

    values(["script.py"])
    with pytest.raises(TypeError, match="missing"):
        Wrong.from_flags(values)


@pytest.mark.parametrize("flag", ["output_dir", "export_dir", "records_dir"])
def test_a_task_of_a_model_is_no_folder_to_write_to(values, tmp_path, flag):
    made = dataclasses.make_dataclass("Made", [(flag, str)])
    flags.DEFINE_string(flag, f"{tmp_path}#rte", "", flag_values=values)
    values(["script.py"])
    config.read_fields(made, values)
    (tmp_path / "tasks/rte").mkdir(parents=True)
    with pytest.raises(UserError, match=f"--{flag}=.* is a task of the model"):
        config.read_fields(made, values)


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["--master=grpc://a"], "grpc://a"),
        (["--master=grpc://a", "--tpu_name=b"], "b"),
        ([], None),
    ],
)
def test_master_stands_in_for_the_tpus_name(args, name):
    found = flags.FlagValues()
    shared_flags.define_device_flags(found)
    found(["script.py", *args])
    assert config.DeviceConfig.from_flags(found).tpu_name == name


@pytest.mark.parametrize(
    ("precision", "dtype"), [("tf32", "float32"), ("float16", "float16")]
)
def test_tf32_computes_in_float32(precision, dtype):
    assert training_config(precision=precision).compute_dtype == dtype


def test_export_goes_to_the_output_folder_unless_named():
    assert training_config().export_folder == "out/export"
    assert training_config(export_dir="x").export_folder == "x"

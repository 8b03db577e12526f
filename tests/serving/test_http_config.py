"""serve.py's flags, checked before TensorFlow starts."""

import importlib.util

import pytest

from bert import serve as script
from bert.errors import UserError
from tests.scripts.runner import config_of

PACKAGES = ("starlette", "uvicorn")
find_spec = importlib.util.find_spec


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    """As if the packages were there."""
    with_packages(monkeypatch, PACKAGES)


def with_packages(monkeypatch, names):
    """As if of the packages only these were there."""

    def find(name):
        if name in PACKAGES:
            return name in names or None
        return find_spec(name)

    monkeypatch.setattr(importlib.util, "find_spec", find)


def config_with(*args):
    return config_of(script, *args)


def test_a_single_folder_is_called_model(tmp_path):
    config = config_with(f"--model_dir={tmp_path}")
    assert config.models == {"model": str(tmp_path)}
    assert config.host == "127.0.0.1"
    assert config.api_keys == ()
    assert config.max_body_bytes == 16 * 2**20


def test_several_models_have_names(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    config = config_with(f"--model_dir=x={tmp_path}/a,y-1.b={tmp_path}/b")
    assert config.models == {
        "x": f"{tmp_path}/a",
        "y-1.b": f"{tmp_path}/b",
    }
    assert config_with("--model_dir=x=gs://a/b").models == {"x": "gs://a/b"}


def test_a_path_may_have_signs_in_it(tmp_path):
    for name in ("a=b", "a,b"):
        (tmp_path / name).mkdir()
        config = config_with(f"--model_dir={tmp_path}/{name}")
        assert config.models == {"model": f"{tmp_path}/{name}"}


def test_a_task_of_several_is_named(tmp_path):
    for task in ("mrpc", "rte"):
        (tmp_path / "tasks" / task).mkdir(parents=True)
    config = config_with(f"--model_dir=x={tmp_path}#mrpc,y={tmp_path}#rte")
    assert config.models == {"x": f"{tmp_path}#mrpc", "y": f"{tmp_path}#rte"}
    for args in (
        [f"--model_dir={tmp_path}#mrpc"],
        [f"--model_dir={tmp_path}", "--task_name=mrpc"],
    ):
        assert config_with(*args).models == {"model": f"{tmp_path}#mrpc"}
    remote = config_with("--model_dir=x=gs://a/b#rte")
    assert remote.models == {"x": "gs://a/b#rte"}


def test_keys_are_read(tmp_path):
    (tmp_path / "keys").write_bytes(b"one\r\n\n two-2 \n")
    config = config_with(
        f"--model_dir={tmp_path}", f"--api_key_file={tmp_path}/keys"
    )
    assert config.api_keys == (b"one", b"two-2")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--model_dir={0}/no"], "no, which is not there."),
        (["--model_dir={0}#mrpc"], "#mrpc, which is not there."),
        (["--model_dir={0}/file"], "file, a file."),
        (["--model_dir=a={0},a={0}"], "a twice"),
        (["--model_dir=a={0},b=s9://x"], "Received: s9://x"),
        (["--model_dir=a={0},b=/no"], "/no, which is not there."),
        (["--model_dir=a={0},{0}"], "NAME=FOLDER"),
        (["--model_dir=a={0},"], "NAME=FOLDER"),
        (["--model_dir=a="], "NAME=FOLDER"),
        (["--model_dir=={0}"], "NAME=FOLDER"),
        (["--model_dir=a={0}/no#mrpc"], "no#mrpc, which is not there."),
        (["--model_dir=a={0}", "--task_name=b"], "write NAME=FOLDER#b"),
        (["--model_dir={0}", "--task_name=b/c"], "--task_name must be one of"),
        (["--model_dir={0}#a", "--task_name=b"], "--task_name must be one of"),
        (["--model_dir=a b={0}"], "NAME=FOLDER"),
        (["--model_dir=-a={0}"], "NAME=FOLDER"),
        (
            ["--model_dir=a={0},b={0}", "--do_lower_case"],
            "--do_lower_case=True and 2 models",
        ),
        (["--model_dir={0}", "--api_key_file={0}/no"], "Cannot read --api_key"),
        (["--model_dir={0}", "--api_key_file={0}"], "Cannot read --api_key"),
        (["--model_dir={0}", "--api_key_file={0}/empty"], "none; write one"),
        (
            ["--model_dir={0}", "--api_key_file={0}/file"],
            "line 2: expected a k",
        ),
        (["--model_dir={0}", "--batch_timeout_ms=nan"], "must be a number"),
        (["--model_dir={0}", "--reload_seconds=inf"], "must be a number"),
    ],
)
def test_a_bad_flag_is_one_line(tmp_path, args, expected):
    (tmp_path / "file").write_text("key\nmy secret\n")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UserError) as raised:
        config_with(*(arg.format(tmp_path) for arg in args))
    message = str(raised.value)
    assert expected in message
    assert "\n" not in message
    assert "secret" not in message


@pytest.mark.parametrize("missing", PACKAGES)
def test_a_missing_package_is_named(monkeypatch, tmp_path, missing):
    with_packages(monkeypatch, set(PACKAGES) - {missing})
    with pytest.raises(UserError, match=f"needs {missing}, .*requirements-s"):
        config_with(f"--model_dir={tmp_path}")

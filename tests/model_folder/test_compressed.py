import pytest

from bert.errors import UserError
from bert.model_folder import compressed, formats, model_files, task_files
from bert.model_folder.given import Given
from bert.model_folder.task_files import Task
from bert.tasks import spec
from tests.conversion import run_folder


@pytest.fixture
def make(tmp_path, golden):
    """Makes a folder as compress_model.py does; its files are empty."""

    def made(*names, task="classification", kind="classification"):
        folder = tmp_path / "small"
        (folder / "assets").mkdir(parents=True)
        config = tmp_path / "config.json"
        config.write_text(run_folder.tiny_config().to_json_string())
        task_files.write(
            str(folder / "assets"),
            Task(
                task=task,
                kind=kind,
                do_lower_case=True,
                max_seq_length=32,
                options=spec.find(task, kind).options,
            ),
            str(config),
            str(golden / "inputs/vocab.txt"),
        )
        (folder / "assets/labels.txt").write_text("no\nyes\n")
        for name in names:
            (folder / formats.FORMATS[name].file).touch()
        return str(folder)

    return made


def find(folder, runtime=None, **given):
    return compressed.find(folder, Given(runtime=runtime, **given))


@pytest.mark.parametrize("runtime", [None, "onnx"])
def test_a_folder_says_all_of_its_model(make, runtime):
    folder = make("onnx")
    found = find(folder, runtime)
    assert found.format == "onnx"
    assert found.checkpoint == f"{folder}/model.onnx"
    assert found.bert_config_file == f"{folder}/assets/bert_config.json"
    assert found.vocab_file == f"{folder}/assets/vocab.txt"
    assert (found.task.task, found.labels) == ("classification", ("no", "yes"))


@pytest.mark.parametrize(
    ("names", "runtime", "expected"),
    [
        (["litert_int8"], None, "litert_int8"),
        (["litert_int8"], "litert", "litert_int8"),
        (["litert_int8", "onnx"], "onnx", "onnx"),
        (["litert_int8", "onnx"], "litert", "litert_int8"),
        (["litert_float16", "litert_int8"], "litert_int8", "litert_int8"),
    ],
)
def test_the_only_format_of_a_runtime_need_not_be_named(
    make, names, runtime, expected
):
    assert find(make(*names), runtime).format == expected


@pytest.mark.parametrize(
    ("names", "runtime", "received"),
    [
        (["litert_int8", "onnx"], None, "no --runtime"),
        (["litert_float16", "litert_int8"], "litert", "--runtime=litert"),
        (["litert_int8"], "onnx", "--runtime=onnx"),
        (["litert_int8"], "litert_float16", "--runtime=litert_float16"),
        (["onnx"], "tensorflow", "--runtime=tensorflow"),
    ],
)
def test_what_is_not_clear_is_refused(make, names, runtime, received):
    folder = make(*names)
    with pytest.raises(UserError) as caught:
        find(folder, runtime)
    assert str(caught.value) == (
        f"Expected --runtime to name one of the formats of {folder} "
        f"({', '.join(names)}). Received: {received}."
    )


def test_other_folders_are_of_tensorflow(make, tmp_path):
    assert find(str(tmp_path)) is None
    assert find(str(tmp_path), "tensorflow") is None
    assert find(str(tmp_path / "none")) is None
    assert find(make()) is None  # assets, and no model
    # The folder of a checkpoint may have an export of somebody else.
    (tmp_path / "model.onnx").touch()
    (tmp_path / "task.json").touch()
    assert find(str(tmp_path)) is None


@pytest.mark.parametrize("runtime", [None, "onnx"])
def test_a_compressed_model_has_one_task(make, runtime):
    folder = make("onnx")
    with pytest.raises(UserError, match=r"is a model of one task.* #mrpc, out"):
        find(f"{folder}#mrpc", runtime)


def test_a_runtime_takes_no_task_of_checkpoints(tmp_path):
    with pytest.raises(UserError, match="#mrpc, another one; compress"):
        find(f"{tmp_path}#mrpc", "onnx")


def test_a_runtime_needs_a_folder_for_it(tmp_path):
    with pytest.raises(UserError, match="--runtime=onnx takes a folder"):
        find(str(tmp_path), "onnx")
    with pytest.raises(UserError, match="none, which is not there"):
        find(str(tmp_path / "none"), "onnx")
    with pytest.raises(UserError, match="--runtime must be one of tensorflow"):
        find(str(tmp_path), "onyx")


def test_what_the_folder_knows_is_not_given(make):
    with pytest.raises(UserError, match="--task is for folders of checkpoints"):
        find(make("onnx"), task="ner")


def test_a_pre_trained_model_is_refused(make):
    folder = make("onnx", task="pretraining", kind=None)
    with pytest.raises(UserError, match="which answers no requests; name"):
        find(folder)


def test_a_missing_configuration_is_named(make, tmp_path):
    folder = make("onnx")
    (tmp_path / "small/assets/bert_config.json").unlink()
    with pytest.raises(UserError, match=r"Expected .*/bert_config\.json, w"):
        find(folder)


def test_a_vocabulary_that_is_too_large_is_refused(make, tmp_path):
    folder = make("onnx")
    with open(tmp_path / "small/assets/vocab.txt", "a") as file:
        file.write("more\n" * 2)
    with pytest.raises(UserError, match="vocab"):
        find(folder)


def test_tensorflows_commands_name_what_the_folder_was_made_of(make):
    with pytest.raises(UserError, match=r"which compress_model\.py wrote; "):
        model_files.find(make("onnx"))

import pytest

from bert.conversion import input_folder
from bert.errors import UserError


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    return str(folder)


@pytest.mark.parametrize(
    ("files", "form"),
    [
        (("config.json", "model.safetensors"), "huggingface"),
        (("config.json", "pytorch_model.bin"), "huggingface"),
        (("model.safetensors.index.json",), "huggingface"),
        (("bert_model.ckpt.index", "bert_config.json"), "original"),
        (("model.ckpt-0.index", "model.ckpt-9.index"), "original"),
        (("checkpoint",), "original"),
        (("best/checkpoint",), "original"),
    ],
)
def test_the_format_is_told_by_the_files(tmp_path, files, form):
    folder = touch(tmp_path / "in", *files)
    assert input_folder.find(folder, None) == (folder, form)
    assert input_folder.find(str(tmp_path), None) == (folder, form)


def test_with_both_formats_output_format_decides(tmp_path):
    folder = touch(tmp_path, "model.safetensors", "tf_model.ckpt.index")
    for form in ("huggingface", "original"):
        assert input_folder.find(folder, form) == (folder, form)
    with pytest.raises(UserError, match="in either format; say which is to"):
        input_folder.find(folder, None)


def test_of_several_tasks_one_is_named(tmp_path):
    folder = touch(tmp_path / "run", "checkpoint")
    for name in ("ner", "rte"):
        touch(tmp_path / "run/tasks" / name, "task.json")
    assert input_folder.find(f"{folder}#rte", None) == (
        f"{folder}#rte",
        "original",
    )
    for path in (folder, f"{folder}#qqp"):
        with pytest.raises(UserError, match=rf"\(ner, rte\), as {folder}#ner"):
            input_folder.find(path, None)


def test_of_the_folders_inside_one_must_have_a_model(tmp_path):
    touch(tmp_path / "a", "config.json")
    inside = touch(tmp_path / "b", "config.json", "model.safetensors")
    assert input_folder.find(str(tmp_path), None)[0] == inside
    touch(tmp_path / "c", "bert_model.ckpt.index")
    assert input_folder.find(str(tmp_path), "huggingface")[0] == inside
    with pytest.raises(UserError, match="Received a folder with: a, b, c"):
        input_folder.find(str(tmp_path), None)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (None, "Expected config.json and model.safetensors, or a checkpoint"),
        ("original", r"Expected a checkpoint \(bert_model.ckpt.index, …\)"),
        ("huggingface", "Expected config.json and model.safetensors in --in"),
    ],
)
def test_a_folder_without_a_model_is_refused(tmp_path, wanted, message):
    other = {"original": "model.safetensors", "huggingface": "a.index"}
    folder = touch(tmp_path, other.get(wanted, "notes.txt"))
    with pytest.raises(UserError, match=message):
        input_folder.find(folder, wanted)

"""Damaged SavedModels are refused when they are loaded."""

import dataclasses
import json
import shutil

import pytest

from bert.errors import UserError
from bert.serving import loaded_model
from tests.conversion import exports


@pytest.fixture(scope="module")
def made(golden, tmp_path_factory):
    """Makes an export, once; nobody writes to it."""
    found = {}

    def make(name):
        if name not in found:
            folder = tmp_path_factory.mktemp(name)
            found[name] = exports.write(golden, folder, name)
        return found[name]

    return make


@pytest.fixture
def copy(made, tmp_path):
    """Copies an export."""
    return lambda name: shutil.copytree(made(name), tmp_path / name)


def message_of(folder):
    with pytest.raises(UserError) as caught:
        loaded_model.load(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["classification", "multi_label", "ner"])
@pytest.mark.parametrize("change", ["short", "long", "none"])
def test_labels_must_be_the_heads(copy, name, change):
    folder = copy(name)
    path = folder / "assets/labels.txt"
    labels = path.read_text().splitlines()
    if change == "none":
        path.unlink()
    else:
        given = labels[:1] if change == "short" else [*labels, "more"]
        path.write_text("\n".join(given))
    expected = f"{path}: expected the model's {len(labels)} labels"
    assert message_of(folder).startswith(expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"doc_stride": 0}, "doc_stride 0, where an integer of at least 1"),
        ({"n_best_size": 0}, "n_best_size 0"),
        ({"max_answer_length": "30"}, "max_answer_length '30'"),
        ({"max_query_length": True}, "max_query_length True"),
        ({"max_query_length": 2.5}, "max_query_length 2.5"),
        ({"version_2_with_negative": 1}, "true or false must be"),
        ({"null_score_diff_threshold": float("nan")}, "a number must be"),
        ({"null_score_diff_threshold": None}, "a number must be"),
        ({"answer_offsets": "bytes"}, "where words or characters must be"),
        ({"stride": 3}, "knows no option 'stride'"),
    ],
)
def test_options_must_be_those_of_the_flags(copy, changes, expected):
    path = copy("squad") / "assets/task.json"
    task = json.loads(path.read_text())
    task["options"] = {**task["options"], **changes}
    path.write_text(json.dumps(task))
    message = message_of(path.parent.parent)
    assert message.startswith(f"{path}: expected the JSON object")
    assert expected in message


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (1, "task.json: expected the JSON object"),
        (2, "max_seq_length 2, where an integer of at least 3 must be"),
        (100000, "sequence length 100000"),
    ],
)
def test_the_length_must_be_the_models(copy, length, expected):
    path = copy("features") / "assets/task.json"
    task = json.loads(path.read_text())
    path.write_text(json.dumps({**task, "max_seq_length": length}))
    assert expected in message_of(path.parent.parent)


def test_weights_that_are_cut_off_are_refused(copy):
    folder = copy("features")
    path = folder / "variables/variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-4000])
    assert "it is damaged or incomplete" in message_of(folder)


def test_an_export_without_its_words_is_to_be_made_anew(copy):
    folder = copy("ner")
    (folder / "assets/vocab.txt").unlink()
    assert message_of(folder) == (
        f"Expected vocab.txt in {folder}/assets. Received: none there; export "
        "the model anew."
    )


@pytest.mark.parametrize(
    ("format", "anew"), [("onnx", "compress"), (None, "export")]
)
def test_who_takes_no_flags_is_not_told_to_give_one(copy, format, anew):
    folder = str(copy("ner"))
    source = dataclasses.replace(loaded_model.find(folder), format=format)
    task = dataclasses.replace(source.task, do_lower_case=None)
    for change in ({"vocab_file": None}, {"task": task}):
        changed = dataclasses.replace(source, **change)
        with pytest.raises(UserError, match=f"; {anew} the model anew"):
            loaded_model.tokenizer_of(changed, folder)
        run = dataclasses.replace(changed, format=None, checkpoint="a")
        with pytest.raises(UserError, match=r"--vocab_file|--do_lower_case"):
            loaded_model.tokenizer_of(run, folder)

import os
import types

import pytest
import tensorflow as tf

from bert.model_folder.files import ModelFiles
from bert.model_folder.task_files import Task
from bert.serving import saved_models
from bert.serving.export_place import ASSET_FILES


@pytest.fixture
def source(tmp_path):
    """The files of a model that finds names; none of them is a real one."""
    for name in ("sizes.json", "words.txt"):
        (tmp_path / name).write_text(f"the text of {name}")
    return ModelFiles(
        task=Task(task="ner", do_lower_case=True, max_seq_length=8),
        checkpoint="unused",
        bert_config_file=str(tmp_path / "sizes.json"),
        vocab_file=str(tmp_path / "words.txt"),
        labels=("O", "B-X"),
    )


@pytest.fixture
def graph():
    """What `make_root` takes of a graph."""
    return types.SimpleNamespace(
        weights={"bert/a": tf.Variable([1.0]), "b": tf.Variable([2.0])},
        untrained=[tf.Variable([3.0])],
    )


def test_a_saved_model_has_its_weights_function_and_assets(
    tmp_path, graph, source
):
    root = saved_models.make_root(graph)
    root.serve = tf.function(
        lambda: {"sum": root.weights["bert/a"] + root.untrained[0]},
        input_signature=[],
    )
    folder = tmp_path / "export"

    saved_models.save(
        root, str(folder), {"serving_default": root.serve}, source
    )

    assets = {f"assets/{name}" for name in os.listdir(folder / "assets")}
    assert assets <= ASSET_FILES
    for name, text in (
        ("bert_config.json", "the text of sizes.json"),
        ("vocab.txt", "the text of words.txt"),
        ("task.json", source.task.to_json()),
        ("labels.txt", "O\nB-X\n"),
    ):
        assert (folder / "assets" / name).read_text() == text
    loaded = tf.saved_model.load(str(folder))
    found = loaded.signatures["serving_default"]()
    assert found["sum"].numpy().tolist() == [4]
    assert sorted(loaded.weights) == ["b", "bert/a"]
    assert len(loaded.variables) == len(loaded.trainable_variables) == 2


def test_weights_that_are_changed_are_those_that_are_counted(graph):
    root = saved_models.make_root(graph)

    for variables in (root.variables, root.trainable_variables):
        assert [
            v is w
            for v, w in zip(variables, graph.weights.values(), strict=True)
        ] == [True, True]
    assert root.weights["b"] is graph.weights["b"]
    assert root.untrained[0] is graph.untrained[0]

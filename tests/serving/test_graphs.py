import logging

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.modeling import checkpoint
from bert.serving.graphs import Graph
from tests.conversion import exports, run_folder


def source_without(golden, folder, task, *prefixes):
    """Returns a pre-trained model's files; it lacks some weights."""
    run_folder.write(golden, folder, "pretraining")
    reader = checkpoint.Reader(str(folder))
    weights = {
        name: tf.Variable(reader.read(name))
        for name in reader.shapes
        if not name.startswith(prefixes)
    }
    checkpoint.write_files(str(folder / "model.ckpt-7"), weights)
    return model_files.find(str(folder), Given(task=task))


def outputs_of(graph, rows=2, length=5):
    batch = exports.batch(rows, length)
    return graph.serve(
        **{name: tf.constant(own) for name, own in batch.items()}
    )


@pytest.mark.parametrize(
    ("task", "lacking", "expected", "warning"),
    [
        (
            "features",
            "bert/pooler/",
            ["sequence_output"],
            "has no pooler: pooled_output is left out.",
        ),
        (
            "pretraining",
            "cls/seq_relationship/",
            ["top_k_ids", "top_k_probabilities"],
            "has no next-sentence head: next_sentence_probabilities are left "
            "out.",
        ),
        (
            "pretraining",
            "bert/pooler/",
            ["top_k_ids", "top_k_probabilities"],
            "has no next-sentence head: next_sentence_probabilities are left "
            "out.",
        ),
    ],
)
def test_what_has_no_weights_is_left_out(
    golden, tmp_path, caplog, task, lacking, expected, warning
):
    source = source_without(golden, tmp_path / "run", task, lacking)
    with caplog.at_level(logging.WARNING):
        graph = Graph(source)
        assert list(outputs_of(graph)) == graph.names == expected
    assert graph.untrained
    messages = [m for m in caplog.messages if m.endswith("left out.")]
    assert messages == [f"{source.checkpoint} {warning}"]
    assert "left as initialized" not in caplog.text


def test_what_has_weights_is_given(golden, tmp_path):
    source = source_without(golden, tmp_path / "run", "pretraining", "none")
    graph = Graph(source, top_k=3)
    assert graph.untrained == []
    found = outputs_of(graph)
    assert list(found) == list(graph.inference.spec.outputs)
    assert found["top_k_ids"].shape == [2, 5, 3]


def test_weights_of_the_task_must_be_there(golden, tmp_path):
    lacking = "cls/predictions/transform/dense/kernel"
    source = source_without(golden, tmp_path / "run", "pretraining", lacking)
    with pytest.raises(UserError, match=rf"{lacking} \(1 in all\); name"):
        Graph(source)


def test_outputs_do_not_depend_on_padding(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "ner")
    graph = Graph(model_files.find(str(tmp_path / "run")))
    batch = exports.batch(3, 9)
    short = {name: tf.constant(own) for name, own in batch.items()}
    longer = {
        name: tf.pad(own, [[0, 0], [0, 4]]) for name, own in short.items()
    }
    is_token = batch["input_mask"] == 1
    found = graph.serve(**longer)["logits"][:, :9].numpy()[is_token]
    expected = graph.serve(**short)["logits"].numpy()[is_token]
    assert abs(found - expected).max() < 1e-5

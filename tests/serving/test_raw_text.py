"""What signatures a raw-string export has; its numbers: `test_export`."""

import pytest
import tensorflow as tf

from bert.data.text.tokenization import load_vocab
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.serving import raw_text
from bert.serving.graphs import Graph
from bert.serving.predictor import Predictor
from bert.serving.text_graph import TextGraph
from tests.conversion import run_folder

OFFSETS = {"token_starts", "token_limits"}
IDS = {"input_ids", "input_mask", "segment_ids"}


@pytest.mark.parametrize(
    ("name", "changes", "signatures", "has_offsets"),
    [
        (
            "classification",
            {},
            {"serving_default": ["text"], "pairs": ["text", "text_pair"]},
            False,
        ),
        (
            "regression",
            {"type_vocab_size": 1},
            {"serving_default": ["text"]},
            False,
        ),
        ("ner", {}, {"serving_default": ["text"]}, True),
        ("squad", {}, {"serving_default": ["question", "context"]}, True),
    ],
)
def test_each_task_has_its_signatures(
    golden, tmp_path, name, changes, signatures, has_offsets
):
    pytest.importorskip("tensorflow_text")
    run_folder.write(golden, tmp_path / "run", name, **changes)
    graph = Graph(model_files.find(str(tmp_path / "run"), Given()))
    vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}
    made = raw_text.make_signatures(graph, TextGraph(vocab, True))
    assert list(made) == list(signatures)
    for key, names in signatures.items():
        function = made[key].get_concrete_function()
        texts = [spec.name for spec in made[key].input_signature]
        assert texts == names
        outputs = set(function.structured_outputs)
        assert outputs & (OFFSETS | IDS) == (
            OFFSETS | IDS if has_offsets else set()
        )
        assert outputs - OFFSETS - IDS == set(graph.names)


def test_the_words_of_a_tagger_stand_at_the_same_places(golden, tmp_path):
    """As characters in an answer, as bytes in an export."""
    pytest.importorskip("tensorflow_text")
    text = "Öl, 中文 und e\u0301té in Zürich: 🐢x\u200by."
    run_folder.write(golden, tmp_path / "run", "ner")
    graph = Graph(model_files.find(str(tmp_path / "run")))
    vocab = load_vocab(golden / "inputs/vocab.txt")
    made = raw_text.make_signatures(graph, TextGraph(vocab, True))
    outputs = made["serving_default"](tf.constant([text]))
    starts, limits = (outputs[f"token_{n}"][0] for n in ("starts", "limits"))
    [answer] = Predictor.load(str(tmp_path / "run")).predict([text])
    places = [
        tuple(len(text[:place].encode()) for place in own)
        for own in answer["offsets"]
    ]
    assert answer["tokens"][:4] == ["Öl", ",", "中", "文"]
    assert len(places) == len(answer["tokens"]) == 11
    assert {start for start, _ in places} <= set(starts.numpy().tolist())
    assert {end for _, end in places} <= set(limits.numpy().tolist())

import numpy as np
import pytest

from bert.errors import UserError
from bert.serving import loaded_model
from bert.serving.masked_words import MaskedWords
from bert.serving.predictor import Predictor
from tests.conversion import run_folder


@pytest.fixture(scope="module")
def run(golden, tmp_path_factory):
    """A run of classification: its folder and its model."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return str(folder), run_folder.write(golden, folder, "classification")


def expected(model, ids, segments):
    encoded = model.backbone(
        np.array([ids]), segment_ids=np.array([segments]), with_attention=True
    )
    return np.stack(encoded["attention_probs"])[:, 0]


def test_a_predictor_gives_that_of_the_model(run):
    folder, model = run
    predictor = Predictor.load(folder)
    texts = ["the boat", ("the lake", "river")]
    (one,), (pair,) = predictor.attention(texts)
    vocab = predictor._inference.tokenizer.vocab
    for found, second in ((one, 4), (pair, 4)):
        ids = [vocab[token] for token in found.tokens]
        segments = [int(n >= second) for n in range(len(ids))]
        assert found.probs.dtype == np.float32
        assert found.probs.shape == (2, 3, len(ids), len(ids))
        np.testing.assert_allclose(
            found.probs, expected(model, ids, segments), atol=1e-6
        )
        sums = found.probs.sum(-1)
        np.testing.assert_allclose(sums, 1, rtol=0, atol=1e-6)
    assert one.tokens == ["[CLS]", "the", "boat", "[SEP]"]
    assert pair.tokens == ["[CLS]", "the", "lake", "[SEP]", "river", "[SEP]"]


def test_a_text_may_have_several_sequences(golden, tmp_path):
    folder = tmp_path / "run"
    run_folder.write(golden, folder, "multiple_choice")
    request = {"text": "the boat", "choices": ["of the lake", "", "river"]}
    ((first, second),) = Predictor.load(str(folder)).attention([request])
    assert len(first.tokens) == 8
    assert second.tokens[-2:] == ["river", "[SEP]"]


def test_bad_texts_are_named_at_once(run):
    predictor = Predictor.load(run[0])
    with pytest.raises(UserError, match=r"texts\[1\]: expected a text"):
        predictor.attention(["the boat", 1])
    with pytest.raises(UserError, match="put it into a list"):
        predictor.attention("the boat")


def test_a_saved_model_gives_none(run):
    # Such a one has a function, and no graph that was made here.
    predictor = Predictor(loaded_model.load(run[0])._replace(graph=None))
    with pytest.raises(UserError, match="needs a model's checkpoint"):
        predictor.attention(["the boat"])


def test_a_pre_trained_model_gives_that_of_the_text_with_its_masks(
    golden, tmp_path
):
    folder = tmp_path / "run"
    model = run_folder.write(golden, folder, "pretraining")
    words = MaskedWords.load(str(folder))
    text = words.request("the [MASK]")
    found = words.attention(text)
    assert found.tokens == ["[CLS]", "the", "[MASK]", "[SEP]"]
    np.testing.assert_allclose(
        found.probs, expected(model, text.packed.ids, [0] * 4), atol=1e-6
    )

"""The server's models say what predict.py, fill_mask.py and exports say."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.model_folder.given import Given
from bert.model_folder.model_files import find
from bert.serving import export, http_models
from bert.serving.http_batches import Settings
from bert.serving.http_models import ServedModel
from bert.serving.masked_words import MaskedWords
from bert.serving.predictor import Predictor
from bert.tasks.requests import UnfitError, requests_of
from tests.conversion import run_folder
from tests.serving import toy_runtime

SECONDS = 60
SETTINGS = Settings(0.0, 1000, 1000)
TAGS = run_folder.RUNS["ner"][2]
TEXTS = ["the boat", ["the lake " * 40, "of"], {"text": "river"}, ""]
VALUES = {
    "classification": TEXTS,
    "multi_label": TEXTS,
    "regression": TEXTS,
    "ner": ["the boat of", ["u.s.", "lake"] * 40, {"tokens": []}],
    "squad": [
        ["who?", "the boat of the lake " * 20],
        {"question": "what?", "context": "in the river"},
    ],
    "multiple_choice": [{"text": "the boat", "choices": ["a", "of", None]}],
    "features": TEXTS,
}


@pytest.fixture(scope="module")
def folders(golden, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")

    def make(name):
        if not (folder / name).exists():
            run_folder.write(golden, folder / name, name)
        return str(folder / name)

    return make


def make(folder, given=None):
    return ServedModel(find(folder, given), folder, SETTINGS)


def test_tasks_of_one_model_are_served_and_loaded_anew(golden, tmp_path):
    run = tmp_path / "run"
    model = run_folder.write_several(golden, run, "classification", "ner")
    stamps = []
    for name in ("classification", "ner"):
        folder = f"{run}#{name}"
        served = make(folder)
        assert (served.version, served.task.spec.task) == (7, name)
        served.batches.close()
        stamps.append(http_models.stamp(folder, Given()))
    run_folder.save(run, model, 9)
    assert http_models.stamp(folder, Given()) != stamps[1]


@pytest.fixture(scope="module")
def load(folders):
    """Loads a run's model, once; gives its folder and what was given, too."""
    made = {}

    def load(name):
        if name not in made:
            of = {"features": "classification"}.get(name, name)
            given = Given(task="features" if name == "features" else None)
            if name == "pretraining":
                given = Given(do_lower_case=True)
            folder = folders(of)
            made[name] = make(folder, given), folder, given
        return made[name]

    yield load
    for model, *_ in made.values():
        model.batches.close()


def answers(model, values):
    """Answers rows as one request."""
    asked = requests_of(values, model.ask, "instances")
    rows = [row for each in asked for row in each.rows]
    outputs = iter(model.batches.submit(rows).result(SECONDS))
    return [each.answer([next(outputs) for _ in each.rows]) for each in asked]


def assert_near(found, expected):
    """Compares answers: numbers to 1e-6, all else exactly."""
    if isinstance(expected, np.ndarray):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-6)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert_near(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_near(one, other)
    else:
        assert found == expected


@pytest.mark.parametrize("name", list(VALUES))
def test_texts_are_answered_as_by_the_predictor(load, name):
    model, folder, given = load(name)
    values = VALUES[name]
    expected = Predictor.load(folder, given=given).predict(values)
    for found, one in zip(answers(model, values), expected, strict=True):
        assert_near(found, one)
    # Alone, without the others in its batch.
    for value, one in zip(values, expected, strict=True):
        assert_near(answers(model, [value])[0], one)


def test_masked_words_are_those_of_fill_mask(load, golden):
    model, folder, given = load("pretraining")
    words = MaskedWords.load(folder, given=given)
    texts = ["the [MASK] of", "[MASK] lake [MASK]"]
    expected = list(words.fill([words.request(t) for t in texts], 5))
    row = {"input_ids": [5], "input_mask": [1], "segment_ids": [0]}
    *found, of_ids = answers(model, [*texts, row])
    assert_near(found, expected)
    assert np.shape(of_ids["top_k_ids"]) == (1, 10)


def test_equal_rows_are_computed_once(load, monkeypatch):
    model, *_ = load("classification")
    expected = [answers(model, [text])[0] for text in ("the boat", "a lake")]
    sizes = []
    compute = model._model.compute

    def counted(inputs):
        sizes.append(len(inputs["input_ids"]))
        return compute(inputs)

    monkeypatch.setattr(model, "_model", model._model._replace(compute=counted))
    texts = ["the boat", "a lake", "the boat", "the boat"]
    found = answers(model, texts)
    assert sum(sizes) == 2
    assert found[0] == found[2] == found[3]
    assert_near(found[:2], expected)


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("classification", {"asks": ["text", "text_pair"]}),
        ("multi_label", {"asks": ["text", "text_pair"], "threshold": 0.5}),
        ("ner", {"asks": ["text"], "entities": {x: x for x in TAGS}}),
        ("squad", {"asks": ["question", "context"]}),
        ("multiple_choice", {"asks": ["text", "choices"]}),
        ("pretraining", {"asks": ["text"]}),
        ("features", {"asks": ["text", "text_pair"]}),
    ],
)
def test_what_a_client_must_know_to_ask(load, name, about):
    model, *_ = load(name)
    assert model.about == about
    texts = {"choices": ["a", "b"]}
    model.ask({x: texts.get(x, "the [MASK]") for x in about["asks"]})


def test_an_id_is_copied(load):
    model, *_ = load("regression")
    (found,) = answers(model, [{"text": "a", "id": {"x": 1}}])
    assert list(found) == ["id", "score"]
    assert found["id"] == {"x": 1}


def ids_row(length, padding=0, seed=0):
    ids = np.random.default_rng(seed).integers(5, 391, length)
    mask = [1] * length + [0] * padding
    return {
        "input_ids": [*ids.tolist(), *[0] * padding],
        "input_mask": mask,
        "segment_ids": [0] * len(mask),
    }


@pytest.mark.parametrize("name", ["classification", "ner", "squad"])
def test_ids_are_answered_as_by_the_export(folders, load, tmp_path, name):
    model, folder, given = load(name)
    export.export(find(folder, given), str(tmp_path / "e"), raw_strings=False)
    saved = tf.saved_model.load(str(tmp_path / "e"))
    rows = [ids_row(9), ids_row(4, padding=7, seed=1), ids_row(40, seed=2)]
    for found, row in zip(answers(model, rows), rows, strict=True):
        expected = saved.signatures["serving_default"](
            **{name: tf.constant([row[name]]) for name in row}
        )
        assert set(found) == set(expected)
        for output, values in expected.items():
            np.testing.assert_allclose(found[output], values[0], atol=1e-5)
    served = make(str(tmp_path / "e"))
    served.batches.close()
    assert served.outputs == model.outputs
    assert served.version == 1


def test_a_single_output_goes_without_its_name(load):
    model, *_ = load("multiple_choice")
    ((score,),) = answers(model, [ids_row(5)])
    assert isinstance(score, float)
    assert model.outputs == {"logits": ("float32", (-1, 1))}


def test_outputs_are_told_with_their_shapes(load):
    model, *_ = load("ner")
    shape = ("float32", (-1, -1, 4))
    assert model.outputs == {"probabilities": shape, "logits": shape}


def bad_rows():
    good = ids_row(3)
    yield {**good, "input_ids": "abc"}
    yield {**good, "input_ids": []}
    yield {**good, "input_ids": [1, 2, 391]}
    yield {**good, "input_ids": [1, 2, -1]}
    yield {**good, "input_ids": [1, 2, True]}
    yield {**good, "input_ids": [1, 2, 2.0]}
    yield {**good, "input_ids": [1, 2, 10**30]}
    yield {**good, "input_mask": [1, 1]}
    yield {**good, "input_mask": [1, 1, 2]}
    yield {**good, "segment_ids": [0, 0, 2]}
    yield {"input_ids": [1, 2, 3]}
    yield ids_row(49)


@pytest.mark.parametrize("row", list(bad_rows()))
def test_bad_ids_are_refused(load, row):
    model, *_ = load("classification")
    with pytest.raises(UnfitError, match="input_ids, input_mask, segment_ids"):
        model.ask(row)


def test_a_bad_row_is_named(load):
    model, *_ = load("classification")
    with pytest.raises(UserError, match=r"^instances\[1\]: expected a text or"):
        requests_of(["a", 3, 4], model.ask, "instances")


def test_the_version_is_the_step(load, folders, tmp_path):
    assert load("classification")[0].version == 7
    shutil.copytree(folders("ner"), tmp_path / "run")
    export.export(
        find(str(tmp_path / "run")), str(tmp_path / "12"), raw_strings=False
    )
    served = make(str(tmp_path / "12"))
    served.batches.close()
    assert served.version == 12


def test_a_newer_checkpoint_has_another_stamp(golden, tmp_path):
    model = run_folder.write(golden, tmp_path / "run", "ner")
    before = http_models.stamp(str(tmp_path / "run"), Given())
    assert http_models.stamp(str(tmp_path / "run"), Given()) == before
    run_folder.save(tmp_path / "run", model, 8)
    assert http_models.stamp(str(tmp_path / "run"), Given()) != before
    with pytest.raises(UserError):
        http_models.stamp(str(tmp_path), Given())


def test_a_compressed_model_is_served_by_its_runtime(
    folders, tmp_path, monkeypatch
):
    toy_runtime.use(monkeypatch)
    source = find(folders("ner"))
    export.export(source, str(tmp_path / "e"), raw_strings=False)
    small = toy_runtime.write(str(tmp_path / "e"), tmp_path / "3", "onnx")
    given = Given(runtime="onnx")
    served = ServedModel(http_models.find(small, given), small, SETTINGS)
    value = VALUES["ner"][0]
    expected = Predictor.load(small).predict([value])
    assert answers(served, [value]) == expected
    assert served.version == 3
    served.batches.close()

    before = http_models.stamp(small, given)
    assert http_models.stamp(small, given) == before
    with (tmp_path / "3/model.onnx").open("a") as file:
        file.write(" ")
    assert http_models.stamp(small, given) != before

"""The predictor says of texts what the training scripts say of records."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert import run_squad
from bert.data.records import packing
from bert.data.tables.conll import Sentence
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.modeling import checkpoint
from bert.serving import export, graphs
from bert.serving.predictor import Predictor
from bert.tasks import finetune
from bert.tasks.squad.finetuning import Squad
from bert.tasks.tagging import windows as tagging
from tests.conversion import run_folder
from tests.modeling import checkpoints
from tests.modeling.backbones.encoders import every_type
from tests.scripts import runner
from tests.scripts.runner import config_of

TEXTS = [
    "the boat",
    ("The lake was in the river.", "Boats of the lake, " * 9),
    "",
    {"text": "river", "text_pair": None},
    ["of the", "lake"],
    {"text": "and the", "text_pair": "boat and lake"},
    "in the lake " * 30,
]
SENTENCES = [
    ["The", "boat"],
    ["the", "lake", "u.s.", "\u00ad", "x"] * 12,
    [],
    ["river"],
]


@pytest.fixture(scope="module")
def runs(golden, tmp_path_factory):
    """Makes a run's folder, once; returns it and its model."""
    folder = tmp_path_factory.mktemp("runs")
    made = {}

    def run(name):
        if name not in made:
            made[name] = run_folder.write(golden, folder / name, name)
        return folder / name, made[name]

    return run


@pytest.fixture
def tokenizer(golden):
    return FullTokenizer(golden / "inputs/vocab.txt", True)


def batch_of(rows):
    """Returns one padded batch."""
    return {
        name: tf.constant([row[name] for row in rows], tf.int32)
        for name in rows[0]
    }


def padded_texts(tokenizer):
    """Returns TEXTS as a training script would pad them."""
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    rows = []
    for text in TEXTS:
        if isinstance(text, dict):
            text = [text["text"], text["text_pair"]]
        first, second = [text, None] if isinstance(text, str) else text
        ids_a, ids_b = tokenizer.encode(first), tokenizer.encode(second or "")
        if ids_b:
            packing.truncate_seq_pair(ids_a, ids_b, 29)
            packed = packing.pack_pair(ids_a, ids_b, special)
        else:
            packed = packing.pack_single(ids_a[:30], special)
        rows.append(packing.pad(packed, 32))
    return batch_of(rows)


def test_labels_are_answered_in_the_callers_order(runs, tokenizer):
    folder, model = runs("classification")
    expected = tf.nn.softmax(model(padded_texts(tokenizer))["logits"]).numpy()
    found = Predictor.load(str(folder), batch_size=2).predict(TEXTS)
    labels = ["no", "ja", "?"]
    assert np.ptp(expected, axis=0).max() > 0.02
    for answer, row in zip(found, expected, strict=True):
        assert answer["label"] == labels[int(np.argmax(row))]
        assert list(answer["probabilities"]) == labels
        values = list(answer["probabilities"].values())
        np.testing.assert_allclose(values, row, atol=1e-5)


def test_a_task_of_several_is_named(golden, tmp_path, tokenizer):
    folder = str(tmp_path / "run")
    model = run_folder.write_several(
        golden, tmp_path / "run", "classification", "regression"
    )
    batch = padded_texts(tokenizer)
    logits = model.tasks["classification"](batch)["logits"]
    found = Predictor.load(folder, task_name="classification").predict(TEXTS)
    for answer, row in zip(found, tf.nn.softmax(logits).numpy(), strict=True):
        values = list(answer["probabilities"].values())
        np.testing.assert_allclose(values, row, atol=1e-5)
    numbers = model.tasks["regression"](batch)["logits"].numpy()
    found = Predictor.load(f"{folder}#regression").predict(TEXTS)
    for answer, row in zip(found, numbers, strict=True):
        np.testing.assert_allclose(answer["score"], row[0], atol=1e-5)
    for task, message in (
        (None, "one of classification, regression"),
        ("rte", "one of them rte. Received: "),
        ("a/b", "--task_name must be one of"),
    ):
        with pytest.raises(UserError, match=message):
            Predictor.load(folder, task_name=task)


@every_type
def test_every_encoder_answers_from_a_run_and_from_its_export(
    golden, tmp_path, tokenizer, encoder_type
):
    model = run_folder.write(
        golden,
        tmp_path / "run",
        "classification",
        encoder_type=encoder_type,
    )
    expected = tf.nn.softmax(model(padded_texts(tokenizer))["logits"]).numpy()
    source = model_files.find(str(tmp_path / "run"), Given())
    folder = str(tmp_path / "export")
    export.export(source, folder, raw_strings=False)
    for path in (str(tmp_path / "run"), folder):
        answers = Predictor.load(path, batch_size=2).predict(TEXTS)
        for answer, row in zip(answers, expected, strict=True):
            values = list(answer["probabilities"].values())
            np.testing.assert_allclose(values, row, atol=1e-5)


def test_several_labels_and_numbers(runs, tokenizer):
    batch = padded_texts(tokenizer)
    folder, model = runs("multi_label")
    expected = tf.sigmoid(model(batch)["logits"]).numpy()
    for answer, row in zip(
        Predictor.load(str(folder)).predict(TEXTS), expected, strict=True
    ):
        names = np.array(["red", "light blue"])
        assert answer["labels"] == names[row >= 0.5].tolist()
        values = list(answer["probabilities"].values())
        np.testing.assert_allclose(values, row, atol=1e-5)
    folder, model = runs("regression")
    found = Predictor.load(str(folder)).predict(TEXTS)
    np.testing.assert_allclose(
        [[answer.pop("score")] for answer in found],
        model(batch)["logits"],
        atol=1e-5,
    )
    assert not any(found)


def test_words_are_tagged_in_windows(runs, tokenizer):
    folder, model = runs("ner")
    names = run_folder.RUNS["ner"][2]
    featurizer = tagging.Featurizer(tokenizer, {}, 32)
    found = Predictor.load(str(folder), batch_size=2).predict(SENTENCES)
    assert [answer["tokens"] for answer in found] == SENTENCES
    assert found[2] == {
        **{"tokens": [], "offsets": None, "labels": [], "probabilities": []}
    }
    for answer, words in zip(found, SENTENCES, strict=True):
        if not words:
            continue
        windows = list(featurizer.features(Sentence(words, None, 1)))
        assert len(windows) > 1 or len(words) < 30
        batch = batch_of(windows)
        values = tf.nn.softmax(model(batch)["logits"]).numpy()
        values = values[batch["label_mask"].numpy() == 1]
        assert answer["labels"] == [names[i] for i in values.argmax(-1)]
        np.testing.assert_allclose(
            answer["probabilities"], values.max(-1), atol=1e-5
        )


def test_a_text_is_split_into_words(runs):
    predictor = Predictor.load(str(runs("ner")[0]))
    words = ["The", "Boat", ",", "of", "U", ".", "S", ".", "中", "文"]
    as_text, as_field, as_words = predictor.predict(
        [
            "The Boat, of U.S. 中文",
            {"text": "The Boat, of U.S. 中文"},
            {"tokens": words},
        ]
    )
    assert as_text["tokens"] == words
    text = "The Boat, of U.S. 中文"
    assert [text[start:end] for start, end in as_text["offsets"]] == words
    assert as_words["offsets"] is None
    as_words["offsets"] = as_text["offsets"]
    # Of equal rows of a batch the last bits may differ.
    assert _rounded(as_text) == _rounded(as_field) == _rounded(as_words)


def test_vectors_of_a_bare_checkpoint(golden, tmp_path, tokenizer):
    folder = shutil.copytree(golden / "model_base", tmp_path / "model")
    shutil.copy(golden / "inputs/vocab.txt", folder)
    given = Given(do_lower_case=True, max_seq_length=32)
    found = Predictor.load(str(folder), 3, given).predict(TEXTS)
    source = model_files.find(str(folder), given)
    model = graphs.Graph(source).model
    batch = padded_texts(tokenizer)
    outputs = model.encode(batch, training=False, seed=None)
    for row, answer in enumerate(found):
        ids = batch["input_ids"][row][: len(answer["tokens"])].numpy()
        assert answer["tokens"] == tokenizer.convert_ids_to_tokens(ids)
        assert len(ids) == int(tf.reduce_sum(batch["input_mask"][row]))
        np.testing.assert_allclose(
            answer["sequence_output"],
            outputs["sequence_output"][row, : len(ids)],
            atol=1e-5,
        )
        np.testing.assert_allclose(
            answer["pooled_output"], outputs["pooled_output"][row], atol=1e-5
        )


def squad_questions(golden):
    """Returns the requests and ids of a file, in its order."""
    data = json.loads((golden / "inputs/squad/dev-v2.0.json").read_text())
    questions = [
        ({"question": qa["question"], "context": paragraph["context"]}, qa)
        for article in data["data"]
        for paragraph in article["paragraphs"]
        for qa in paragraph["qas"]
    ]
    # A context without words is no question to a predictor.
    questions = [each for each in questions if each[0]["context"].strip()]
    return [each for each, _ in questions], [qa["id"] for _, qa in questions]


def test_answers_are_those_of_run_squad(golden, tmp_path, monkeypatch):
    config = config_of(
        run_squad,
        *runner.model_flags(golden),
        f"--predict_file={golden / 'inputs/squad/dev-v2.0.json'}",
        f"--init_checkpoint={golden / 'train_squad/model.ckpt-12'}",
        f"--output_dir={tmp_path / 'out'}",
        "--max_seq_length=32",
        "--doc_stride=8",
        "--max_query_length=6",
        "--n_best_size=5",
        "--max_answer_length=7",
        "--version_2_with_negative",
        "--null_score_diff_threshold=-4.25",
        "--do_predict",
        "--do_export",
    )
    monkeypatch.setattr(export, "_why_no_tensorflow_text", lambda: "none")
    finetune.run(Squad(config))
    texts, nbest, null_odds = (
        json.loads((tmp_path / "out" / f"{name}.json").read_text())
        for name in ("predictions", "nbest_predictions", "null_odds")
    )
    requests, ids = squad_questions(golden)
    found = Predictor.load(str(tmp_path / "out/export"), 3).predict(requests)
    assert len(ids) > 3
    assert {texts[key] == "" for key in ids} == {True, False}
    for key, answer in zip(ids, found, strict=True):
        assert answer["text"] == texts[key]
        assert answer["null_odds"] == pytest.approx(null_odds[key], abs=1e-5)
        expected = nbest[key]
        assert [e["text"] for e in answer["nbest"]] == [
            e["text"] for e in expected
        ]
        for name in ("probability", "start_logit", "end_logit"):
            np.testing.assert_allclose(
                [e[name] for e in answer["nbest"]],
                [e[name] for e in expected],
                atol=1e-5,
            )
        own = next(e for e in expected if e["text"] == texts[key])
        assert answer["probability"] == pytest.approx(own["probability"])


@pytest.mark.parametrize("name", ["classification", "squad"])
def test_a_saved_model_answers_as_its_checkpoint(runs, tmp_path, name):
    folder, _ = runs(name)
    out = str(tmp_path / "out")
    export.export(model_files.find(str(folder)), out, raw_strings=False)
    requests = TEXTS
    if name == "squad":
        requests = [("who sailed?", "The boat and the lake. " * 12)]
    exported = Predictor.load(out)
    of_run = Predictor.load(str(folder))
    assert exported.task == of_run.task
    assert exported.labels == of_run.labels
    found = exported.predict(requests)
    for own, other in zip(found, of_run.predict(requests), strict=True):
        assert _rounded(own) == _rounded(other)


def test_who_asks_may_say_how_to_choose_answers(runs, tmp_path):
    folder, _ = runs("squad")
    out = str(tmp_path / "out")
    export.export(model_files.find(str(folder)), out, raw_strings=False)
    request = [("who sailed?", "The boat and the lake. " * 12)]
    for model in (str(folder), out):
        [kept] = Predictor.load(model).predict(request)
        [found] = Predictor.load(
            model, n_best_size=2, null_score_diff_threshold=1e6
        ).predict(request)
        assert len(kept["nbest"]) > 19
        assert found["text"] != ""
        assert 2 <= len(found["nbest"]) <= 3
        [short] = Predictor.load(model, max_answer_length=1).predict(request)
        assert all(" " not in each["text"] for each in short["nbest"])
        [none] = Predictor.load(model, null_score_diff_threshold=-1e6).predict(
            request
        )
        assert (none["text"], none["start"], none["end"]) == ("", None, None)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("ner", {"n_best_size": 5}, "Received: n_best_size=5, which is of sq"),
        ("squad", {"doc_stride": 5}, "doc_stride=5, which is of no task"),
        ("squad", {"n_best_size": 0}, "n_best_size 0, where an integer of at"),
    ],
)
def test_options_that_are_not_the_tasks_are_refused(
    runs, name, options, expected
):
    with pytest.raises(UserError, match=expected):
        Predictor.load(str(runs(name)[0]), **options)


def _rounded(value):
    return json.loads(
        json.dumps(value), parse_float=lambda text: round(float(text), 4)
    )


def test_the_model_is_loaded_once(runs, tmp_path):
    folder = run_folder.copy(runs("classification")[0], tmp_path / "run")
    predictor = Predictor.load(str(folder))
    first = predictor.predict(["the boat"])
    shutil.rmtree(folder)
    assert predictor.predict(["the boat"]) == first
    assert predictor.predict([]) == []


def test_answers_come_window_by_window(runs):
    predictor = Predictor.load(str(runs("regression")[0]), batch_size=1)
    read = []

    def requests():
        for number in range(1000):
            read.append(number)
            yield predictor.request("the boat")

    next(predictor.answers(requests()))
    assert len(read) == predictor.window_size == 32


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        (
            "classification",
            ["a", 3],
            r"texts\[1\]: expected a text or a pair .* Received: 3\.",
        ),
        ("classification", [("a", "b", "c")], r"texts\[0\]: expected"),
        ("classification", [{"txt": "a"}], '{"text": "…"}'),
        ("classification", [{"text": "a", "text_pair": 1}], "text_pair"),
        ("classification", "a text", "Expected a list of texts"),
        ("classification", b"a text", "Expected a list of texts"),
        ("classification", None, r"Expected a list .* Received: None;"),
        ("classification", 5, r"Expected a list of texts. Received: 5;"),
        ("squad", ["who?"], "a question and a context"),
        ("squad", [{"question": "who?"}], "a question and a context"),
        ("squad", [("who?", " \n")], "a context with words"),
        ("ner", [["a", 1]], "a list of words"),
        ("ner", [{"words": ["a"]}], "tokens"),
    ],
)
def test_bad_requests_are_named(runs, name, texts, expected):
    predictor = Predictor.load(str(runs(name)[0]))
    with pytest.raises(UserError, match=expected):
        predictor.predict(texts)


def test_outputs_that_are_no_numbers_are_refused(runs, tmp_path):
    folder = run_folder.copy(runs("ner")[0], tmp_path / "run")
    tensors = checkpoints.tensors(folder)
    tensors["cls/token/output_weights"][:] = 3e38  # times a unit: infinite
    checkpoint.write_files(
        str(folder / "model.ckpt-7"),
        {name: tf.Variable(value) for name, value in tensors.items()},
    )
    with pytest.raises(UserError, match="not a number"):
        Predictor.load(str(folder)).predict(["the boat"])


def test_a_pair_needs_two_segments(golden, tmp_path):
    run_folder.write(
        golden, tmp_path / "run", "classification", type_vocab_size=1
    )
    predictor = Predictor.load(str(tmp_path / "run"))
    assert len(predictor.predict(["a", ("a", "")])) == 2
    with pytest.raises(UserError, match="type_vocab_size is 1"):
        predictor.predict([("a", "b")])


def test_models_that_do_not_fit_are_refused(runs, golden, tmp_path):
    with pytest.raises(UserError, match="Expected the folder of a trained"):
        Predictor.load(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No checkpoint"):
        Predictor.load(str(tmp_path / "empty"))
    given = Given(max_seq_length=15)
    with pytest.raises(UserError, match=r"max_query_length \(12\)"):
        Predictor.load(str(runs("squad")[0]), given=given)


def test_saved_models_that_do_not_fit_are_refused(runs, tmp_path):
    out = tmp_path / "out"
    source = model_files.find(str(runs("regression")[0]))
    export.export(source, str(out))
    with pytest.raises(UserError, match="--max_seq_length is for folders of"):
        Predictor.load(str(out), given=Given(max_seq_length=9))
    with pytest.raises(UserError, match="not raw_strings"):
        Predictor.load(str(out / "raw_strings"))
    shutil.copytree(out, tmp_path / "broken")
    (tmp_path / "broken/saved_model.pb").write_bytes(b"no")
    with pytest.raises(UserError, match="Cannot load the SavedModel"):
        Predictor.load(str(tmp_path / "broken"))
    (out / "assets/task.json").unlink()
    with pytest.raises(UserError, match=r"with task\.json"):
        Predictor.load(str(out))

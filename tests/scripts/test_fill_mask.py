"""fill_mask.py: what a masked language model says of lines."""

import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert import fill_mask as script
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.modeling import BertConfig, checkpoint
from bert.modeling.heads import PretrainingModel
from bert.serving import export, line_service
from bert.serving.masked_words import MaskedWords
from tests.conversion import run_folder
from tests.scripts.runner import config_of, error_of, run

SCRIPT = "fill_mask.py"


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """The folder of a published checkpoint."""
    path = tmp_path_factory.mktemp("models") / "model"
    shutil.copytree(golden / "model_base", path)
    shutil.copy(golden / "inputs/vocab.txt", path)
    return path


@pytest.fixture(scope="module")
def words(folder):
    return MaskedWords.load(str(folder), 2, Given(do_lower_case=True))


@pytest.fixture(scope="module")
def likely(folder):
    """Gives the probabilities of all words at a place, by the model alone."""
    config = BertConfig.from_json_file(folder / "bert_config.json")
    model = PretrainingModel(config)
    checkpoint.load_weights(model, str(folder))

    def probabilities(ids, position):
        row = tf.constant([ids])
        outputs = model(
            {
                "input_ids": row,
                "input_mask": tf.ones_like(row),
                "segment_ids": tf.zeros_like(row),
                "masked_lm_positions": tf.constant([[position]]),
            }
        )
        return tf.nn.softmax(outputs["masked_lm_logits"])[0].numpy()

    return probabilities


@pytest.fixture
def tokenizer(folder):
    return FullTokenizer(folder / "vocab.txt", True)


def answer_file(words, path, *args):
    """Does what the script does with a file; returns answers and the error."""
    config = config_of(script, "--model_dir=unused", *args)
    out, message = io.BytesIO(), None
    try:
        with line_service.open_input(str(path)) as source:
            line_service.serve(source, script.service(config, words), out)
    except UserError as error:
        message = str(error)
    return [json.loads(line) for line in out.getvalue().splitlines()], message


def test_the_likeliest_words_of_each_mask(words, likely, tokenizer, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text(
        "the [MASK] in the lake[MASK]\n[MASK]\n" + "boat " * 9 + "[MASK] of\n"
    )
    found, message = answer_file(words, path, "--top_k=3")
    assert message is None
    vocab = tokenizer.vocab
    start, end, mask = (vocab[t] for t in ("[CLS]", "[SEP]", "[MASK]"))
    the, in_lake, of = map(tokenizer.encode, ("the", "in the lake", "of"))
    boats = tokenizer.encode("boat " * 9)
    lines = [
        [start, *the, mask, *in_lake, mask, end],
        [start, mask, end],
        [start, *boats, mask, *of, end],
    ]
    assert [len(answer["masks"]) for answer in found] == [2, 1, 1]
    for answer, ids in zip(found, lines, strict=True):
        positions = [i for i, each in enumerate(ids) if each == mask]
        for best, position in zip(answer["masks"], positions, strict=True):
            values = likely(ids, position)
            order = np.argsort(-values)[:3]
            tokens = tokenizer.convert_ids_to_tokens(order.tolist())
            assert [word["token"] for word in best] == tokens
            np.testing.assert_allclose(
                [word["probability"] for word in best],
                values[order],
                atol=1e-6,
            )


def test_pseudo_log_likelihoods(words, likely, tokenizer, tmp_path):
    texts = ["the boat", "", "in the lake of the river .", "unaffable"]
    path = tmp_path / "in.txt"
    path.write_text("\n".join([*texts, ""]))
    found, message = answer_file(words, path, "--pseudo_log_likelihood")
    assert message is None
    special = [[tokenizer.vocab[t]] for t in ("[CLS]", "[SEP]")]
    for answer, text in zip(found, texts, strict=True):
        ids = special[0] + tokenizer.encode(text) + special[1]
        expected = 0.0
        for position in range(1, len(ids) - 1):
            masked = list(ids)
            masked[position] = tokenizer.vocab["[MASK]"]
            expected += np.log(likely(masked, position)[ids[position]])
        assert answer["num_tokens"] == len(ids) - 2
        assert answer["pseudo_log_likelihood"] == pytest.approx(
            expected, abs=1e-4
        )


def test_an_export_says_the_same(folder, words, tmp_path):
    given = Given(task="pretraining", do_lower_case=True)
    export.export(
        model_files.find(str(folder), given),
        str(tmp_path / "export"),
        top_k=1,
        raw_strings=False,
    )
    done = run(
        SCRIPT,
        f"--model_dir={tmp_path / 'export'}",
        "--top_k=4",
        input="the [MASK] .\n",
    )
    (found,) = json.loads(done.stdout)["masks"]
    (answer,) = words.fill([words.request("the [MASK] .")], 4)
    (expected,) = answer["masks"]
    tokens = [word["token"] for word in expected]
    assert [word["token"] for word in found] == tokens


@pytest.mark.parametrize(
    ("line", "args", "expected"),
    [
        ("the boat", [], "expected [MASK] in the text. Received: 'the boat'"),
        ("the [mask]", [], "expected [MASK] in the text"),
        ("", [], "expected [MASK] in the text"),
        ("x " * 99 + "[MASK]", [], "at most 62 word pieces"),
        ("x " * 99, ["--pseudo_log_likelihood"], "at most 62 word pieces"),
        ("a [MASK]", ["--pseudo_log_likelihood"], "a text without [MASK]"),
        (b"[MASK] \xe4", [], "line 3: expected text in UTF-8"),
    ],
)
def test_a_bad_line_is_named(words, tmp_path, line, args, expected):
    line = line if isinstance(line, bytes) else line.encode()
    good = b"the boat\n" if args else b"the [MASK]\n"
    path = tmp_path / "in.txt"
    path.write_bytes(good * 2 + line + b"\n" + good)
    found, message = answer_file(words, path, *args)
    assert len(found) == 2
    assert message.startswith(f"{path}, line 3: ")
    assert expected in message


def test_bad_flags(folder, tmp_path):
    model = [f"--model_dir={folder}", "--do_lower_case"]
    assert "--top_k=0" in error_of(SCRIPT, *model, "--top_k", "0")
    (tmp_path / "in.txt").write_text("[MASK]\n")
    (tmp_path / "empty").mkdir()
    for args, expected in (
        ([*model, "--top_k=1000"], "--top_k must be from 1 to"),
        (model[:1], "--do_lower_case=True for an uncased"),
        ([f"--model_dir={tmp_path / 'empty'}"], "No checkpoint found"),
    ):
        lines = f"--input_file={tmp_path / 'in.txt'}"
        config = config_of(script, lines, *args)
        with pytest.raises(UserError, match=expected):
            script.fill_mask(config)


def test_models_without_masked_words_are_refused(golden, folder, tmp_path):
    run_folder.write(golden, tmp_path / "ner", "ner")
    with pytest.raises(UserError, match="cls/predictions") as caught:
        MaskedWords.load(str(tmp_path / "ner"))
    assert "--task" not in str(caught.value)  # which fill_mask.py has not
    source = model_files.find(str(tmp_path / "ner"))
    export.export(source, str(tmp_path / "export"), raw_strings=False)
    with pytest.raises(UserError, match="--task=pretraining"):
        MaskedWords.load(str(tmp_path / "export"))
    lines = (folder / "vocab.txt").read_text().replace("[MASK]", "[MASQ]")
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "vocab.txt").write_text(lines)
    with pytest.raises(UserError, match=r"\[MASK\]"):
        MaskedWords.load(str(other), given=Given(do_lower_case=True))

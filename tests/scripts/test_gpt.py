"""OpenAI's GPT through the scripts: converted, trained, asked.

Without ftfy and spaCy, words stand between spaces (`gpt_folder.words`).
"""

import json

import numpy as np
import pytest
import tensorflow as tf

from bert import (
    convert_checkpoint,
    create_pretraining_data,
    extract_features,
    run_classifier,
    run_multiple_choice,
    run_ner,
    run_pretraining,
)
from bert.data.text.gpt_tokenizer import GptTokenizer
from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.modeling.config import read_config
from bert.serving import export
from bert.serving.masked_words import MaskedWords
from bert.serving.predictor import Predictor
from bert.tasks import finetune
from bert.tasks.classification.finetuning import Classification
from bert.tasks.multiple_choice.finetuning import MultipleChoice
from bert.tasks.tagging.finetuning import Tagging
from tests.conversion import gpt_folder, run_folder
from tests.conversion.gpt_folder import VOCAB
from tests.conversion.gpt_folder import words as words
from tests.scripts.runner import config_of, model_flags
from tests.serving import test_http_models

pytestmark = pytest.mark.usefixtures("words")
WORDS = ("boat", "river", "table", "lake", "house", "wood", "tree", "bank")


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    return gpt_folder.write(golden, tmp_path_factory.mktemp("gpt") / "model")


def test_a_folder_of_openais_is_converted(golden, tmp_path):
    flags = [f"--output_dir={tmp_path / 'out'}", "--num_attention_heads=2"]
    # The folder around it will do, as in their repository.
    config = config_of(
        convert_checkpoint, f"--input_dir={golden / 'gpt'}", *flags
    )
    convert_checkpoint.convert(config)
    assert (tmp_path / "out" / VOCAB).exists()
    with pytest.raises(UserError, match="pass --overwrite"):
        convert_checkpoint.convert(config)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "train.tsv"
    rows = [
        ("The boat went down the river.", "good"),
        ("The tables teach – “nothing”…", "bad"),
    ] * 4
    lines = ["text\tlabel", *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_fine_tuned_with_the_language_model_and_asked(folder, table, tmp_path):
    run = tmp_path / "run"
    flags = gpt_folder.flags(
        folder,
        run,
        f"--vocab_file={folder / VOCAB}",
        f"--train_file={table}",
        "--do_train",
        "--do_export",
        "--num_train_epochs=2",
        "--lm_loss_weight=0.5",
        "--noeval_report",
    )
    run_classifier.classify(config_of(run_classifier, *flags))
    for name in (VOCAB, gpt_folder.MERGES):
        assert (run / name).read_bytes() == (folder / name).read_bytes()
    assert not (run / "vocab.txt").exists()
    texts = ["The boat", "tables… teach"]
    found = [
        list(Predictor.load(str(path)).predict(texts))
        for path in (run, run / "export")
    ]
    assert found[0][0]["label"] in ("good", "bad")
    for one, other in zip(*found, strict=True):
        assert one["label"] == other["label"]
    assert not (run / "export" / export.RAW_STRINGS).exists()


@pytest.mark.slow
@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_masked_words_with_attention_both_ways(folder, tmp_path, masking):
    text = tmp_path / "text.txt"
    text.write_text("The boat went down.\nThe river rose.\n\n" * 6)
    config = config_of(
        create_pretraining_data,
        f"--input_file={text}",
        f"--output_file={tmp_path / 'records'}",
        f"--vocab_file={folder / VOCAB}",
        "--max_seq_length=48",
        "--max_predictions_per_seq=8",
        f"--masking={masking}",
        "--do_whole_word_mask",
    )
    create_pretraining_data.create_pretraining_data(config)
    run = tmp_path / "run"
    flags = gpt_folder.flags(
        folder,
        run,
        f"--input_file={tmp_path / 'records'}",
        "--attention_mask=bidirectional",
        f"--masking={masking}",
        "--max_predictions_per_seq=8",
        "--num_train_steps=2",
        "--num_warmup_steps=1",
        "--do_train",
    )
    run_pretraining.pretrain(config_of(run_pretraining, *flags))
    assert not read_config(str(run / "bert_config.json")).is_causal
    given = Given(vocab_file=str(folder / VOCAB), do_lower_case=True)
    # The vocabulary is kept with it.
    words = MaskedWords.load(str(run))
    (found,) = words.fill([words.request("the boat [MASK] down")], 3)
    assert len(found["masks"][0]) == 3
    with pytest.raises(UserError, match=r"needs a checkpoint with cls/pred"):
        MaskedWords.load(str(folder), given=given)


def test_features_of_a_pair(folder, tmp_path):
    (tmp_path / "lines.txt").write_text("the boat ||| down\n")
    flags = (
        *gpt_folder.flags(folder, tmp_path)[:2],
        f"--vocab_file={folder / VOCAB}",
        f"--input_file={tmp_path / 'lines.txt'}",
        f"--output_file={tmp_path / 'out.jsonl'}",
        *("--layers=-1", "--max_seq_length=16"),
    )
    extract_features.extract_features(config_of(extract_features, *flags))
    line = json.loads((tmp_path / "out.jsonl").read_text())
    tokenizer = GptTokenizer(folder / VOCAB)
    tokens = [feature["token"] for feature in line["features"]]
    ids = joined(tokenizer, "the boat", "down")
    assert tokens == tokenizer.convert_ids_to_tokens(ids)


def joined(tokenizer, *texts):
    """The ids of `_start_ text _delimiter_ pair _classify_`."""
    start, between, end = tokenizer.convert_tokens_to_ids(
        ["_start_", "_delimiter_", "_classify_"]
    )
    first, *second = map(tokenizer.encode, texts)
    rest = [between, *second[0]] if second else []
    return [start, *first, *rest, end]


def scores(model, row):
    """What a model says of a row: its logits."""
    return model({"input_ids": tf.constant([row])})["logits"].numpy()[0]


ASKED = {
    "multiple_choice": {"text": "the lake", "choices": ["boat", "the river"]},
    "classification": ["the boat", "down the river"],
    "regression": "tables teach nothing",
    "multi_label": "tables",
}


def of_row(name, answer):
    if name == "regression":
        return [answer["score"]]
    found = answer["probabilities"]
    return list(found.values()) if isinstance(found, dict) else found


@pytest.mark.parametrize(
    "name",
    [
        "multiple_choice",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("classification", "regression", "multi_label")
        ),
    ],
)
def test_a_row_is_start_text_delimiter_pair_classify(golden, tmp_path, name):
    model = gpt_folder.write_run(golden, tmp_path / "run", name)
    export.export(
        model_files.find(str(tmp_path / "run"), Given()),
        str(tmp_path / "export"),
        raw_strings=False,
    )
    tokenizer = GptTokenizer(tmp_path / "run" / VOCAB)
    asked = ASKED[name]
    if name == "multiple_choice":
        rows = [joined(tokenizer, asked["text"], c) for c in asked["choices"]]
        logits = [scores(model, [row]) for row in rows]
        expected = tf.nn.softmax(np.concatenate(logits))
    else:
        texts = [asked] if isinstance(asked, str) else asked
        logits = scores(model, joined(tokenizer, *texts))
        kinds = {"classification": tf.nn.softmax, "multi_label": tf.sigmoid}
        expected = kinds.get(name, tf.identity)(logits)
    served = test_http_models.make(str(tmp_path / "run"))
    found = [
        *test_http_models.answers(served, [asked]),
        *Predictor.load(str(tmp_path / "run")).predict([asked]),
        *Predictor.load(str(tmp_path / "export")).predict([asked]),
    ]
    served.batches.close()
    for answer in found:
        np.testing.assert_allclose(of_row(name, answer), expected, atol=1e-5)


TRAININGS = {
    "multiple_choice": (
        *(run_multiple_choice, MultipleChoice, ".csv"),
        "text,a,b,label\n" + "the lake,boat,river,A\nthe,in,boat,B\n" * 4,
        ["--choice_columns=a,b"],
    ),
    "ner": (
        *(run_ner, Tagging, ".txt"),
        "the O\nboat B-THING\nand O\n\n" * 8,
        [],
    ),
    "regression": (
        *(run_classifier, Classification, ".tsv"),
        "text\tlabel\n" + "the boat\t0.5\na river\t1\n" * 4,
        ["--label_type=regression", "--lm_loss_weight=0.5"],
    ),
    "multi_label": (
        *(run_classifier, Classification, ".tsv"),
        "text\tlabel\n" + "the boat\tred\na river\tred,blue\n" * 4,
        ["--label_type=multi", "--lm_loss_weight=0.5"],
    ),
    "both_ways": (
        *(run_classifier, Classification, ".tsv"),
        "text\tlabel\n" + "the boat\tred\na river\tblue\n" * 4,
        ["--attention_mask=bidirectional", "--recompute_activations"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_every_task_is_trained_evaluated_and_asked(folder, tmp_path, name):
    script, task, ending, text, own = TRAININGS[name]
    data = tmp_path / f"data{ending}"
    data.write_text(text)
    run = tmp_path / "run"
    flags = gpt_folder.flags(
        *(folder, run),
        f"--vocab_file={folder / VOCAB}",
        *(f"--{part}_file={data}" for part in ("train", "dev", "test")),
        *("--do_train", "--do_eval", "--do_predict", "--do_export"),
        *("--num_train_epochs=1", "--noeval_report", *own),
    )
    finetune.run(task(config_of(script, *flags)))
    assert "loss = " in (run / "eval_results.txt").read_text()
    asked = {
        "multiple_choice": ASKED["multiple_choice"],
        "ner": {"tokens": ["the", "boat"]},
    }.get(name, "the boat")
    found = [
        list(Predictor.load(str(path)).predict([asked]))
        for path in (run, run / "export")
    ]
    assert len(found[0]) == len(found[1]) == 1
    is_causal = read_config(str(run / "bert_config.json")).is_causal
    assert is_causal == (name != "both_ways")


@pytest.mark.slow
def test_folds_with_the_language_model(folder, tmp_path):
    rows = [f"the {word}\t{word[0] in 'br'}" for word in WORDS]
    (tmp_path / "t.tsv").write_text("\n".join(["text\tlabel", *rows, ""]))
    flags = gpt_folder.flags(
        *(folder, tmp_path / "run"),
        f"--vocab_file={folder / VOCAB}",
        f"--train_file={tmp_path}/t.tsv",
        *("--do_train", "--do_eval", "--folds=2", "--noeval_report"),
        *("--num_train_epochs=1", "--lm_loss_weight=0.5"),
    )
    run_classifier.classify(config_of(run_classifier, *flags))
    made = json.loads((tmp_path / "run/folds.json").read_text())["made_with"]
    assert made["lm_loss_weight"] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["gpt", "bert"])
def test_a_gpt_teaches_a_bert_and_learns_from_one(
    golden, folder, tmp_path, teacher
):
    make = gpt_folder.write_run if teacher == "gpt" else run_folder.write
    make(golden, tmp_path / "teacher", "classification")
    rows = [("the boat", "no"), ("a river", "ja"), ("in the lake", "?")] * 2
    lines = ["text\tlabel", *("\t".join(row) for row in rows), ""]
    (tmp_path / "t.tsv").write_text("\n".join(lines))
    run = tmp_path / "run"
    if teacher == "gpt":
        own = model_flags(golden, run)
    else:
        flag = f"--vocab_file={folder / VOCAB}"
        own = [*gpt_folder.flags(folder, run, flag), "--lm_loss_weight=0.5"]
    run_classifier.classify(
        config_of(
            run_classifier,
            *(*own, f"--train_file={tmp_path}/t.tsv", "--do_train"),
            *(f"--teacher_dir={tmp_path}/teacher", "--num_train_epochs=1"),
            *("--max_seq_length=16", "--train_batch_size=3"),
        )
    )
    assert np.load(run / "teacher_logits.npy").shape == (6, 3)

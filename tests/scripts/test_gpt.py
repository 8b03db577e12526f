"""OpenAI's GPT through the scripts: converted, trained, asked."""

import importlib.util

import pytest

from bert import (
    convert_checkpoint,
    create_pretraining_data,
    run_classifier,
    run_pretraining,
)
from bert.errors import UserError
from bert.model_folder.given import Given
from bert.modeling.config import read_config
from bert.serving import export
from bert.serving.masked_words import MaskedWords
from bert.serving.predictor import Predictor
from tests.conversion import gpt_folder
from tests.scripts.runner import config_of

needs_extras = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("ftfy", "spacy"))),
    reason="needs ftfy and spaCy: see requirements-gpt.txt",
)
VOCAB = "encoder_bpe_40000.json"


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    return gpt_folder.write(golden, tmp_path_factory.mktemp("gpt") / "model")


def of_model(folder, output_dir, *more):
    return [
        f"--bert_config_file={folder / 'bert_config.json'}",
        f"--init_checkpoint={folder}",
        f"--output_dir={output_dir}",
        "--max_seq_length=48",
        "--train_batch_size=4",
        "--random_seed=1",
        *more,
    ]


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


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--force", r"--force is for a BERT; .* leave it out"),
        ("--labels=a,b", r"--labels is for a BERT; .*--labels=a,b; leave"),
        ("--output_format=huggingface", r"Expected a checkpoint"),
    ],
)
def test_flags_of_berts_are_one_line(golden, tmp_path, flag, message):
    config = config_of(
        convert_checkpoint,
        f"--input_dir={golden / 'gpt/model'}",
        f"--output_dir={tmp_path / 'out'}",
        "--num_attention_heads=2",
        flag,
    )
    with pytest.raises(UserError, match=message):
        convert_checkpoint.convert(config)
    assert not (tmp_path / "out").exists()


def test_heads_of_a_bert_are_not_to_be_said(golden, tmp_path):
    config = config_of(
        convert_checkpoint,
        f"--input_dir={golden / 'model_base'}",
        f"--output_dir={tmp_path / 'out'}",
        "--num_attention_heads=2",
    )
    with pytest.raises(UserError, match=r"--num_attention_heads is for OpenAI"):
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
@needs_extras
def test_fine_tuned_with_the_language_model_and_asked(folder, table, tmp_path):
    run = tmp_path / "run"
    flags = of_model(
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
    for name in (VOCAB, "vocab_40000.bpe"):
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
@needs_extras
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
    flags = of_model(
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

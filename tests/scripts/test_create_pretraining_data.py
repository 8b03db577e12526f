import bz2
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from absl import flags

from bert import create_pretraining_data as script
from bert.data.corpus import record_notes, serial_run
from bert.data.corpus.instance_settings import InstanceSettings
from bert.errors import UserError
from tests.scripts.runner import config_of, run_code

ROOT = Path(script.__file__).parent
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d"]

# By golden: the flags that it was made with, and its files (PROVENANCE.md).
GOLDENS = {
    "default": (
        "--input_file={inputs}/corpus_a.txt,{inputs}/corpus_b.txt "
        "--vocab_file={inputs}/vocab.txt --max_seq_length=64 "
        "--max_predictions_per_seq=10 --random_seed=12345 --dupe_factor=3",
        ["default"],
    ),
    "whole_word": (
        "--input_file={inputs}/corpus_a.txt,{inputs}/corpus_b.txt "
        "--vocab_file={inputs}/vocab.txt --max_seq_length=64 "
        "--max_predictions_per_seq=10 --random_seed=7 --dupe_factor=2 "
        "--do_whole_word_mask",
        ["whole_word"],
    ),
    "short": (
        "--input_file={inputs}/corpus_b.txt,{inputs}/corpus_a.txt "
        "--vocab_file={inputs}/vocab.txt --max_seq_length=32 "
        "--max_predictions_per_seq=20 --masked_lm_prob=0.4 --random_seed=99 "
        "--dupe_factor=2 --short_seq_prob=0.5",
        ["short"],
    ),
    "cased": (
        "--input_file={inputs}/corpus_b.txt "
        "--vocab_file={inputs}/vocab_cased.txt --do_lower_case=False "
        "--max_seq_length=48 --max_predictions_per_seq=7 --dupe_factor=2",
        ["cased"],
    ),
    "two files": (
        "--input_file={inputs}/corpus_a.txt --vocab_file={inputs}/vocab.txt "
        "--max_seq_length=64 --max_predictions_per_seq=10 --dupe_factor=2",
        ["two-0", "two-1"],
    ),
}


@pytest.fixture
def folder(tmp_path):
    """Holds a vocabulary and a text of three documents."""
    (tmp_path / "vocab.txt").write_text("".join(f"{t}\n" for t in VOCAB))
    text = "a b c\nb c d\n\nc d\nd a b c\n\na a\nb b\n"
    (tmp_path / "text.txt").write_text(text)
    return tmp_path


def create(folder, *args, output="out"):
    """Makes small records of what lies in the folder."""
    config = config_of(
        script,
        f"--input_file={folder}/text.txt",
        f"--output_file={folder}/{output}",
        f"--vocab_file={folder}/vocab.txt",
        "--max_seq_length=12",
        "--max_predictions_per_seq=3",
        *args,
    )
    script.create_pretraining_data(config)


def examples(path):
    """Reads a file without our own code."""
    return [
        tf.train.Example.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]


@pytest.mark.parametrize("name", GOLDENS)
def test_records_are_the_originals(golden, tmp_path, name):
    args, files = GOLDENS[name]
    outputs = [tmp_path / file for file in files]

    script.create_pretraining_data(
        config_of(
            script,
            *args.format(inputs=golden / "inputs").split(),
            f"--output_file={','.join(map(str, outputs))}",
        )
    )

    for output in outputs:
        expected = golden / "pretraining_data" / f"{output.name}.tfrecord"
        assert examples(output) == examples(expected)


def test_defaults_are_the_originals():
    config = config_of(
        script, "--input_file=a", "--output_file=b", "--vocab_file=c"
    )

    assert config == script.Config(
        input_file="a",
        output_file="b",
        vocab_file="c",
        do_lower_case=True,
        random_seed=12345,
        settings=InstanceSettings(
            do_whole_word_mask=False,
            max_seq_length=128,
            max_predictions_per_seq=20,
            dupe_factor=10,
            masked_lm_prob=0.15,
            short_seq_prob=0.1,
        ),
        output_compression="none",
        num_workers=0,
        beam_runner=None,
        beam_options="",
    )


@pytest.mark.parametrize("name", ["input_file", "output_file", "vocab_file"])
def test_files_are_required(name):
    args = {"input_file": "a", "output_file": "b", "vocab_file": "c"}
    del args[name]

    with pytest.raises(
        flags.IllegalFlagValueError, match=f"--{name}=None: must be"
    ):
        config_of(script, *(f"--{key}={value}" for key, value in args.items()))


@pytest.mark.parametrize(
    ("arg", "message"),
    [
        ("--max_seq_length=4", "at least 5 .* Received: 4"),
        ("--max_predictions_per_seq=0", r"from 1 to .* Received: 0"),
        ("--max_predictions_per_seq=129", r"--max_seq_length \(128\).*: 129"),
        ("--dupe_factor=0", "at least 1. Received: 0"),
        ("--masked_lm_prob=0", "above 0 and at most 1. Received: 0"),
        ("--masked_lm_prob=15", "above 0 and at most 1. Received: 15"),
        ("--masked_lm_prob=nan", "above 0 and at most 1. Received: nan"),
        ("--short_seq_prob=-0.1", "from 0 to 1. Received: -0.1"),
        ("--short_seq_prob=1.1", "from 0 to 1. Received: 1.1"),
        ("--max_ngram=0", r"from 1 to --max_predictions_per_seq.*: 0"),
        ("--max_ngram=21", r"\(20\). Received: 21"),
        ("--output_file=b,b", "different paths.* Received: 'b,b'"),
        ("--output_file=b,./b", "different paths.* Received: 'b,./b'"),
        ("--output_file=b,b.note.json", "different paths.*note.json'"),
        ("--output_file=b,", "different paths.* Received: 'b,'"),
    ],
)
def test_bad_value_is_an_error_that_names_its_flag(arg, message):
    flag = arg.partition("=")[0]
    files = ["--input_file=a", "--output_file=b", "--vocab_file=c"]

    with pytest.raises(UserError, match=f"{flag} must.*{message}"):
        config_of(script, *files, arg)


def test_all_bad_values_are_told_at_once():
    with pytest.raises(UserError, match=r"--dupe_factor.*--masked_lm_prob"):
        config_of(
            script,
            *["--input_file=a", "--output_file=b", "--vocab_file=c"],
            *["--dupe_factor=0", "--masked_lm_prob=2"],
        )


def test_same_seed_gives_the_same_bytes(folder):
    create(folder, "--random_seed=1", output="first")
    create(folder, "--random_seed=1", output="second")
    create(folder, "--random_seed=2", output="other")

    first = (folder / "first").read_bytes()
    assert (folder / "second").read_bytes() == first
    assert (folder / "other").read_bytes() != first


def numbers(example, name):
    feature = example.features.feature[name]
    return list(feature.int64_list.value or feature.float_list.value)


def test_without_masks_there_is_one_pass_over_the_text(folder):
    create(folder, "--masking=dynamic", output="once")
    create(folder, "--masking=dynamic", "--dupe_factor=2", output="twice")

    for output, count in (("once", 1), ("twice", 2)):
        note = (folder / f"{output}.note.json").read_text()
        assert f'"dupe_factor": {count},' in note
    for example in examples(folder / "once"):
        assert not any(numbers(example, "masked_lm_weights"))
        assert VOCAB.index("[MASK]") not in numbers(example, "input_ids")


def test_several_texts_are_packed_into_a_record(folder):
    create(folder, "--pack_sequences", "--max_seq_length=32")

    found = examples(folder / "out")
    assert {len(numbers(e, "input_ids")) for e in found} == {32}
    starts = [numbers(example, "text_starts") for example in found]
    assert any(any(row) for row in starts)
    for example, row in zip(found, starts, strict=True):
        for start in {0, *row}:
            assert VOCAB[numbers(example, "input_ids")[start]] == "[CLS]"
    note = (folder / "out.note.json").read_text()
    assert '"pack_sequences": true' in note


def test_output_files_take_turns(folder):
    create(folder, output="all")
    create(folder, output=f"one,{folder}/two")

    records = examples(folder / "all")
    assert examples(folder / "one") == records[::2]
    assert examples(folder / "two") == records[1::2]


def test_only_the_named_files_and_their_notes_are_left(folder):
    create(folder)

    assert sorted(os.listdir(folder)) == [
        *("out", "out.note.json", "text.txt", "vocab.txt")
    ]


def test_a_note_says_what_the_records_are(folder):
    create(folder, "--next_sentence=sop", "--max_ngram=2")
    note, path = record_notes.common([f"{folder}/out"])
    assert path == f"{folder}/out.note.json"
    assert note.vocab_file == f"{folder}/vocab.txt"
    assert note.do_lower_case
    settings = note.settings
    assert (settings.next_sentence, settings.max_ngram) == ("sop", 2)
    # Another run's replaces it.
    create(folder, "--do_lower_case=False")
    note, _ = record_notes.common([f"{folder}/out"])
    assert (note.do_lower_case, note.settings.next_sentence) == (False, "nsp")


def test_somebodys_file_in_the_notes_place_is_an_error_before_work(
    folder, caplog
):
    (folder / "out.note.json").write_text("{}")
    with pytest.raises(UserError, match=r"out\.note\.json\. Received: some"):
        create(folder)
    assert "Reading" not in caplog.text
    assert (folder / "out.note.json").read_text() == "{}"
    assert not (folder / "out").exists()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_sentence_order_of_single_pieces_is_an_error(folder, num_workers):
    (folder / "text.txt").write_text("a\n\nb\n")
    with pytest.raises(UserError, match=r"sop needs two texts.*one word piece"):
        create(folder, "--next_sentence=sop", f"--num_workers={num_workers}")
    assert not list(folder.glob("out*"))
    # One sentence of two pieces is cut in two.
    (folder / "text.txt").write_text("a b\n\nb\n")
    create(folder, "--next_sentence=sop")
    (first, *_) = records = examples(folder / "out")
    assert len(records) == 10
    assert sum(first.features.feature["input_mask"].int64_list.value) == 5


def test_failed_run_leaves_old_records_alone(folder, monkeypatch):
    (folder / "one").write_bytes(b"old")

    # The second one cannot be written.
    monkeypatch.setattr(serial_run, "records", lambda *_: [b"x", None])
    monkeypatch.setattr(serial_run, "log_examples", lambda *_: None)
    with pytest.raises(TypeError):
        create(folder, output=f"one,{folder}/two")

    assert sorted(os.listdir(folder)) == ["one", "text.txt", "vocab.txt"]
    assert (folder / "one").read_bytes() == b"old"


def test_log_is_the_originals(folder, caplog):
    with caplog.at_level(logging.INFO, logger="absl"):
        create(folder)

    number = len(examples(folder / "out"))
    assert caplog.messages[:5] == [
        "*** Reading from input files ***",
        f"  {folder}/text.txt",
        "*** Writing to output files ***",
        f"  {folder}/out",
        "*** Example ***",
    ]
    assert caplog.messages[-1] == f"Wrote {number} total instances"


def test_first_20_examples_are_logged(folder, caplog):
    with caplog.at_level(logging.INFO, logger="absl"):
        create(folder)

    records = examples(folder / "out")
    assert len(records) > 20
    assert caplog.messages.count("*** Example ***") == 20
    first = caplog.messages.index("*** Example ***")
    feature = records[0].features.feature
    ids = feature["input_ids"].int64_list.value
    num_tokens = sum(feature["input_mask"].int64_list.value)
    tokens = [VOCAB[i] for i in ids[:num_tokens]]
    assert caplog.messages[first + 1 : first + 9] == [
        f"tokens: {' '.join(tokens)}",
        *(
            f"{name}: {' '.join(map(str, feature[name].int64_list.value))}"
            for name in (
                "input_ids",
                "input_mask",
                "segment_ids",
                "masked_lm_positions",
                "masked_lm_ids",
            )
        ),
        "masked_lm_weights: "
        + " ".join(map(str, feature["masked_lm_weights"].float_list.value)),
        f"next_sentence_labels: "
        f"{feature['next_sentence_labels'].int64_list.value[0]}",
    ]


def test_pattern_without_a_file_is_an_error(folder):
    with pytest.raises(UserError, match=r"--input_file.*none-\*"):
        create(folder, f"--input_file={folder}/text.txt,{folder}/none-*")


@pytest.mark.parametrize("text", ["", "\n \n\n", "\u200b\n"])
def test_text_without_tokens_is_an_error(folder, text):
    (folder / "text.txt").write_text(text)

    with pytest.raises(UserError, match=r"Expected text.*text.txt, without"):
        create(folder)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_archive_is_an_error(folder, num_workers):
    (folder / "text.txt").write_bytes(b"PK\x03\x04" + bytes(30))

    with pytest.raises(UserError, match=r"text.txt, line 1: .* a zip archive"):
        create(folder, f"--num_workers={num_workers}")
    assert not list(folder.glob("out*"))


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_dump_is_an_error(folder, num_workers):
    dump = bz2.compress(b'<mediawiki xmlns="x">\n  <page>\n')
    (folder / "text.txt").write_bytes(dump)
    with pytest.raises(UserError, match="bert prepare_text --input_format=w"):
        create(folder, f"--num_workers={num_workers}")
    assert not (folder / "out").exists()


def test_one_document_works_with_a_warning(folder, caplog):
    (folder / "text.txt").write_text("a b c\nb c d\n")

    create(folder)

    assert "All text is one document" in caplog.text
    assert examples(folder / "out")


def test_output_in_place_of_an_input_is_an_error(folder):
    (folder / "link").symlink_to(folder / "text.txt")
    before = (folder / "text.txt").read_bytes()

    for name in ("text.txt", "link", "vocab.txt"):
        with pytest.raises(UserError, match="would replace a file"):
            create(folder, output=name)
    assert (folder / "text.txt").read_bytes() == before


def test_output_in_a_missing_folder_is_an_error_before_work(folder, caplog):
    with pytest.raises(UserError, match=r"--output_file=.*does not exist"):
        create(folder, output="missing/out")
    assert "Reading" not in caplog.text


def test_vocabulary_without_mask_is_an_error(folder):
    tokens = [token for token in VOCAB if token != "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join(tokens))

    with pytest.raises(UserError, match=r"vocab.txt.*\[MASK\] not found"):
        create(folder)


def run(*args):
    return subprocess.run(
        [sys.executable, "create_pretraining_data.py", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_command_makes_records(folder):
    """Also with a flag that is unknown, and the old name of another."""
    ran = run(
        f"--input_file={folder}/text.txt",
        f"--output_file={folder}/out",
        f"--vocab_file={folder}/vocab.txt",
        "--max_seq_length=12",
        "--max_predictions_per_seq=3",
        "--do_lower=True",
        "--dupe_facto=3",
    )

    assert (ran.returncode, ran.stdout) == (0, "")
    assert "--dupe_facto is ignored; did you mean --dupe_factor?" in ran.stderr
    number = len(examples(folder / "out"))
    assert f"Wrote {number} total instances" in ran.stderr
    create(folder, output="same")
    assert (folder / "same").read_bytes() == (folder / "out").read_bytes()


def test_bad_value_ends_the_command_with_one_line():
    ran = run(
        *["--input_file=a", "--output_file=b", "--vocab_file=c"],
        "--dupe_factor=0",
    )

    assert ran.returncode == 1
    assert ran.stderr == (
        "error: --dupe_factor must be at least 1. Received: 0.\n"
    )


@pytest.mark.parametrize("num_workers", [0, 1])
def test_local_files_need_no_tensorflow(folder, num_workers):
    code = (
        "import runpy, sys\n"
        "try:\n"
        "  runpy.run_path('create_pretraining_data.py', run_name='__main__')\n"
        "finally:\n"
        "  print('tensorflow' in sys.modules)\n"
    )
    args = [
        f"--input_file={folder}/text.txt",
        f"--output_file={folder}/out",
        f"--vocab_file={folder}/vocab.txt",
        f"--num_workers={num_workers}",
    ]

    ran = run_code(code, *args)

    assert (ran.returncode, ran.stdout) == (0, "False\n"), ran.stderr


def test_help_needs_no_tensorflow():
    code = (
        "import runpy, sys\n"
        "sys.argv = ['create_pretraining_data.py', '--help']\n"
        "try:\n"
        "  runpy.run_path('create_pretraining_data.py', run_name='__main__')\n"
        "finally:\n"
        "  print('tensorflow' in sys.modules)\n"
    )

    ran = run_code(code)

    assert "--masked_lm_prob" in ran.stdout
    assert ran.stdout.endswith("False\n")

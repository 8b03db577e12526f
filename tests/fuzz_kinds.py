"""The kinds of files that are read: sound files, their reader, a command."""

from collections.abc import Callable
from pathlib import Path

from tests import fuzz_files, fuzz_readers
from tests.conversion import run_folder
from tests.fuzz_child import Kind
from tests.fuzz_files import (
    GOLDEN,
    INPUTS,
    LABELS,
    MODELS,
    VOCAB,
    copies,
)

_TRAINED = f"--init_checkpoint={GOLDEN / 'train_classifier/model.ckpt-12'}"
_SIZED = (
    f"--bert_config_file={GOLDEN / 'model_base/bert_config.json'}",
    f"--vocab_file={VOCAB}",
    "--output_dir={}/out",
)
_ANSWER = ("predict", "--model_dir={}", "--input_file={}/in.txt")
_CLASSIFIER = copies(MODELS / "classifier", **{"in.txt": "the boat\n"})
_CONVERT = ("convert_checkpoint", "--input_dir={}", "--output_dir={}/out")


def _checkpoint_part(file: str) -> Kind:
    newest = (*_ANSWER, "--checkpoint=newest")
    return Kind(_CLASSIFIER, (file,), fuzz_readers.read_checkpoint, newest)


def _tables(ending: str) -> Kind:
    command = (
        *("run_classifier", f"--task_name={ending}", *_SIZED),
        *("--do_eval", "--do_predict", "--max_seq_length=16", _TRAINED),
        *(f"--{n}_file={{}}/single.{ending}" for n in ("dev", "test")),
        "--labels={}/labels.txt",
    )
    files = tuple(f"{label_type}.{ending}" for label_type in LABELS)
    read = fuzz_readers.tables(ending)
    return Kind(fuzz_files.tables, files, read, command)


def _with_model(name: str, **texts: str) -> Callable[[Path], None]:
    """Returns what makes texts, and a folder with a model of a task."""

    def make(folder: Path) -> None:
        copies(**texts)(folder)
        run_folder.write(GOLDEN, folder / "model", name)

    return make


def _requests(name: str, **texts: str) -> Kind:
    """Returns the requests to a model of a task, by the endings of files."""
    lines = {f"in.{ending}": text for ending, text in texts.items()}
    command = ("predict", "--model_dir={}/model", "--input_file={}/in.jsonl")
    read = fuzz_readers.requests(*lines)
    return Kind(_with_model(name, **lines), tuple(lines), read, command)


KINDS: dict[str, Kind] = {
    "vocabulary": Kind(
        _CLASSIFIER, ("vocab.txt",), fuzz_readers.read_vocabulary, _ANSWER
    ),
    "bert_config": Kind(
        _CLASSIFIER, ("bert_config.json",), fuzz_readers.read_model, _ANSWER
    ),
    "task": Kind(
        copies(MODELS / "squad", **{"in.txt": "Who? ||| The boat sank.\n"}),
        ("task.json",),
        fuzz_readers.read_model,
        _ANSWER,
    ),
    "labels": Kind(
        _CLASSIFIER, ("labels.txt",), fuzz_readers.read_label_file, _ANSWER
    ),
    "checkpoint_state": _checkpoint_part("checkpoint"),
    "checkpoint_index": _checkpoint_part("model.ckpt-12.index"),
    "checkpoint_data": _checkpoint_part("model.ckpt-12.data-00000-of-00001"),
    "run": Kind(
        _CLASSIFIER, ("model.ckpt-12.run.json",), fuzz_readers.read_checkpoint
    ),
    "saved_model_assets": Kind(
        copies(MODELS / "squad_export", **{"in.txt": "Who? ||| The boat.\n"}),
        tuple(
            f"assets/{n}"
            for n in ("bert_config.json", "task.json", "vocab.txt")
        ),
        fuzz_readers.read_model,
        _ANSWER,
    ),
    "records": Kind(
        fuzz_files.records,
        ("plain.tfrecord", "gzip.tfrecord"),
        fuzz_readers.read_records,
        (
            *("run_pretraining", "--input_file={}/*.tfrecord", "--do_eval"),
            *(*_SIZED[::2], "--max_seq_length=32", "--max_eval_steps=2"),
            f"--init_checkpoint={GOLDEN / 'train_pretraining/model.ckpt-12'}",
        ),
        (fuzz_files.open_record, fuzz_files.open_record_length),
    ),
    "squad": Kind(
        copies(
            INPUTS / "squad/train-v2.0.json", INPUTS / "squad/dev-v2.0.json"
        ),
        ("train-v2.0.json", "dev-v2.0.json"),
        fuzz_readers.read_squad,
        (
            *("run_squad", "--do_predict", "--version_2_with_negative"),
            *(*_SIZED, "--predict_file={}/dev-v2.0.json"),
            *("--max_seq_length=48", "--doc_stride=16"),
            "--max_query_length=12",
            f"--init_checkpoint={GOLDEN / 'train_squad/model.ckpt-12'}",
        ),
    ),
    "csv": _tables("csv"),
    "tsv": _tables("tsv"),
    "jsonl": _tables("jsonl"),
    "conll": Kind(
        _with_model(
            "ner",
            **{
                "spaces.txt": "EU NNP B-ORG\nwas VBZ O\n\nPeter NNP B-PER\n",
                "tabs.txt": "-DOCSTART-\tO\n\nNew York\tB-LOC\nis\tO\n",
            },
        ),
        ("spaces.txt", "tabs.txt"),
        fuzz_readers.read_conll,
        (
            *("run_ner", "--do_eval", "--do_predict", "--max_seq_length=16"),
            *("--dev_file={}/spaces.txt", "--test_file={}/spaces.txt"),
            *("--output_dir={}/model", "--vocab_file={}/model/vocab.txt"),
            "--bert_config_file={}/model/bert_config.json",
        ),
    ),
    "choices": Kind(
        copies(
            **{
                "own.csv": 'text,a,b,label\n"The boat, it",sank,swam,0\n'
                "A lake,x,y,1\n",
                "own.jsonl": '{"text": "The boat", "a": "sank", "b": "swam",'
                ' "label": 1}\n',
            }
        ),
        ("own.csv", "own.jsonl"),
        fuzz_readers.read_choices,
    ),
    "safetensors": Kind(
        fuzz_files.hugging_face,
        ("model.safetensors",),
        fuzz_readers.read_converted,
        _CONVERT,
        (fuzz_files.open_safetensors,),
    ),
    "hugging_face": Kind(
        fuzz_files.hugging_face,
        ("config.json",),
        fuzz_readers.read_converted,
        _CONVERT,
    ),
    "tokenizer": Kind(
        fuzz_files.hugging_face,
        ("tokenizer.json", "tokenizer_config.json", "vocab.txt"),
        fuzz_readers.read_converted,
        _CONVERT,
    ),
    "corpus": Kind(
        copies(INPUTS / "corpus_b.txt"),
        ("corpus_b.txt",),
        fuzz_readers.read_corpus,
        (
            *("create_pretraining_data", "--input_file={}/corpus_b.txt"),
            *("--output_file={}/out.tfrecord", _SIZED[1]),
            *("--max_seq_length=32", "--max_predictions_per_seq=5"),
        ),
    ),
    "packed": Kind(
        fuzz_files.packed,
        ("gzip.txt", "bz2.txt", "lzma.txt"),
        fuzz_readers.read_packed,
        openers=(fuzz_files.open_packed,),
    ),
    "resume": Kind(
        copies(
            MODELS / "classifier",
            **{
                "resume.json": '{"task": "classification", "labels": ["a"], '
                '"vocabulary": "sha256:0", "train_batch_size": 8}\n'
            },
        ),
        ("resume.json",),
        fuzz_readers.read_resume,
    ),
    "features": Kind(
        copies(INPUTS / "features.txt"),
        ("features.txt",),
        fuzz_readers.read_feature_lines,
        (
            *("extract_features", "--input_file={}/features.txt", *_SIZED[:2]),
            *("--output_file={}/out.jsonl", "--max_seq_length=16"),
            "--layers=-1",
            f"--init_checkpoint={GOLDEN / 'model_base/bert_model.ckpt'}",
        ),
    ),
    "texts": _requests(
        "classification",
        txt="The boat\nThe lake ||| of the boat\n",
        jsonl='{"text": "The boat", "id": 1}\n'
        '{"text": "The lake", "text_pair": "of"}\n',
    ),
    "table_requests": Kind(
        fuzz_files.tables,
        ("single.csv", "single.tsv"),
        fuzz_readers.read_table_requests,
        (
            *("predict", f"--model_dir={MODELS / 'classifier'}"),
            *("--input_file={}/single.csv", "--pair_column=pair"),
            "--on_error=answer",
        ),
    ),
    "questions": _requests(
        "squad",
        txt="Who? ||| The boat sank.\n",
        jsonl='{"question": "Who?", "context": "The boat.", "id": []}\n',
    ),
    "words": _requests(
        "ner",
        txt="The boat sank.\n",
        jsonl='{"tokens": ["The", "boat"]}\n{"text": "The lake"}\n',
    ),
    "choice_requests": _requests(
        "multiple_choice",
        jsonl='{"text": "The boat", "choices": ["sank.", "swam."]}\n',
    ),
}

"""What reads each kind of file, without a script around it."""

import functools
import io
import itertools
import random
from collections.abc import Callable
from pathlib import Path

from bert import predict
from bert.conversion import huggingface, vocabulary
from bert.data.corpus import instances
from bert.data.corpus.documents import no_text, read_documents
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import record_files
from bert.data.tables import conll
from bert.data.text import tokenization
from bert.data.text.tokenization import FullTokenizer
from bert.files import text_input
from bert.model_folder import labels, model_files, resume_file
from bert.modeling import checkpoint
from bert.serving import line_service, table_service
from bert.serving.answering import Failures
from bert.serving.predictor import Predictor
from bert.tasks.classification import features, kinds, sets
from bert.tasks.classification.table_files import TableProcessor, TableSettings
from bert.tasks.features import features_text
from bert.tasks.multiple_choice import examples as choices
from bert.tasks.squad import examples as squad
from bert.tasks.squad import windows
from bert.tasks.tagging import windows as tagging
from bert.training import checkpointing
from tests.fuzz_files import LABELS, MODELS, VOCAB
from tests.scripts.runner import config_of


@functools.cache
def _tokenizer() -> FullTokenizer:
    return FullTokenizer(VOCAB, True)


def read_vocabulary(folder: Path) -> None:
    path = folder / "vocab.txt"
    tokenizer = tokenization.checked_tokenizer(str(path), True)
    tokenizer.check_fits(10**6, "bert_config.json")
    tokenizer.encode("The harbour's boats, unaffable.")
    vocabulary.read_file(str(path), 10**6)


def read_model(folder: Path) -> None:
    model_files.find(str(folder))


def read_checkpoint(folder: Path) -> None:
    reader = checkpoint.Reader(str(folder))
    for name in reader.shapes:
        reader.read(name)
    checkpointing.step_of(reader)
    checkpointing.read_state(reader)


def read_label_file(folder: Path) -> None:
    read_model(folder)
    labels.choose(str(folder / "labels.txt"), None, True)


def read_records(folder: Path) -> None:
    for name in ("plain", "gzip"):
        source = record_files.RecordSource(
            [str(folder / f"{name}.tfrecord")],
            pretraining_fields(32, 20),
            {"input_ids": 391, "segment_ids": 2},
        )
        record_files.check_records(source, limit=None)


def read_squad(folder: Path) -> None:
    settings = windows.WindowSettings(48, 16, 12)
    for answer_offsets in ("words", "characters"):
        train = squad.read_training_examples(
            str(folder / "train-v2.0.json"), True, answer_offsets, "first"
        )
        list(windows.windows(train.examples, _tokenizer(), settings))
        dev = squad.read_prediction_examples(
            str(folder / "dev-v2.0.json"),
            with_answers=True,
            version_2_with_negative=True,
            answer_offsets=answer_offsets,
        )
        list(windows.windows(dev, _tokenizer(), settings))


def read_conll(folder: Path) -> None:
    for name in ("spaces.txt", "tabs.txt"):
        corpus = conll.read_conll(str(folder / name), conll.Columns(), True)
        names = conll.labels_of(corpus)
        labels.check_names(names, corpus.path)
        ids = {label: number for number, label in enumerate(names)}
        featurizer = tagging.Featurizer(_tokenizer(), ids, 16)
        for sentence in corpus.sentences:
            list(featurizer.features(sentence))


def read_choices(folder: Path) -> None:
    columns = choices.Columns("text", ("a", "b"), "label")
    for file_format in ("csv", "jsonl"):
        for part in ("train", "test"):
            path = str(folder / f"own.{file_format}")
            choices.read(path, file_format, part, columns)


def read_corpus(folder: Path) -> None:
    path = str(folder / "corpus_b.txt")
    with open(path, "rb") as file:
        documents = read_documents([(path, file)], _tokenizer().encode)
    if not documents:
        raise no_text([path])
    settings = InstanceSettings(32, 5, 0.15, 0.1, 1, True)
    vocabulary = Vocabulary.from_vocab(_tokenizer().vocab)
    list(
        instances.create_training_instances(
            documents, settings, vocabulary, random.Random(1)
        )
    )


def read_converted(folder: Path) -> None:
    huggingface.read(str(folder))


def read_feature_lines(folder: Path) -> None:
    path = str(folder / "features.txt")
    with features_text.open_lines(path, "input_file") as lines:
        for text in itertools.chain.from_iterable(lines):
            _tokenizer().encode(text or "")


def read_packed(folder: Path) -> None:
    for path in folder.iterdir():
        with text_input.reader(str(path)) as file:
            assert file.read() == text_input.read(str(path))


def read_resume(folder: Path) -> None:
    now = {"task": "squad", "labels": ["b"], "vocabulary": "sha256:1"}
    resume_file.check(str(folder), now, insists=True)


def read_table_requests(folder: Path) -> None:
    predictor = _predictor(MODELS / "classifier")
    for name in ("single.csv", "single.tsv"):
        for failures in Failures:
            asked = table_service.Asked(name == "single.csv", {}, failures)
            content = (folder / name).read_bytes()
            out = io.BytesIO()
            table_service.serve(name, content, predictor, asked, out)


@functools.cache
def _predictor(folder: Path) -> Predictor:
    return Predictor.load(str(folder), batch_size=64)


def tables(ending: str) -> Callable[[Path], None]:
    """Returns what reads the tables of a format."""

    def read(folder: Path) -> None:
        for label_type in LABELS:
            file = str(folder / f"{label_type}.{ending}")
            processor = TableProcessor(
                TableSettings(
                    ending,
                    train_file=file,
                    test_file=file,
                    pair_column="pair",
                    label_type=label_type,
                )
            )
            train = processor.get_train_examples(None)
            names = sets.label_names(processor)
            ids = sets.label_ids(train, kinds.find(processor.kind), names, 16)
            list(features.featurize(train, ids, 16, _tokenizer()))
            processor.get_test_examples(None)

    return read


def requests(*files: str) -> Callable[[Path], None]:
    """Returns what answers files of requests to the model beside them."""

    def read(folder: Path) -> None:
        predictor = _predictor(folder / "model")
        for file in files:
            args = (f"--model_dir={folder}", f"--input_file={folder / file}")
            config = config_of(predict, *args)
            with line_service.open_input(config.input_file) as source:
                service = predict.service(config, predictor)
                line_service.serve(source, service, io.BytesIO())

    return read

"""test_predictions.txt and predictions.jsonl: the labels of a file's words."""

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence

from absl import logging

from bert.data.tables.conll import Corpus
from bert.errors import UserError
from bert.files import atomic_files

FILES = ("test_predictions.txt", "predictions.jsonl")


def write(
    output_dir: str,
    corpus: Corpus,
    predicted: Sequence[Sequence[str]],
    probabilities: Iterable[float],
) -> None:
    """Writes what is predicted for a file.

    Args:
        output_dir: gets both files.
        corpus: the file that was predicted.
        predicted: for each of its sentences, a label for each word.
        probabilities: of these labels, in the order of the words.

    Raises:
        UserError: one is no number; then neither is written.
    """
    texts = (
        "".join(conll_text(corpus, predicted)),
        "".join(json_lines(corpus, predicted, probabilities)),
    )
    for name, text in zip(FILES, texts, strict=True):
        path = os.path.join(output_dir, name)
        atomic_files.write_text(path, text)
        logging.info("Wrote %s", path)


def conll_text(
    corpus: Corpus, predicted: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Yields the text of each sentence with its predictions.

    A line a word: the word, its label in the file where there is one, the
    prediction; with the file's separator, and a blank line at the end.

    Args:
        corpus: the file that was predicted.
        predicted: for each of its sentences, a label for each word.
    """
    for sentence, labels in zip(corpus.sentences, predicted, strict=True):
        columns = [sentence.words, sentence.labels, labels]
        lines = zip(*(c for c in columns if c is not None), strict=True)
        yield (
            "".join(f"{corpus.separator.join(line)}\n" for line in lines) + "\n"
        )


def json_lines(
    corpus: Corpus,
    predicted: Iterable[Sequence[str]],
    probabilities: Iterable[float],
) -> Iterator[str]:
    """Yields a line of JSON for each sentence.

    Its keys: `id`, test- and the sentence's number from 0; `tokens`; `labels`,
    those predicted; `probabilities`, of these labels.

    Args:
        corpus: the file that was predicted.
        predicted: for each of its sentences, a label for each word.
        probabilities: for each word of the file, in order.

    Raises:
        UserError: one is no number, which JSON cannot write.
    """
    each = iter(probabilities)
    for number, (sentence, labels) in enumerate(
        zip(corpus.sentences, predicted, strict=True)
    ):
        # By way of text: the digits that a float32 has.
        own = [float(str(next(each))) for _ in labels]
        if not all(map(math.isfinite, own)):
            raise UserError(
                f"{corpus.path}, line {sentence.line}: expected a probability "
                "for each word. Received: the model's output for the sentence "
                "is not a number; was it trained to a finite loss?"
            )
        line = {
            "id": f"test-{number}",
            "tokens": sentence.words,
            "labels": list(labels),
            "probabilities": own,
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"

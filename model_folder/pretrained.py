"""A model for code of one's own: weights, tokenizer and sizes of a folder."""

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from bert.data.records import packing
from bert.data.tables import rows
from bert.data.text import tokenizers
from bert.data.text.tokenization import FullTokenizer, checked_tokenizer
from bert.errors import UserError
from bert.model_folder import locate, task_files, weights
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.backbones.choice import make_backbone
from bert.modeling.checkpoint import load_weights
from bert.modeling.config import BertConfig, read_config
from bert.modeling.task_model import TaskModel


class Pretrained(NamedTuple):
    """What `from_checkpoint` returns.

    Attributes:
        model: an encoder, such as a `BertModel`, which is a Keras layer; or,
            of a task model, a `keras.Model` with compile, fit, evaluate and
            predict.
        tokenizer: of the model's vocabulary.
        config: the model's sizes.
    """

    model: keras.layers.Layer
    tokenizer: FullTokenizer
    config: BertConfig

    def features(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        max_seq_length: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Returns texts as the model's inputs.

        Args:
            texts: B texts, the first ones of pairs.
            pairs: the second ones, such as the paragraphs of questions.
            max_seq_length: longer ones are cut; None: at the longest sequence
                that the model takes.

        Returns:
            `input_ids`, `input_mask` and `segment_ids`, int32 [B, S]: S is the
            longest sequence of these.

        Raises:
            UserError: the model takes no sequences of this length; texts and
                pairs are not as many.
        """
        limit = max_seq_length or self.config.max_position_embeddings
        self.config.check_sequence_length(limit)
        seconds = [None] * len(texts) if pairs is None else pairs
        given = [*texts, *(pairs or ())]
        if (
            isinstance(texts, str)
            or not 0 < len(texts) == len(seconds)
            or not all(isinstance(text, str) for text in given)
        ):
            raise UserError(
                "Expected a list of texts, at least one, and as many second "
                f"texts. Received: {rows.shorten(texts)} and "
                f"{rows.shorten(pairs)}."
            )
        special = packing.SpecialIds.from_vocab(self.tokenizer.vocab)
        encode = functools.partial(self.tokenizer.encode, limit=limit)
        packed = [
            packing.pack_texts(a, b, encode, special, limit)
            for a, b in zip(texts, seconds, strict=True)
        ]
        longest = max(len(row.ids) for row in packed)
        padded = [packing.pad(row, longest) for row in packed]
        return {
            name: np.array([row[name] for row in padded], np.int32)
            for name in padded[0]
        }


def from_checkpoint(
    folder: str | os.PathLike[str],
    model_class: Callable[..., Backbone | TaskModel] = make_backbone,
    do_lower_case: bool | None = None,
    checkpoint: str | int | None = None,
    **options: Any,
) -> Pretrained:
    """Loads a model, its tokenizer and its configuration.

    Weights that the checkpoint lacks, such as a new head's, are left as they
    are drawn, and named in a warning.

    Args:
        folder: of a published model, a training run, or a SavedModel;
            `$BERT_BASE_DIR` and `~` may be in it.
        model_class: a task model; by default the encoder that the
            configuration says, a `BertModel` of most.
        do_lower_case: whether texts are lower-cased; None: as task.json says,
            or else the vocabulary.
        checkpoint: of a run's folder, see `weights.choose`; None: the best
            where there is one, else the newest.
        **options: arguments of the model's class: `num_labels`, ….

    Raises:
        UserError: a file is missing or wrong, or does not fit the others; or
            nothing tells whether texts are lower-cased.
    """
    folder = os.path.expanduser(os.path.expandvars(os.fspath(folder)))
    files = folder
    if locate.is_saved_model(folder):
        files = os.path.join(folder, task_files.ASSETS)
    config_file = _needed(files, task_files.CONFIG_FILE)
    vocab_file = locate.vocab_file(files) or _needed(
        files, task_files.VOCAB_FILE
    )
    config = read_config(config_file)
    tokenizer = checked_tokenizer(
        vocab_file, _do_lower_case(files, vocab_file, do_lower_case)
    )
    tokenizer.check_fits(config.vocab_size, config_file)
    model = model_class(config, **options)
    load_weights(model, weights.find(folder, checkpoint)).log()
    if isinstance(model, TaskModel):
        model = model.keras_model()
    return Pretrained(model, tokenizer, config)


def _needed(folder: str, name: str) -> str:
    found = locate.file(folder, name)
    if found is None:
        raise UserError(
            f"Expected the folder of a model, with {name} in it. Received: "
            f"{folder}, without."
        )
    return found


def _do_lower_case(folder: str, vocab_file: str, given: bool | None) -> bool:
    kept = locate.task(folder)
    if given is None and kept:
        given = kept.do_lower_case
    if given is None:
        given = tokenizers.is_uncased(vocab_file)
    if given is None:
        raise UserError(
            "Expected whether the model's texts are lower-cased. Received: "
            f"{folder}, which does not tell; pass do_lower_case=True for an "
            "uncased model, False for a cased one."
        )
    return given

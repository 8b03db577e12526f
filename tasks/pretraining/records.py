"""What the records of pre-training become on their way to the model.

    in the files     trained on, --pack_sequences    evaluated
    one text         packed                          as they are
    several texts    as they are                     one text each

Masks are those of the records; with --masking=dynamic they are drawn anew for
each row that is trained on. An evaluation keeps them, or, where records have
none, draws the same ones each time.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from bert.data.corpus import (
    drawn_masks,
    instance_rows,
    packed_texts,
    record_notes,
)
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.packed_texts import Arrays
from bert.data.corpus.record_fields import TEXT_STARTS, pretraining_fields
from bert.data.records import record_bytes, record_files
from bert.data.records.record_files import Batch, RecordSource
from bert.data.text import special_tokens, tokenizers
from bert.errors import UserError
from bert.modeling import BertConfig
from bert.modeling.backbones.choice import backbone_class
from bert.tasks.pretraining.config import MASK_FLAGS, Config

# Records that are looked at for what they are.
_FIRST = 100
# How records without a note are masked, as the original's are by default.
_SETTINGS = InstanceSettings(
    max_seq_length=128,
    max_predictions_per_seq=20,
    masked_lm_prob=0.15,
    short_seq_prob=0.1,
    dupe_factor=1,
    do_whole_word_mask=False,
)


class Kind(NamedTuple):
    """What records are, as far as the first ones tell.

    Attributes:
        are_packed: whether they have several texts.
        are_masked: whether there is something to predict.
        first_id: what a text begins with; None where that cannot be read.
    """

    are_packed: bool = False
    are_masked: bool = True
    first_id: int | None = None


def kind_of(files: Sequence[str]) -> Kind:
    """Returns what records are; one that is none is not named here."""
    kind = Kind()
    with contextlib.suppress(
        DecodeError, tf.errors.OpError, UnicodeDecodeError
    ):
        for record in record_files.serialized(files).take(_FIRST):
            features = tf.train.Example.FromString(record.numpy()).features
            weights = features.feature["masked_lm_weights"].float_list.value
            ids = features.feature["input_ids"].int64_list.value
            kind = Kind(
                TEXT_STARTS in features.feature,
                any(weights) or not weights,
                next(iter(ids), None),
            )
            if kind.are_masked:
                break
    return kind


def check(
    config: Config, files: Sequence[str], kind: Kind, *, is_trained: bool
) -> None:
    """Checks that the flags fit the records.

    Args:
        config: the flags' values.
        files: the records'.
        kind: what they are.
        is_trained: whether they are trained on, or evaluated alone.

    Raises:
        UserError: they do not.
    """
    if kind.are_packed and is_trained and not config.pack_sequences:
        raise UserError(
            f"{files[0]} has several texts in a record; add --pack_sequences, "
            "or create the records without it."
        )
    if config.masking == "static":
        if not kind.are_masked:
            # It would be another training: not for the sake of an --eval_file.
            is_free = is_trained or not config.do_train
            raise UserError(
                f"The records of {files[0]} have no masks; "
                + "add --masking=dynamic, or " * is_free
                + "create them with --masking=static."
            )
        return
    if not config.vocab_file:
        raise UserError(
            "--masking=dynamic needs --vocab_file, the vocabulary that the "
            "records were made with."
        )
    vocab = tokenizers.load_vocab(config.vocab_file)
    name = special_tokens.of(vocab).cls
    own = vocab[name]
    if kind.first_id not in (None, own):
        raise UserError(
            f"{files[0]} was made with another vocabulary than --vocab_file="
            f"{config.vocab_file}: a text begins with id {kind.first_id}, but "
            f"{name} is {own}; name that of the records."
        )
    _masking(config, files)  # what is wrong with it is said at once


def check_encoder(
    config: Config, bert_config: BertConfig, whose: str = ""
) -> None:
    """Checks that an encoder takes the rows of the flags.

    Args:
        config: the flags' values.
        bert_config: of a model that is trained, or teaches it.
        whose: says which model that is, if it is not the one that is trained.

    Raises:
        UserError: it does not.
    """
    if config.pack_sequences and not backbone_class(bert_config).packs:
        raise UserError(
            f"{whose}--pack_sequences needs an encoder that takes several "
            "texts in a row, such as 'bert'. Received: encoder_type "
            f"{bert_config.encoder_type!r}; leave it out."
        )


def for_training(config: Config, source: RecordSource) -> RecordSource:
    """Returns what is trained on.

    Args:
        config: the flags' values.
        source: the records as they are in the files.
    """
    masking = None
    if config.masking == "dynamic":
        masking = _masking(config, source.files)
        source = dataclasses.replace(source, finish=masking.finish)
    if not config.pack_sequences or _are_packed(source):
        return source

    def pack(texts: Arrays) -> Arrays:
        room = None
        if masking:
            lengths = packed_texts.lengths(texts)
            room = instance_rows.num_to_predict(lengths, masking.settings)
        return packed_texts.pack(texts, room)

    return _remade(config, source, pack, pack_sequences=True)


def settled(config: Config, files: Sequence[str]) -> Config:
    """Returns the flags' values with how masks are drawn, where they are.

    Args:
        config: the flags' values.
        files: the records that are trained on, whose note says what no flag
            does.
    """
    if config.masking == "static":
        return config
    settings = _masking(config, files).settings
    return dataclasses.replace(
        config, **{name: getattr(settings, name) for name in MASK_FLAGS}
    )


def for_evaluation(config: Config, source: RecordSource) -> RecordSource:
    """Returns what is evaluated.

    Args:
        config: the flags' values.
        source: the records as they are in the files.
    """
    kind = kind_of(source.files)
    if not kind.are_masked:
        source = dataclasses.replace(
            source, finish=_masking(config, source.files).finish
        )
    if not kind.are_packed:
        return source
    return _remade(
        config,
        source,
        lambda rows: packed_texts.texts_of(rows)[0],
        pack_sequences=False,
    )


def _are_packed(source: RecordSource) -> bool:
    return any(field.name == TEXT_STARTS for field in source.fields)


def _remade(
    config: Config,
    source: RecordSource,
    function: Callable[[Arrays], Arrays],
    pack_sequences: bool,
) -> RecordSource:
    """Returns a source of what a function makes of the records' fields."""
    fields = pretraining_fields(
        config.max_seq_length, config.max_predictions_per_seq, pack_sequences
    )

    def remake(serialized: tf.Tensor) -> tf.Tensor:
        values = record_files.parse(source, serialized)

        def records(*arrays: np.ndarray) -> np.ndarray:
            made = function(dict(zip(values, arrays, strict=True)))
            frames = record_bytes.frames(fields, made)
            found = [record_bytes.record_of(frame) for frame in frames]
            return np.array(found, object)

        made = tf.numpy_function(records, list(values.values()), tf.string)
        return tf.ensure_shape(made, [None])

    limits = {**source.limits}
    limits.pop(TEXT_STARTS, None)
    if pack_sequences:
        limits[TEXT_STARTS] = config.max_seq_length
    return dataclasses.replace(
        source, fields=fields, limits=limits, remake=remake
    )


class _Masking(NamedTuple):
    """How masks are drawn.

    Attributes:
        settings: what to mask.
        vocabulary: the one that the ids are of.
    """

    settings: InstanceSettings
    vocabulary: Vocabulary

    def finish(self, seed: int, numbers: tf.Tensor, batch: Batch) -> Batch:
        """Returns a batch with masks drawn anew; see `RecordSource.finish`."""
        names = list(batch)

        def drawn(numbers: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
            rows = dict(zip(names, arrays, strict=True))
            found = drawn_masks.draw(
                seed, numbers, rows, self.settings, self.vocabulary
            )
            return list(found.values())

        found = tf.numpy_function(
            drawn,
            [numbers, *batch.values()],
            [tensor.dtype for tensor in batch.values()],
        )
        return {
            name: tf.ensure_shape(values, batch[name].shape)
            for name, values in zip(names, found, strict=True)
        }


def _masking(config: Config, files: Sequence[str]) -> _Masking:
    """Returns how masks are drawn.

    Args:
        config: the flags' values.
        files: the records; they are masked as their note says, but for what a
            flag says.
    """
    assert config.vocab_file  # `check` has seen it
    found = record_notes.common(files, config.has_next_sentence)
    settings = dataclasses.replace(
        found[0].settings if found else _SETTINGS,
        max_seq_length=config.max_seq_length,
        max_predictions_per_seq=config.max_predictions_per_seq,
        masking="static",
        **config.mask_settings,
    )
    if fault := next(settings.faults(), None):
        raise UserError(fault)
    return _Masking(
        settings,
        Vocabulary.from_vocab(tokenizers.load_vocab(config.vocab_file)),
    )

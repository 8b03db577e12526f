"""Writes the vectors that BERT makes of texts: of each token, or of each line.

Takes lines of text; writes JSON lines as the original does, or .npz. See
docs/features.md.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from absl import flags, logging

from bert.cli import command_line, shared_flags
from bert.cli.config import DeviceConfig
from bert.cli.progress import Progress
from bert.compat import names
from bert.data.records import packing
from bert.data.text.tokenization import FullTokenizer, checked_tokenizer
from bert.errors import UserError
from bert.tasks.features import example_log
from bert.tasks.spec import INPUTS

# TensorFlow is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    import numpy as np

    from bert.modeling import BertConfig, BertModel
    from bert.tasks.features import features_text

# What the vectors of the rows that are sorted together may take. BERT-Base,
# four layers, 128 tokens: 160 rows.
_WINDOW_BYTES = 2**28


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        input_file="Text, one line a row: a text or `text ||| text`.",
        output_file="File to write: JSON lines, or arrays if it is .npz.",
        vocab_file="The vocabulary file that the model was trained on.",
        bert_config_file="JSON file of the pre-trained BERT model.",
        init_checkpoint="The pre-trained BERT model: a checkpoint's prefix, "
        "its .index file or its folder.",
    )
    flags.DEFINE_string(
        "layers",
        "-1,-2,-3,-4",
        "Layers to write, separated by commas: 0 is the first, -1 the last.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "pooling",
        None,
        ["cls", "mean", "max"],
        "One vector a line instead of one a token: that of [CLS], or the mean "
        "or maximum over all tokens, [CLS] and [SEP] included.",
        flag_values=flag_values,
    )
    shared_flags.define_do_lower_case(flag_values)
    shared_flags.define_max_seq_length(
        flag_values, 128, "Longest sequence; what is longer is cut."
    )
    shared_flags.define_batch_sizes(flag_values, "batch_size", upper_bound=None)
    shared_flags.define_bools(
        flag_values,
        use_one_hot_embeddings="Accepted; it made the original faster on a "
        "TPU.",
    )
    shared_flags.define_device_flags(flag_values)


FLAGS = command_line.flags_of(define_flags)
__getattr__ = names.attributes_of("extract_features")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(DeviceConfig):
    """The values of a run's flags, by their names; checked together."""

    input_file: str
    output_file: str
    vocab_file: str
    bert_config_file: str
    init_checkpoint: str
    layers: str
    pooling: str | None
    do_lower_case: bool
    max_seq_length: int
    batch_size: int

    def __post_init__(self):
        layers = self.layer_indices
        if not self.output_file.endswith(".npz"):
            return
        if "://" in self.output_file:
            raise UserError(
                "A .npz file can only be written to a local path. Received: "
                f"--output_file={self.output_file}; copy it there afterwards."
            )
        if len(set(layers)) < len(layers):
            raise UserError(
                "--layers must be different ones for a .npz file, whose "
                f"arrays they name. Received: {self.layers}."
            )

    @property
    def layer_indices(self) -> list[int]:
        """The numbers in --layers."""
        try:
            return [int(index) for index in self.layers.split(",")]
        except ValueError as error:
            raise UserError(
                "--layers must be whole numbers, separated by commas, such as "
                f"-1,-2. Received: {self.layers!r}."
            ) from error

    def check_layers(self, num_layers: int) -> None:
        """Raises UserError where the model lacks one of the layers."""
        for index in self.layer_indices:
            if not -num_layers <= index < num_layers:
                raise UserError(
                    f"--layers must be from {-num_layers} to {num_layers - 1}: "
                    f"{self.bert_config_file} has {num_layers} layers. "
                    f"Received: {index}."
                )


def extract_features(config: Config) -> None:
    """Text → tokens → windows of rows → vectors, in the order of the file.

    Raises:
        UserError: a file is missing, wrong or in the way.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.modeling import BertModel, checkpoint
    from bert.modeling.config import read_config
    from bert.tasks.features import feature_files, features_text
    from bert.training import strategy

    # First of all: some strategies must be made before any operation runs.
    chosen = strategy.create(config, allows_workers=False)
    tokenizer = checked_tokenizer(config.vocab_file, config.do_lower_case)
    bert_config = read_config(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    config.check_layers(bert_config.num_hidden_layers)
    tokenizer.check_fits(bert_config.vocab_size, config.bert_config_file)
    check_output_file(config)
    with (
        features_text.open_lines(config.input_file, "input_file") as lines,
        chosen.scope(),
    ):
        model = BertModel(bert_config, compute_dtype=config.compute_dtype)
        checkpoint.load_weights(model, config.init_checkpoint).log()
        with (
            feature_files.writer(
                config.output_file,
                config.layer_indices,
                bert_config.hidden_size,
                0 if config.pooling else max(map(len, tokenizer.vocab)),
            ) as out,
            Progress(None, "lines", compiles=True) as progress,
        ):
            for ids, values in vectors(
                config,
                model,
                pack(lines, config, bert_config, tokenizer),
                strategy.needs_fixed_shapes(chosen),
                progress.update,
            ):
                out.write(tokenizer.convert_ids_to_tokens(ids), values)
    logging.info("Wrote %s", config.output_file)


def check_output_file(config: Config) -> None:
    """Raises UserError where the vectors could not be written in the end."""
    from bert.files import flag_paths
    from bert.modeling import checkpoint

    prefix = checkpoint.resolve(config.init_checkpoint)
    inputs = (
        config.input_file,
        config.vocab_file,
        config.bert_config_file,
        prefix + ".index",
        prefix + checkpoint.DATA_SUFFIX,
    )
    if os.path.realpath(config.output_file) in map(os.path.realpath, inputs):
        raise UserError(
            "The vectors would replace a file that they are made from; write "
            f"to another. Received: --output_file={config.output_file}."
        )
    flag_paths.check_writable(config.output_file, "output_file")


def pack(
    lines: "Iterable[features_text.Line]",
    config: Config,
    bert_config: "BertConfig",
    tokenizer: FullTokenizer,
) -> Iterator[packing.Packed]:
    """Tokenizes lines; the first ones are shown as the original shows them.

    Raises:
        UserError: a line has two texts and the model one segment.
    """
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    for number, line in enumerate(lines):
        packed = packing.pack_texts(
            *line, tokenizer.encode, special, config.max_seq_length
        )
        is_pair = packed.first_length < len(packed.ids)
        if is_pair and bert_config.type_vocab_size < 2:
            raise UserError(
                f"{config.input_file}, line {number + 1}: expected one text, "
                f"as type_vocab_size in {config.bert_config_file} is 1. "
                "Received: two, separated by |||."
            )
        if number < example_log.LOGGED_EXAMPLES:
            example_log.log(
                number,
                tokenizer.convert_ids_to_tokens(packed.ids),
                packing.pad(packed, config.max_seq_length),
            )
        yield packed


def vectors(
    config: Config,
    model: "BertModel",
    packed: Iterable[packing.Packed],
    fixed_shapes: bool,
    report: Callable[[int], None] = lambda _: None,
) -> "Iterator[tuple[list[int], np.ndarray]]":
    """Computes the rows' vectors, in the order of the rows.

    Args:
        config: the values of the flags.
        model: with its weights.
        packed: the rows.
        fixed_shapes: whether all batches must have one shape.
        report: called with the number of rows of each batch that is done.

    Yields:
        A row's ids [T], and its vectors, float32 [layers, T, D], or [layers,
        D] where they are pooled.
    """
    import tensorflow as tf

    from bert.data.records import length_sorting
    from bert.tasks.features import features_text
    from bert.training import loop

    windows, true_error = features_text.windows(
        packed, window_size(config, model.config), config.max_seq_length
    )
    batches = length_sorting.sorted_batches(
        windows, config.batch_size, per_token=INPUTS, fixed_shapes=fixed_shapes
    )

    def encode(batch, training):
        ids, mask, segments = (batch[name] for name in INPUTS)
        return model(
            ids, input_mask=mask, segment_ids=segments, training=training
        )

    forward = loop.Forward(
        encode,
        functools.partial(
            select, layers=config.layer_indices, pooling=config.pooling
        ),
    )
    unreadable = loop.Unreadable((tf.errors.OpError,), true_error)

    def reported():
        for batch in forward(loop.Batches(batches, unreadable)):
            report(int((batch["row"] >= 0).sum()))
            yield batch

    for row in length_sorting.in_file_order(reported()):
        length = int(row["length"])
        values = row["values"]
        yield (
            row["input_ids"][:length].tolist(),
            values if config.pooling else values[:, :length],
        )


def window_size(config: Config, bert_config: "BertConfig") -> int:
    """Returns how many rows are sorted together; all are held in memory."""
    from bert.data.records import length_sorting

    numbers = len(config.layer_indices) * bert_config.hidden_size
    if not config.pooling:
        numbers *= config.max_seq_length
    batches = _WINDOW_BYTES // (4 * numbers * config.batch_size)
    return min(
        config.batch_size * max(1, batches),
        length_sorting.window_size(config.batch_size),
    )


def select(outputs, batch, layers: list[int], pooling: str | None):
    """Returns what is kept of a batch, tensors [B, ...]."""
    import tensorflow as tf

    from bert.modeling import pooling as poolings

    values = tf.stack(
        [outputs["all_encoder_layers"][index] for index in layers], axis=1
    )
    if pooling:
        values = poolings.POOLINGS[pooling](values, batch["input_mask"])
    return {
        "row": batch["row"],
        "input_ids": batch["input_ids"],
        "length": tf.reduce_sum(batch["input_mask"], axis=1),
        "values": values,
    }


def main(_: object = None) -> None:
    """Flags → lines of text → rows → vectors → file."""
    extract_features(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

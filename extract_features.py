"""Writes the vectors that BERT makes of texts: of each token, or of each line.

Takes lines of text; writes JSON lines as the original does, or .npz; on request
the attention, too, and what TensorBoard's projector shows. See
docs/features.md.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from absl import flags, logging

from bert.cli import command_line, shared_flags
from bert.cli.progress import Progress
from bert.compat import names
from bert.data.records import packing
from bert.data.text.tokenization import FullTokenizer, checked_tokenizer
from bert.errors import UserError
from bert.tasks.features import example_log
from bert.tasks.features.config import Config
from bert.tasks.spec import INPUTS

# TensorFlow is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    import numpy as np

    from bert.modeling import BertConfig
    from bert.modeling.backbones.backbone import Backbone
    from bert.tasks.features import features_text

# What the numbers of the rows that are sorted together may take. BERT-Base,
# four layers, 128 tokens: 160 rows; with attention 24.
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
    shared_flags.define_checkpoint(flag_values, "Which one of that folder")
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
    shared_flags.define_strings(
        flag_values,
        attention_file="File to write, a .npz: how much each token of a line "
        "looks at each other one, in all layers and heads.",
        projector_dir="Folder to make, for TensorBoard's projector: the "
        "vectors as points, one a line with --pooling, else one a token.",
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


class Row(NamedTuple):
    """A line that has been computed.

    Attributes:
        ids: [T].
        values: its vectors, float32 [layers, T, D], or [layers, D] where
            they are pooled.
        attention: float32 [all layers, heads, T, T]; None where it is not
            asked for.
    """

    ids: list[int]
    values: "np.ndarray"
    attention: "np.ndarray | None"


def extract_features(config: Config) -> None:
    """Text → tokens → windows of rows → vectors, in the order of the file.

    Raises:
        UserError: a file is missing, wrong or in the way.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.model_folder import same_words, weights
    from bert.modeling.config import read_config
    from bert.tasks.features import features_text, output_files

    tokenizer = checked_tokenizer(config.vocab_file, config.do_lower_case)
    bert_config = read_config(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    config.check_layers(bert_config.num_hidden_layers)
    tokenizer.check_fits(bert_config.vocab_size, config.bert_config_file)
    same_words.warn(config.init_checkpoint, tokenizer, config.do_lower_case)
    prefix = weights.find(config.init_checkpoint, config.checkpoint)
    output_files.check(config, prefix)
    with features_text.open_lines(config.input_file, "input_file") as lines:
        packed = pack(lines, config, bert_config, tokenizer)
        write_vectors(config, bert_config, tokenizer, prefix, packed)
    for path in config.written:
        logging.info("Wrote %s", path)


def write_vectors(
    config: Config,
    bert_config: "BertConfig",
    tokenizer: FullTokenizer,
    prefix: str,
    packed: Iterable[packing.Packed],
) -> None:
    """Loads the model, and writes the vectors of the rows.

    Args:
        config: the values of the flags.
        bert_config: the model's sizes.
        tokenizer: with its vocabulary.
        prefix: of its checkpoint.
        packed: the rows, as `pack` yields them.
    """
    from bert.modeling import checkpoint, randomness
    from bert.modeling.backbones.choice import make_backbone
    from bert.tasks.features import output_files
    from bert.training import strategy

    # First of all: some strategies must be made before any operation runs.
    chosen = strategy.create(config, allows_workers=False)
    with chosen.scope():
        with randomness.not_drawn(checkpoint.Reader(prefix)):
            model = make_backbone(
                bert_config, compute_dtype=config.compute_dtype
            )
        if config.attention_file:
            model.check_attention()
        checkpoint.load_weights(model, prefix).log()
        hidden_size = bert_config.hidden_size
        longest_token = max(map(len, tokenizer.vocab))
        with (
            output_files.opened(config, hidden_size, longest_token) as write,
            Progress(None, "lines", compiles=True) as progress,
        ):
            for row in vectors(
                config,
                model,
                packed,
                strategy.needs_fixed_shapes(chosen),
                progress.update,
            ):
                tokens = tokenizer.convert_ids_to_tokens(row.ids)
                write(tokens, row.values, row.attention)


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
    length = config.max_seq_length
    # No more of a text is in a sequence.
    encode = functools.partial(tokenizer.encode, limit=length)
    for number, line in enumerate(lines):
        packed = packing.pack_texts(*line, encode, special, length)
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
    model: "Backbone",
    packed: Iterable[packing.Packed],
    fixed_shapes: bool,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[Row]:
    """Computes the rows' vectors, in the order of the rows.

    Args:
        config: the values of the flags.
        model: with its weights.
        packed: the rows.
        fixed_shapes: whether all batches must have one shape.
        report: called with the number of rows of each batch that is done.
    """
    import tensorflow as tf

    from bert.data.records import file_order, length_sorting
    from bert.tasks.features import features_text
    from bert.training.batches import Batches, Unreadable
    from bert.training.forward import Forward

    windows, true_error = features_text.windows(
        packed, window_size(config, model.config), config.max_seq_length
    )
    batches = length_sorting.sorted_batches(
        windows,
        batch_size(config, model.config),
        per_token=INPUTS,
        fixed_shapes=fixed_shapes,
        least_work=True,
    )

    def encode(batch, training):
        ids, mask, segments = (batch[name] for name in INPUTS)
        return model(
            ids,
            input_mask=mask,
            segment_ids=segments,
            training=training,
            with_attention=bool(config.attention_file),
        )

    forward = Forward(
        encode,
        functools.partial(
            select, layers=config.layer_indices, pooling=config.pooling
        ),
    )
    unreadable = Unreadable((tf.errors.OpError,), true_error)

    def reported():
        for batch in forward(Batches(batches, unreadable)):
            report(int((batch["row"] >= 0).sum()))
            yield batch

    for row in file_order.in_file_order(reported()):
        length = int(row["length"])
        values, attention = row["values"], row.get("attention")
        yield Row(
            row["input_ids"][:length].tolist(),
            values if config.pooling else values[:, :length],
            None if attention is None else attention[..., :length, :length],
        )


def batch_size(config: Config, bert_config: "BertConfig") -> int:
    """Returns how many rows are computed together.

    With attention, which is much larger, it may be fewer than --batch_size.
    """
    if not config.attention_file:
        return config.batch_size
    most = _WINDOW_BYTES // _row_bytes(config, bert_config)
    return min(config.batch_size, max(1, most))


def window_size(config: Config, bert_config: "BertConfig") -> int:
    """Returns how many rows are sorted together; all are held in memory."""
    from bert.data.records import length_sorting

    size = batch_size(config, bert_config)
    batches = _WINDOW_BYTES // (_row_bytes(config, bert_config) * size)
    return min(size * max(1, batches), length_sorting.window_size(size))


def _row_bytes(config: Config, bert_config: "BertConfig") -> int:
    """Returns what is kept of the longest rows, in bytes a row."""
    length = config.max_seq_length
    numbers = len(config.layer_indices) * bert_config.hidden_size
    if not config.pooling:
        numbers *= length
    if config.attention_file:
        heads = bert_config.num_attention_heads
        numbers += bert_config.num_hidden_layers * heads * length**2
    return 4 * numbers


def select(outputs, batch, layers: list[int], pooling: str | None):
    """Returns what is kept of a batch, tensors [B, ...]."""
    import tensorflow as tf

    from bert.modeling import pooling as poolings

    values = tf.stack(
        [outputs["all_encoder_layers"][index] for index in layers], axis=1
    )
    if pooling:
        values = poolings.POOLINGS[pooling](values, batch["input_mask"])
    kept = {
        "row": batch["row"],
        "input_ids": batch["input_ids"],
        "length": tf.reduce_sum(batch["input_mask"], axis=1),
        "values": values,
    }
    if "attention_probs" in outputs:
        kept["attention"] = tf.stack(outputs["attention_probs"], axis=1)
    return kept


def main(_: object = None) -> None:
    """Flags → lines of text → rows → vectors → file."""
    extract_features(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

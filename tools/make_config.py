"""Writes a model's sizes (bert_config.json) for a vocabulary.

Prints how many parameters it has and what training takes. See
docs/own_language.md.
"""

import dataclasses
import math
import re

from absl import flags, logging

from bert.cli import command_line, environment, shared_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.files import atomic_files, flag_paths
from bert.modeling.backbones.choice import ENCODER_TYPES
from bert.modeling.config import BertConfig

# Layers and hidden size, as the original's models have them.
SIZES = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "medium": (8, 512),
    "base": (12, 768),
    "large": (24, 1024),
}
_HEAD_SIZE = 64


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        size=f"{', '.join(SIZES)}, or LAYERSxUNITS (6x384); heads have "
        f"{_HEAD_SIZE} units.",
        vocab_file="The vocabulary: as many rows has the table of words.",
        output_file="Where to write bert_config.json.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        max_position_embeddings=(512, "Word pieces of the longest sequence."),
        max_seq_length=(128, "Of the training whose memory is printed."),
    )
    flags.DEFINE_enum(
        "encoder_type",
        BertConfig.encoder_type,
        list(ENCODER_TYPES),
        "Which encoder; see docs/encoders.md.",
        flag_values=flag_values,
    )
    shared_flags.define_batch_sizes(flag_values, "train_batch_size")
    shared_flags.define_bools(
        flag_values, overwrite="Whether to replace an output_file."
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig):
    """The values of the flags, by their names."""

    size: str
    vocab_file: str
    output_file: str
    max_position_embeddings: int
    max_seq_length: int
    encoder_type: str
    train_batch_size: int
    overwrite: bool

    def __post_init__(self):
        layers, units = self.layers_and_units
        if not layers or not units or units % _HEAD_SIZE:
            raise UserError(
                f"--size must be one of {', '.join(SIZES)}, or LAYERSxUNITS, "
                f"the units a multiple of {_HEAD_SIZE}. Received: "
                f"{self.size!r}."
            )
        if self.max_seq_length > self.max_position_embeddings:
            raise UserError(
                "--max_seq_length must be at most "
                f"{self.max_position_embeddings} (--max_position_embeddings). "
                f"Received: {self.max_seq_length}."
            )

    @property
    def layers_and_units(self) -> tuple[int, int]:
        """What --size says; zeros where it says nothing."""
        if self.size in SIZES:
            return SIZES[self.size]
        found = re.fullmatch(r"(\d{1,9})x(\d{1,9})", self.size, re.ASCII)
        return (int(found[1]), int(found[2])) if found else (0, 0)


def make_config(config: Config) -> None:
    """Sizes → file.

    Raises:
        UserError: the vocabulary cannot be used, or a file is in the way.
    """
    from bert.data.text import special_tokens, tokenizers

    path = config.output_file
    flag_paths.check_new_file(
        path, "output_file", config.overwrite, [config.vocab_file]
    )
    vocab = tokenizers.load_vocab(config.vocab_file)
    if not vocab:
        raise UserError(
            f"--vocab_file={config.vocab_file}: expected a piece a line. "
            "Received: an empty file."
        )
    if tokenizers.kind_of(config.vocab_file) == tokenizers.WORD_PIECES:
        names = special_tokens.WORD_PIECES
        special_tokens.require(vocab, sorted({*names}), config.vocab_file)
    layers, units = config.layers_and_units
    model = BertConfig(
        vocab_size=max(vocab.values()) + 1,
        hidden_size=units,
        num_hidden_layers=layers,
        num_attention_heads=units // _HEAD_SIZE,
        intermediate_size=4 * units,
        max_position_embeddings=config.max_position_embeddings,
        type_vocab_size=2,
        encoder_type=config.encoder_type,
    )
    model.validate()
    num_weights, num_bytes = measure(model, config)
    atomic_files.write_text(path, model.to_json_string())
    logging.info(
        "Wrote %s: %d layers of %d units, %d pieces, %s parameters with the "
        "heads of pre-training",
        *(path, layers, units, model.vocab_size, f"{num_weights:,}"),
    )
    logging.info(
        "Pre-training with %d rows of %d pieces takes about %.1f GiB in "
        "float32; --gradient_accumulation_steps and --recompute_activations "
        "make it less",
        *(config.train_batch_size, config.max_seq_length, num_bytes / 2**30),
    )


def measure(model_config: BertConfig, config: Config) -> tuple[int, float]:
    """Returns how many parameters a model has, and bytes of its training."""
    environment.prepare()
    import keras

    from bert.modeling.heads import PretrainingModel
    from bert.training.memory import Load

    with keras.StatelessScope(initialize_variables=False):
        model = PretrainingModel(model_config)
    load = Load(
        rows=config.train_batch_size,
        seq_length=config.max_seq_length,
        recomputes=False,
        bytes_per_number=4,
        is_part=False,
    )
    num_weights = sum(math.prod(weight.shape) for weight in model.weights)
    return num_weights, load.estimate(model)


def main() -> None:
    """Flags → bert_config.json."""
    make_config(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

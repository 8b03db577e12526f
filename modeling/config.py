"""A model's sizes: `bert_config.json`, checked."""

import copy
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from bert.errors import UserError, one_line
from bert.files import text_input
from bert.modeling.backbones.choice import encoder_type

# What `hidden_act` may name; `modeling.activations` has the functions.
HIDDEN_ACTS = ("gelu", "gelu_erf", "relu", "tanh", "linear")

_POSITIVE_INTS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_PROBABILITIES = ("hidden_dropout_prob", "attention_probs_dropout_prob")
# An entry's dropout is decided by a byte; above it, all 256 would be dropped.
MAX_DROPOUT = 255 / 256
# More than any BERT has; a minute to make the layers.
_MOST_BYTES = 4 * 10**11
_MOST_LAYERS = 1000
# The sizes that decide how many weights there are, in BERT-Large.
_LARGE = {
    "vocab_size": 30522,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "intermediate_size": 4096,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


@dataclasses.dataclass(eq=False)
class BertConfig:
    """Configuration of a `BertModel`, or of another encoder.

    As in the original nothing is checked here, and attributes may be set and
    added afterwards: `to_dict` has them all. Who makes a model checks them
    (`validate`), and who reads a file for a command (`read_config`).

    Args:
        vocab_size: number of word pieces, V.
        hidden_size: width of the encoder, D.
        num_hidden_layers: number of transformer blocks.
        num_attention_heads: heads of each block, N; D is a multiple of it.
        intermediate_size: width of the feed-forward layer of each block.
        hidden_act: activation there, one of HIDDEN_ACTS in any case. `gelu` is
            the tanh approximation, as in the original; `gelu_erf` the exact
            one.
        hidden_dropout_prob: share dropped, in training, of the embeddings and
            of what each sublayer adds.
        attention_probs_dropout_prob: share of attention weights dropped.
        max_position_embeddings: the longest sequence.
        type_vocab_size: number of different `segment_ids`.
        initializer_range: standard deviation of fresh weights, before those
            further than two of it from 0 are drawn again.
        encoder_type: which encoder, one of `choice.ENCODER_TYPES`. The others
            make nothing of the heads and of `intermediate_size`.
        attention_mask: of a `gpt`: "causal", the default, where a token sees
            itself and those before it, or "bidirectional".

    Source: Devlin et al. 2019, section 3; BertConfig of google-research/bert.
    """

    vocab_size: int
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 16
    initializer_range: float = 0.02
    encoder_type: str = "bert"
    attention_mask: str | None = None

    def __post_init__(self):
        # Attributes of a BERT are the original's; of these two, the class has
        # the defaults.
        for name in ("encoder_type", "attention_mask"):
            if getattr(self, name) == getattr(BertConfig, name):
                del self.__dict__[name]

    def validate(self) -> None:
        """Raises UserError for a value that no model can have."""
        for key in _POSITIVE_INTS:
            value = getattr(self, key)
            if type(value) is not int or value < 1:
                raise _wrong(key, "a whole number of at least 1", value)
        for key in _PROBABILITIES:
            value = getattr(self, key)
            if type(value) not in (int, float) or not (
                0 <= value <= MAX_DROPOUT
            ):
                expected = f"a number from 0 to {MAX_DROPOUT:.3f}"
                raise _wrong(key, expected, value)
        value = self.initializer_range
        if type(value) not in (int, float) or not 0 < value < float("inf"):
            raise _wrong("initializer_range", "a number above 0", value)
        if str(self.hidden_act).lower() not in HIDDEN_ACTS:
            expected = "one of " + ", ".join(HIDDEN_ACTS)
            raise _wrong("hidden_act", expected, self.hidden_act)
        masks = encoder_type(self).attention_masks
        if self.attention_mask not in (None, *masks):
            expected = "left out" if not masks else "one of " + ", ".join(masks)
            expected += f" in a {self.encoder_type}"
            raise _wrong("attention_mask", expected, self.attention_mask)
        self.check_memory(_MOST_BYTES)
        divisor = encoder_type(self).divisor
        if isinstance(divisor, int):
            if self.hidden_size % divisor:
                expected = f"a multiple of {divisor} in a {self.encoder_type}"
                raise _wrong("hidden_size", expected, self.hidden_size)
        elif self.hidden_size % getattr(self, divisor):
            raise UserError(
                f"The hidden size ({self.hidden_size}) is not a multiple of "
                "the number of attention heads "
                f"({self.num_attention_heads}): change hidden_size or "
                "num_attention_heads."
            )

    @property
    def is_causal(self) -> bool:
        """Whether a token sees only itself and those before it."""
        return self.mask_name == "causal"

    @property
    def mask_name(self) -> str:
        """What attention_mask is where it is given."""
        masks = encoder_type(self).attention_masks or ("bidirectional",)
        return self.attention_mask or masks[0]

    def check_memory(self, num_bytes: int) -> None:
        """Raises UserError where an encoder's weights need more than that."""
        rows = self.vocab_size + self.max_position_embeddings
        rows += self.type_vocab_size
        block = encoder_type(self).weights_per_unit(self)
        num_weights = self.hidden_size * (rows + self.num_hidden_layers * block)
        sizes = {key: getattr(self, key) for key in _LARGE}
        if (
            4 * num_weights > num_bytes
            or self.num_hidden_layers > _MOST_LAYERS
            or max(sizes.values()) >= 2**31
        ):
            key = max(sizes, key=lambda k: sizes[k] // max(_LARGE[k], 16))
            raise UserError(
                f"{key} is too large: there is not the memory for "
                f"{self.num_hidden_layers} layers of {self.hidden_size} units "
                f"with it. Received: {sizes[key]}; BERT-Large has "
                f"{_LARGE[key]}."
            )

    @classmethod
    def from_dict(cls, json_object: Mapping[str, Any]) -> "BertConfig":
        """Makes a configuration from a dict; keys it lacks get defaults.

        Other keys become attributes: published files have some
        (`directionality`, `pooler_*`). `vocab_size` is None where it is
        missing.
        """
        values: dict[str, Any] = {"vocab_size": None}
        config = cls(**values)
        for key, value in json_object.items():
            setattr(config, key, value)
        return config

    @classmethod
    def from_json_file(cls, json_file: str) -> "BertConfig":
        """Reads `bert_config.json`, unchecked.

        Args:
            json_file: a path, or what TensorFlow reads (`gs://…`).

        Raises:
            OSError: the file cannot be read.
            ValueError: it is not UTF-8, or not JSON (`json.JSONDecodeError`).
            AttributeError: it is no JSON object.
        """
        return cls.from_dict(json.loads(_read_text(json_file)))

    def to_dict(self) -> dict[str, Any]:
        """Returns a copy of all attributes.

        Of a BERT, the original's.
        """
        return copy.deepcopy(vars(self))

    def to_json_string(self) -> str:
        """Returns the text of a `bert_config.json`, keys sorted."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def check_sequence_length(self, seq_length: int) -> None:
        """Raises UserError where sequences are longer than the positions."""
        if seq_length > self.max_position_embeddings:
            raise UserError(
                f"Cannot use sequence length {seq_length} because the BERT "
                "model was only trained up to sequence length "
                f"{self.max_position_embeddings}."
            )


def read_config(json_file: str) -> BertConfig:
    """Reads `bert_config.json` and checks it.

    Args:
        json_file: see `BertConfig.from_json_file`.

    Raises:
        UserError: the file is missing, is not JSON, is not an object, or a
            value is wrong; the message names file and key.
    """
    try:
        json_object = json.loads(_read_text(json_file))
    except IsADirectoryError as error:
        raise UserError(
            "--bert_config_file must name a file, such as bert_config.json. "
            f"Received: {json_file}, a folder."
        ) from error
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise UserError(f"Cannot read {json_file}: {reason}.") from error
    except UserError:  # a ValueError, too, which says all
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{json_file} is not valid JSON: {error}.") from error
    if not isinstance(json_object, dict):
        raise UserError(
            f"{json_file} must hold a JSON object with the model's sizes "
            '({"vocab_size": 30522, …}). Received: '
            f"{type(json_object).__name__}."
        )
    if "vocab_size" not in json_object:
        raise UserError(
            f"{json_file}: vocab_size is missing; give it the number of lines "
            "of the vocabulary."
        )
    config = BertConfig.from_dict(json_object)
    try:
        config.validate()
    except UserError as error:
        raise UserError(f"{json_file}: {error}") from error
    return config


def _read_text(path: str) -> str:
    return text_input.read(str(path)).decode("utf-8")


def _wrong(key: str, expected: str, value: object) -> UserError:
    return UserError(f"{key} must be {expected}. Received: {value!r}.")

"""The models that benchmarks train, and batches for them."""

import numpy as np

from bert.modeling import BertConfig, checkpoint, heads
from bert.training import optimization

_SIZES = {
    # layers, hidden units, heads
    "tiny": (2, 128, 2),
    "small": (6, 384, 12),
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
}
NAMES = tuple(_SIZES)


def sizes(name: str) -> dict[str, int]:
    """Returns the configuration's keys of a model."""
    layers, hidden_size, num_heads = _SIZES[name]
    return {
        "vocab_size": 30522,
        "hidden_size": hidden_size,
        "num_hidden_layers": layers,
        "num_attention_heads": num_heads,
        "intermediate_size": 4 * hidden_size,
    }


def make_model(name: str, task: str, compute_dtype: str = "float32"):
    """Returns a task model with random weights.

    Args:
        name: one of NAMES.
        task: "pretraining" or "squad".
        compute_dtype: see `BertModel`.
    """
    kinds = {"pretraining": heads.PretrainingModel, "squad": heads.SpanModel}
    return kinds[task](
        BertConfig.from_dict(sizes(name)),
        compute_dtype=compute_dtype,
        init_seed=1,
    )


def make_optimizer(model) -> optimization.AdamWeightDecay:
    """Returns the original's optimizer over a model's weights."""
    return optimization.AdamWeightDecay(
        {
            checkpoint.checkpoint_name(v, model): v.value
            for v in model.trainable_variables
        },
        optimization.learning_rate_schedule("original", 1e-4, 100, 10),
    )


def make_batch(task: str, rows: int, length: int) -> dict[str, np.ndarray]:
    """Returns rows without padding, ids spread over the vocabulary."""
    rng = np.random.default_rng(1)

    def ids(limit, *shape):
        return rng.integers(0, limit, (rows, *shape), dtype=np.int32)

    batch = {
        "input_ids": ids(30522, length),
        "input_mask": np.ones((rows, length), np.int32),
        "segment_ids": ids(2, length),
    }
    if task == "squad":
        return batch | {
            "start_positions": ids(length, 1),
            "end_positions": ids(length, 1),
        }
    predictions = 20 if length <= 128 else 77
    return batch | {
        "masked_lm_positions": ids(length, predictions),
        "masked_lm_ids": ids(30522, predictions),
        "masked_lm_weights": np.ones((rows, predictions), np.float32),
        "next_sentence_labels": ids(2, 1),
    }

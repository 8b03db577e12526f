"""About how much memory training takes, and which flags make it less."""

import math
from typing import NamedTuple

from bert.cli.config import TrainingConfig
from bert.modeling.task_model import TaskModel

# Found by measuring (benchmarks/memory.py). Float32 numbers per weight: itself,
# two moments, its gradient and a temporary tensor; where a batch is taken in
# parts, also the old and the new sum of their gradients.
_NUMBERS_PER_WEIGHT = 5
_NUMBERS_PER_WEIGHT_IN_PARTS = 7


class Load(NamedTuple):
    """What a device holds at a time.

    Attributes:
        rows: rows of a batch.
        seq_length: their tokens.
        recomputes: whether activations are computed a second time.
        bytes_per_number: of activations.
        is_part: whether they are a part of the batch, with others after it.
        sequences: how many a row has at most.
        num_other_weights: of models that are not trained, as a teacher.
    """

    rows: int
    seq_length: int
    recomputes: bool
    bytes_per_number: int
    is_part: bool
    sequences: int = 1
    num_other_weights: int = 0

    def estimate(self, model: TaskModel) -> float:
        """Returns bytes."""
        numbers = (
            _NUMBERS_PER_WEIGHT_IN_PARTS
            if self.is_part
            else _NUMBERS_PER_WEIGHT
        )
        num_weights = count_weights(model)
        kept = model.backbone.count_activations(
            self.rows * self.sequences, self.seq_length, self.recomputes
        )
        all_weights = num_weights * numbers + self.num_other_weights
        return 4.0 * all_weights + kept * self.bytes_per_number


def count_weights(model: TaskModel) -> int:
    """Returns how many numbers a model has, which needs no values yet."""
    return sum(math.prod(v.shape) for v in model.weights)


def advice(
    config: TrainingConfig,
    model: TaskModel,
    num_replicas: int,
    num_other_weights: int = 0,
) -> list[str]:
    """Returns what would take less, and what was tried, a line each.

    Args:
        config: how it is trained.
        model: needs no values yet.
        num_replicas: devices that share a batch.
        num_other_weights: see `Load`.
    """
    parts = config.gradient_accumulation_steps
    share = config.train_batch_size // num_replicas
    tried = Load(
        rows=share // parts,
        seq_length=config.max_seq_length,
        recomputes=config.recompute_activations,
        bytes_per_number=4 if config.compute_dtype == "float32" else 2,
        is_part=parts > 1,
        sequences=config.most_sequences,
        num_other_weights=num_other_weights,
    )

    def size(load: Load) -> str:
        return f"{load.estimate(model) / 2**30:.1f} GiB"

    same = []

    def offer(flags: str, load: Load, other: Load) -> None:
        """Names a way, if it takes less than another one."""
        if load.estimate(model) < other.estimate(model):
            same.append(f"{flags} about {size(load)}")

    if tried.rows > 1:
        for factor in dict.fromkeys((_smallest_factor(tried.rows), tried.rows)):
            rows = tried.rows // factor
            offer(
                f"--gradient_accumulation_steps={parts * factor}",
                tried._replace(rows=rows, is_part=True),
                tried,
            )
    if not tried.recomputes:
        recomputed = tried._replace(recomputes=True)
        offer("--recompute_activations", recomputed, tried)
        if tried.rows > 1:
            offer(
                "--recompute_activations "
                f"--gradient_accumulation_steps={share}",
                recomputed._replace(rows=1, is_part=True),
                recomputed,
            )
    other = []
    if tried.bytes_per_number == 4:
        half = tried._replace(bytes_per_number=2)
        other.append(f"--precision=bfloat16 about {size(half)}")
    if tried.rows > 1:
        fewer = tried._replace(rows=tried.rows // 2)
        smaller = fewer.rows * parts * num_replicas
        other.append(f"--train_batch_size={smaller} about {size(fewer)}")
    if tried.seq_length > 64:
        shorter = tried._replace(seq_length=tried.seq_length // 2)
        other.append(
            f"--max_seq_length={shorter.seq_length} about {size(shorter)}"
        )
    tokens = f"{tried.seq_length} tokens"
    if tried.sequences > 1:
        tokens = f"up to {tried.sequences} windows of {tokens}"
    said = (
        f"Tried: {tried.rows} row(s) of {tokens} at a time on "
        f"each of {num_replicas} device(s) (--train_batch_size="
        f"{config.train_batch_size}, --gradient_accumulation_steps={parts}) in "
        f"{config.precision}: about {size(tried)}"
    )
    if num_other_weights:
        said += f", {4 * num_other_weights / 2**30:.1f} of it the teacher's"
    lines = []
    if same:
        lines.append(f"The same steps in less: {'; '.join(same)}.")
    if other:
        lines.append(f"Other steps in less: {'; '.join(other)}.")
    return [*lines, f"{said}."]


def _smallest_factor(number: int) -> int:
    """Returns the smallest divisor of a number above 1."""
    return next(
        (n for n in range(2, math.isqrt(number) + 1) if number % n == 0), number
    )

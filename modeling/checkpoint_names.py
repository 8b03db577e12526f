"""What the tensors of a checkpoint are, told by their names.

    bert/encoder/layer_0/output/dense/kernel          a weight
    bert/encoder/layer_0/output/dense/kernel/adam_m   a slot of it
    bert/encoder/layer_9/output/dense/kernel          of a deeper model
    bert/encoder/layer_0/adapter/kernel               unknown

Whatever stands under a weight's name is a slot, whoever wrote it: a moment of
any optimizer, an average, an accumulator. Of a model of several tasks, the
weights of the task N are under `tasks/N/`.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from bert.files.task_paths import SCOPE

# A training run's own step, and the slots of the original's optimizer.
GLOBAL_STEP = "global_step"
ADAM_SUFFIXES = ("/adam_m", "/adam_v")

_LAYER = re.compile(r"/layer_\d+/")
_MOST_NAMED = 10


class Others(NamedTuple):
    """What a checkpoint has beside a model's weights and global_step; sorted.

    Attributes:
        slots: what stands under a weight, the model's or another.
        deeper: weights that the model would have if it had more layers.
        unknown: all else.
    """

    slots: tuple[str, ...]
    deeper: tuple[str, ...]
    unknown: tuple[str, ...]


def others(names: Collection[str], known: Collection[str]) -> Others:
    """Tells what a checkpoint has beside a model's weights.

    Args:
        names: of its tensors.
        known: of the model's weights.
    """
    depthless = set(map(_without_depth, known))
    scopes = {scope for name in depthless for scope in _above(name)}
    # A tensor by the name of a scope makes no slots of the weights in it.
    weights = depthless | (set(map(_without_depth, names)) - scopes)
    slots, deeper, unknown = [], [], []
    for name in sorted(set(names) - set(known) - {GLOBAL_STEP}):
        plain = _without_depth(name)
        if any(above in weights for above in _above(plain)):
            slots.append(name)
        elif plain in depthless:
            deeper.append(name)
        else:
            unknown.append(name)
    return Others(tuple(slots), tuple(deeper), tuple(unknown))


def has_moments(names: Collection[str]) -> bool:
    """Returns whether there are moments of Adam, be it of a few weights."""
    return any(name.endswith(ADAM_SUFFIXES) for name in names)


def prefix_hint(names: Collection[str], wanted: str) -> str:
    """Returns what to do where a weight is there by a longer name.

    Wrappers put something in front: `module/`, `model/`, `_orig_mod.`.

    Args:
        names: of a checkpoint's tensors.
        wanted: the weight's name.

    Returns:
        The end of a message, after a space; "" where there is no such name.
    """
    for name in names:
        prefix = name.removesuffix(wanted)
        if prefix != name and prefix.endswith(("/", ".")):
            return (
                f" its names begin with {prefix!r}, as a wrapper leaves them: "
                "save it without."
            )
    return ""


def describe_slots(slots: Collection[str]) -> str:
    """Returns how many slots there are, and which, for a log line."""
    moments = [name for name in slots if name.endswith(ADAM_SUFFIXES)]
    texts = [f"{len(moments)} of Adam's moments"] if moments else []
    rest = sorted(set(slots) - set(moments))
    if rest:
        kinds = sorted({name.rpartition("/")[2] for name in rest})
        texts.append(f"{len(rest)} slots ({some(kinds)})")
    return ", ".join(texts)


def some(names: Collection[str]) -> str:
    """Returns the first names, and how many there are if not all are shown."""
    shown = sorted(names)[:_MOST_NAMED]
    more = f", … ({len(names)} in all)" if len(names) > _MOST_NAMED else ""
    return ", ".join(shown) + more


def scope_of(task: str) -> str:
    """Returns what stands before the names of a task's own weights."""
    return f"{SCOPE}/{task}/"


def without_task(name: str) -> str:
    """Returns a weight's name as it is in a model of one task alone."""
    parts = name.split("/", 2)
    return parts[2] if parts[0] == SCOPE and len(parts) == 3 else name


def tasks_of(names: Iterable[str]) -> list[str]:
    """Returns the tasks that have weights of their own, sorted.

    Args:
        names: of a checkpoint's tensors.
    """
    parts = (name.split("/") for name in names)
    return sorted({part[1] for part in parts if part[0] == SCOPE})


def _without_depth(name: str) -> str:
    return _LAYER.sub("/layer_0/", name)


def _above(name: str) -> Iterator[str]:
    """Yields the scopes that a name stands in, the innermost first."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name

"""Reads a model in the original's format: a published one, or a run's."""

from absl import logging

from bert.conversion import huggingface_names as names
from bert.conversion import vocabulary
from bert.conversion.model import Model, check_finite, choose_weights, make_task
from bert.errors import UserError
from bert.model_folder import task_files
from bert.modeling import checkpoint
from bert.modeling.config import BertConfig
from bert.tasks.spec import Spec


def read(
    prefix: str,
    config: BertConfig,
    vocab_file: str,
    kept: task_files.Task | None,
    task: str | None = None,
) -> Model:
    """Reads a model's weights; Adam's moments and global_step stay behind.

    Args:
        prefix: the checkpoint's.
        config: its sizes.
        vocab_file: its vocabulary.
        kept: what stands beside it of its task.
        task: one of `spec.TASKS`; None: what is kept, or what the
            tensors say.

    Raises:
        UserError: the checkpoint is not of this model, or has not the task's
            head.
    """
    vocab = vocabulary.read_file(vocab_file, config.vocab_size)
    reader = checkpoint.Reader(prefix)
    given = _weights_of(reader)
    wanted = task or (kept.task if kept else None)
    head = _find_head(reader, wanted)
    _check_layers(reader, config)
    num_labels = _num_labels(reader, head) if head else 0
    row, chosen = choose_weights(
        *(config, wanted, head, num_labels, given),
        name_of=lambda weight: weight.name,
        source=prefix,
    )
    checkpoint.check_shapes(reader, {w.name: w.shape for w in chosen})
    return Model(
        config,
        {w.name: check_finite(w.name, reader.read(w.name)) for w in chosen},
        vocab,
        make_task(
            row,
            kept.do_lower_case if kept else None,
            kept.max_seq_length if kept else config.max_position_embeddings,
            kept.options if kept else {},
        ),
    )


def _weights_of(reader: checkpoint.Reader) -> list[str]:
    """Returns the names of a checkpoint's tensors that are a model's."""
    moments = [
        name
        for name in reader.shapes
        if name.endswith(checkpoint.ADAM_SUFFIXES)
    ]
    has_step = checkpoint.GLOBAL_STEP in reader
    if moments or has_step:
        logging.info(
            "Left out, as they belong to the training run: %d of Adam's "
            "moments%s.",
            len(moments),
            f" and {checkpoint.GLOBAL_STEP}" if has_step else "",
        )
    return sorted(set(reader.shapes) - set(moments) - {checkpoint.GLOBAL_STEP})


def _find_head(reader: checkpoint.Reader, task: str | None) -> Spec | None:
    """Returns the head of fine-tuning, if the task, or nobody, names one."""
    found: dict[str, Spec] = {}
    for row in names.HEADS:
        if row.head and row.head in reader and task in (None, row.task):
            found.setdefault(row.head, row)
    if len(found) > 1:
        raise UserError(
            f"{reader.prefix} has several heads: "
            f"{', '.join(map(names.head_part, found.values()))}. Say which one "
            "is to be converted (--task)."
        )
    if not found and task in {row.task for row in names.HEADS}:
        raise UserError(
            f"{reader.prefix} must have the head of a model for {task!r}. "
            "Received: none; name another --checkpoint, or another --task."
        )
    return next(iter(found.values()), None)


def _num_labels(reader: checkpoint.Reader, head: Spec) -> int:
    shape = reader.shapes[f"{head.scope}output_weights"]
    num_labels = shape[0] if shape else 0
    if num_labels == 1 < head.min_outputs:
        raise UserError(
            f"{reader.prefix} tells a single label; transformers would take "
            "it for a regression, so it cannot be converted."
        )
    return num_labels


def _check_layers(reader: checkpoint.Reader, config: BertConfig) -> None:
    """Raises UserError where the configuration is of another depth.

    Before the table of its weights is made, which could be endless.
    """
    num_layers = names.count_layers(
        name.replace("/layer_", "/layer/").replace("/", ".")
        for name in reader.shapes
    )
    if num_layers != config.num_hidden_layers:
        raise UserError(
            f"{reader.prefix} must have tensors of {config.num_hidden_layers} "
            "layers by num_hidden_layers in bert_config.json. Received: "
            f"{num_layers}; does it belong to it?"
        )

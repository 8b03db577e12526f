"""Reads a model in the original's format: a published one, or a run's."""

from absl import logging

from bert.conversion import huggingface_names as names
from bert.conversion import vocabulary
from bert.conversion.model import (
    Model,
    check_finite,
    choose_weights,
    make_task,
    task_of_parts,
)
from bert.errors import UserError
from bert.model_folder import task_files
from bert.modeling import checkpoint
from bert.modeling.config import BertConfig


def find_file(flag: str, given: str | None, folder: str, name: str) -> str:
    """Returns the path of one of a model's files.

    Args:
        flag: that names it, without dashes.
        given: the flag's value; wins.
        folder: the checkpoint's.
        name: the file's.

    Raises:
        UserError: it is neither given nor there.
    """
    path = given or task_files.find(folder, name)
    if path is None:
        raise UserError(
            f"Expected {name} beside the checkpoint in {folder}. Received: "
            f"none; name the model's own (--{flag})."
        )
    return path


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
        task: one of `task_files.TASKS`; None: what is kept, or what the
            tensors say.

    Raises:
        UserError: the checkpoint is not of this model, or has not the task's
            head.
    """
    vocab = vocabulary.read_file(vocab_file, config.vocab_size)
    reader = checkpoint.Reader(prefix)
    given = _weights_of(reader)
    head = _find_head(reader, task or (kept and kept.task))
    _check_layers(reader, config)
    parts = names.weights_by_part(config)
    if head:
        num_labels = _num_labels(reader, head)
        parts[head.part] = head.weights(num_labels, config.hidden_size)
        task = head.task
    elif task is None:
        task = (kept and kept.task) or task_of_parts(
            [
                part
                for part, weights in parts.items()
                if weights[0].name in given
            ]
        )
    chosen = choose_weights(
        task, parts, given, lambda weight: weight.name, prefix
    )
    checkpoint.check_shapes(reader, {w.name: w.shape for w in chosen})
    return Model(
        config,
        {w.name: check_finite(w.name, reader.read(w.name)) for w in chosen},
        vocab,
        make_task(
            task,
            head and head.kind,
            kept and kept.do_lower_case,
            kept.max_seq_length if kept else config.max_position_embeddings,
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


def _find_head(
    reader: checkpoint.Reader, task: str | None
) -> names.Head | None:
    """Returns the head of fine-tuning, if the task, or nobody, names one."""
    found = [
        head
        for head in names.HEADS
        if f"{head.scope}output_weights" in reader and task in (None, head.task)
    ]
    if len(found) > 1:
        raise UserError(
            f"{reader.prefix} has several heads: "
            f"{', '.join(head.part for head in found)}. Say which one is to be "
            "converted (--task)."
        )
    if not found and task in {head.task for head in names.HEADS}:
        raise UserError(
            f"{reader.prefix} must have the head of a model for {task!r}. "
            "Received: none; name another --checkpoint, or another --task."
        )
    return found[0] if found else None


def _num_labels(reader: checkpoint.Reader, head: names.Head) -> int:
    shape = reader.shapes[f"{head.scope}output_weights"]
    num_labels = shape[0] if shape else 0
    if head.kind == "classification" and num_labels == 1:
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

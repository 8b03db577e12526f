"""Reads a model in the original's format: a published one, or a run's."""

from collections.abc import Collection

from absl import logging

from bert.conversion import huggingface_names as names
from bert.conversion import vocabulary
from bert.conversion.model import Model, choose_weights, make_task
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import resume_file, task_files
from bert.modeling import checkpoint_names, checkpoint_reader
from bert.modeling.checkpoint_names import GLOBAL_STEP
from bert.modeling.checkpoint_reader import Reader
from bert.modeling.config import BertConfig
from bert.tasks.spec import Spec


def read(
    prefix: str,
    config: BertConfig,
    vocab_file: str,
    kept: task_files.Task | None,
    task: str | None = None,
    force: bool = False,
) -> Model:
    """Reads a model's weights; slots and global_step stay behind.

    Args:
        prefix: the checkpoint's.
        config: its sizes.
        vocab_file: its vocabulary.
        kept: what stands beside it of its task.
        task: one of `spec.TASKS`; None: what is kept, or what the
            tensors say.
        force: whether to leave out what the encoder here lacks.

    Raises:
        UserError: the encoder is no BERT, the checkpoint is not of this model,
            or has not the task's head.
    """
    if config.encoder_type != names.ENCODER_TYPE:
        raise UserError(
            f"Expected a model of encoder_type {names.ENCODER_TYPE!r}, which "
            "alone is converted to Hugging Face's format. Received: "
            f"{config.encoder_type!r}, {prefix}, which stays as it is."
        )
    vocab = vocabulary.read_file(vocab_file, config.vocab_size)
    reader = Reader(prefix)
    wanted = task or (kept.task if kept else None)
    head = _find_head(reader, wanted)
    _check_layers(reader, config)
    num_labels = _num_labels(reader, head) if head else 0
    parts = names.weights_by_part(config, head, num_labels)
    known = {weight.name for part in parts.values() for weight in part}
    second = resume_file.second_task(task_paths.folder_of(prefix))
    row, chosen = choose_weights(
        *(config, wanted, head, num_labels, _weights_of(reader, known)),
        name_of=lambda weight: weight.name,
        source=prefix,
        force=force,
        unwanted=[names.NEXT_SENTENCE] if second == "none" else [],
    )
    second_head = parts[names.NEXT_SENTENCE]
    if second == "sop" and second_head[0] in chosen:
        logging.warning(
            "The second head was trained on the order of sentences "
            "(--next_sentence=sop): 0 is in order, 1 swapped. It goes along as "
            "transformers' next-sentence head, which it is not."
        )
    checkpoint_reader.check_shapes(reader, {w.name: w.shape for w in chosen})
    return Model(
        config,
        {weight.name: reader.read(weight.name) for weight in chosen},
        vocab,
        make_task(
            row,
            kept.do_lower_case if kept else None,
            kept.max_seq_length if kept else config.max_position_embeddings,
            kept.options if kept else {},
        ),
    )


def _weights_of(reader: Reader, known: Collection[str]) -> list[str]:
    """Returns the names of a checkpoint's tensors that are a model's.

    Args:
        reader: the checkpoint.
        known: the names of the weights that the model may have.
    """
    slots = checkpoint_names.others(reader.shapes, known).slots
    of_the_run = [checkpoint_names.describe_slots(slots)] if slots else []
    if GLOBAL_STEP in reader:
        of_the_run.append(GLOBAL_STEP)
    if of_the_run:
        logging.info(
            "Left out, as they belong to the training run: %s.",
            " and ".join(of_the_run),
        )
    return sorted(set(reader.shapes) - set(slots) - {GLOBAL_STEP})


def _find_head(reader: Reader, task: str | None) -> Spec | None:
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


def _num_labels(reader: Reader, head: Spec) -> int:
    shape = reader.shapes[f"{head.scope}output_weights"]
    num_labels = shape[0] if shape else 0
    if num_labels == 1 < head.min_outputs:
        raise UserError(
            f"{reader.prefix} tells a single label; transformers would take "
            "it for a regression, so it cannot be converted."
        )
    return num_labels


def _check_layers(reader: Reader, config: BertConfig) -> None:
    """Raises UserError where the configuration is of another depth.

    Before the table of its weights is made, which could be endless.
    """
    num_layers = names.count_layers(
        name.replace("/layer_", "/layer/").replace("/", ".")
        for name in reader.shapes
    )
    if num_layers != config.num_hidden_layers:
        hint = checkpoint_names.prefix_hint(
            reader.shapes, "bert/embeddings/word_embeddings"
        )
        raise UserError(
            f"{reader.prefix} must have tensors of {config.num_hidden_layers} "
            "layers by num_hidden_layers in bert_config.json. Received: "
            f"{num_layers};" + (hint or " does it belong to it?")
        )

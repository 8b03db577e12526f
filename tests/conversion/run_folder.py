"""Makes the output_dir of tiny training runs, of every task."""

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

from bert.model_folder import task_files
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig, checkpoint, heads, task_model
from bert.modeling.backbones.choice import make_backbone
from bert.modeling.multitask_model import MultitaskModel
from bert.tasks import spec
from bert.tasks.classification import kinds
from bert.tasks.multiple_choice.model import MultipleChoiceModel
from bert.training import checkpointing
from bert.training.checkpointing import RunState

SQUAD_OPTIONS = {
    "doc_stride": 16,
    "max_query_length": 12,
    "n_best_size": 20,
    "max_answer_length": 30,
    "version_2_with_negative": True,
    "null_score_diff_threshold": 0.5,
    "answer_offsets": "words",
}
# What convert_checkpoint.py makes of them: (task, kind), the architecture,
# the labels.
RUNS = {
    "pretraining": ("pretraining", None, ()),
    "classification": ("classification", "classification", ("no", "ja", "?")),
    "multi_label": ("classification", "multi_label", ("red", "light blue")),
    "regression": ("classification", "regression", ()),
    "ner": ("ner", None, ("O", "B-PER", "I-PER", "B-ORG")),
    "squad": ("squad", None, ()),
    "multiple_choice": ("multiple_choice", None, ()),
}
ARCHITECTURES = {
    "pretraining": "BertForPreTraining",
    "classification": "BertForSequenceClassification",
    "multi_label": "BertForSequenceClassification",
    "regression": "BertForSequenceClassification",
    "ner": "BertForTokenClassification",
    "squad": "BertForQuestionAnswering",
    "multiple_choice": "BertForMultipleChoice",
}


def tiny_config(**changes) -> BertConfig:
    """A configuration that fits the golden vocabulary."""
    values = {
        "vocab_size": 391,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 40,
        "max_position_embeddings": 48,
        "type_vocab_size": 2,
    }
    return BertConfig.from_dict(values | changes)


def make_model(name: str, config: BertConfig, seed: int = 0):
    """A model of one of RUNS; all of its weights are random, biases too."""
    task, kind, labels = RUNS[name]
    if task == "classification":
        model = kinds.find(kind).make_model(config, len(labels) or 1)
    elif task == "ner":
        model = heads.TokenModel(config, len(labels))
    elif task == "squad":
        model = heads.SpanModel(config)
    elif task == "multiple_choice":
        model = MultipleChoiceModel(config)
    else:
        model = heads.PretrainingModel(config)
    random = np.random.default_rng(seed)
    for variable in model.variables:
        mean = float(variable.path.endswith("gamma"))
        variable.assign(random.normal(mean, 0.15, variable.shape))
    return model


def save(folder: Path, model, step: int, **state) -> None:
    """Saves a checkpoint as training does, Adam's moments included.

    Args:
        folder: where to.
        model: its weights.
        step: the global step.
        **state: of `RunState`, beyond the seed and the examples seen.
    """
    weights = checkpoint.named_variables(model)
    moments = {
        name + suffix: tf.Variable(tf.ones(weight.shape))
        for name, weight in weights.items()
        for suffix in checkpoint.ADAM_SUFFIXES
    }
    global_step = {"global_step": tf.Variable(step, dtype=tf.int64)}
    folder.mkdir(parents=True, exist_ok=True)
    checkpointing.save(
        str(folder),
        step,
        {**weights, **moments, **global_step},
        RunState(1, step * 8, **state),
    )


def write(golden: Path, folder: Path, name: str, **changes):
    """Makes the output_dir of a run.

    Args:
        golden: the goldens.
        folder: to make.
        name: one of RUNS.
        **changes: of the configuration.

    Returns:
        The trained model.
    """
    task, kind, labels = RUNS[name]
    config = tiny_config(**changes)
    model = make_model(name, config)
    save(folder, model, 7)
    source = folder.parent / f"{folder.name}_config.json"
    source.write_text(config.to_json_string())
    task_files.write(
        str(folder),
        Task(
            task=task,
            kind=kind,
            do_lower_case=True,
            max_seq_length=32,
            options=SQUAD_OPTIONS
            if task == "squad"
            else spec.find(task, kind).options,
        ),
        str(source),
        str(golden / "inputs/vocab.txt"),
    )
    source.unlink()
    if labels:
        (folder / "labels.txt").write_text("".join(f"{x}\n" for x in labels))
    return model


def write_several(golden: Path, folder: Path, *names: str):
    """Makes the output_dir of a run of several tasks; see `write`.

    Returns:
        The trained model; its tasks have the names of RUNS.
    """
    config = tiny_config()
    backbone = make_backbone(config)
    with task_model.sharing(backbone):
        tasks = {name: make_model(name, config) for name in names}
    model = MultitaskModel(backbone, tasks)
    for name in names:
        own = folder / "tasks" / name
        write(golden, own, name)
        for file in own.glob("model.ckpt*"):
            file.unlink()
        (own / "checkpoint").unlink()
    save(folder, model, 7)
    return model


def weights_of(model) -> dict[str, np.ndarray]:
    """A model's weights by the original's names."""
    named = checkpoint.named_variables(model)
    return {name: variable.numpy() for name, variable in named.items()}


def without_run_files(folder: Path) -> Path:
    """Leaves of a run what the original leaves: checkpoints, nothing else."""
    for name in ("task.json", "labels.txt", "bert_config.json", "vocab.txt"):
        (folder / name).unlink(missing_ok=True)
    return folder


def copy(folder: Path, to: Path) -> Path:
    """Copies a run."""
    return Path(shutil.copytree(folder, to))

"""Hugging Face's config.json: its sizes and what it says of the task."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from bert.conversion import huggingface_names as names
from bert.conversion.model import Model
from bert.errors import UserError
from bert.modeling.config import BertConfig
from bert.tasks.spec import Spec

# Hugging Face's `gelu` is the exact one, the original's the approximation by
# tanh. From theirs to ours; of several, the last is the one to write back.
ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
    "tanh": "tanh",
    "linear": "linear",
}
# The epsilon of all layer normalization in the original.
LAYER_NORM_EPSILON = 1e-12
# Of all heads of fine-tuning on a dropout: fixed in the original.
_HEAD_DROPOUT = 0.1

# Without these the defaults would decide, and ours are not theirs
# (type_vocab_size: 16 and 2).
_NEEDED_KEYS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "max_position_embeddings",
    "type_vocab_size",
)
_OTHER_KEYS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "initializer_range",
)
# What some published configurations carry in either format; nobody reads it.
_CARRIED = re.compile(r"directionality$|pooler_\w+$")
# The classes of pre-trained models, by the heads that they have: that of the
# masked language model, that of the next sentence.
_PRETRAINED = {
    (True, True): "BertForPreTraining",
    (True, False): "BertForMaskedLM",
    (False, True): "BertForNextSentencePrediction",
    (False, False): "BertModel",
}
# What makes another model of the same weights: key → the value that is BERT.
_NOT_BERT = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}


def to_original(values: Mapping[str, Any]) -> BertConfig:
    """Makes a BertConfig of what Hugging Face's config.json holds.

    One without model_type passes: its tensors must tell.

    Raises:
        UserError: it is of another model than BERT, a size is missing or
            wrong, or the activation is none that BertModel has.
    """
    if values.get("model_type", "bert") != "bert":
        raise UserError(
            'Expected "model_type": "bert"; other models keep other weights '
            f"under the same names. Received: {values['model_type']!r}."
        )
    for key, expected in _NOT_BERT.items():
        if values.get(key, expected) != expected:
            raise UserError(
                f"{key} must be {expected!r}, or BertModel would compute "
                f"something else. Received: {values[key]!r}."
            )
    missing = [key for key in _NEEDED_KEYS if key not in values]
    if missing:
        raise UserError(
            f"{', '.join(missing)} must be given; take config.json from where "
            "the weights come from."
        )
    act = values["hidden_act"]
    if not isinstance(act, str) or act not in ACTIVATIONS:
        raise UserError(
            f"hidden_act must be one of {', '.join(ACTIVATIONS)}. "
            f"Received: {act!r}."
        )
    kept = _converted(values)
    config = BertConfig.from_dict({**kept, "hidden_act": ACTIVATIONS[act]})
    config.validate()
    return config


def warn_of_epsilon(values: Mapping[str, Any], path: str) -> None:
    """Warns of another epsilon than that of the original."""
    epsilon = values.get("layer_norm_eps", LAYER_NORM_EPSILON)
    if epsilon != LAYER_NORM_EPSILON:
        logging.warning(
            "%s has layer_norm_eps %s, the original always %s: outputs will "
            "differ a little.",
            path,
            epsilon,
            LAYER_NORM_EPSILON,
        )


def find_head(
    values: Mapping[str, Any], num_rows: Mapping[str, int], task: str | None
) -> Spec | None:
    """Returns the head of fine-tuning that a Hugging Face model has.

    A `classifier` is of texts or of tokens: only the architecture tells.

    Args:
        values: of config.json.
        num_rows: of the heads that there are (`classifier`, `qa_outputs`), L.
        task: what the user says it is for; wins.

    Raises:
        UserError: it is none that this project has, or not there.
    """
    architectures = values.get("architectures")
    if not isinstance(architectures, list):
        architectures = []
    heads = [
        head
        for head in names.HEADS
        if head.huggingface_head in num_rows
        and (head.task == task if task else head.huggingface in architectures)
    ]
    if not heads:
        if task in {head.task for head in names.HEADS}:
            raise UserError(
                f"--task={task}, but the model has no head for it "
                f"(architectures: {architectures})."
            )
        return None
    if heads[0].problem_type is None:
        return heads[0]
    return _of_problem_type(values, num_rows[heads[0].huggingface_head])


def _of_problem_type(values: Mapping[str, Any], num_labels: int) -> Spec:
    """Returns what a classifier says of a text."""
    heads = {head.problem_type: head for head in names.HEADS}
    default = "regression" if num_labels == 1 else "single_label_classification"
    problem_type = values.get("problem_type") or default
    if not isinstance(problem_type, str) or problem_type not in heads:
        known = ", ".join(name for name in heads if name)
        raise UserError(
            f"problem_type must be one of {known}. Received: {problem_type!r}."
        )
    head = heads[problem_type]
    fixed = head.num_outputs or num_labels
    if num_labels < head.min_outputs or num_labels != fixed:
        raise UserError(
            f"A model of {problem_type} must have "
            f"{'one output' if head.num_outputs else 'several labels'}. "
            f"Received: {num_labels}."
        )
    return head


def labels_of(
    values: Mapping[str, Any], head: Spec | None, num_labels: int
) -> list[str]:
    """Returns the names of the labels, in the order of their numbers.

    Args:
        values: of config.json.
        head: the model's; one that tells no labels has none.
        num_labels: rows of the head, L.

    Raises:
        UserError: id2label does not number as many names as there are labels.
    """
    if head is None or not head.has_labels:
        return []
    given = values.get("id2label")
    numbers = [str(number) for number in range(num_labels)]
    if given is None:  # Hugging Face's own names for labels without any
        return [f"LABEL_{number}" for number in numbers]
    if not isinstance(given, Mapping) or sorted(given) != sorted(numbers):
        raise UserError(
            f"id2label must name the labels 0 to {num_labels - 1} of the "
            f"model's head. Received: {str(given)[:80]}."
        )
    return [given[number] for number in numbers]


def from_original(model: Model, pad_token_id: int | None) -> dict[str, Any]:
    """Returns what Hugging Face's config.json is to hold.

    Raises:
        UserError: no architecture of Hugging Face's has the model's parts.
    """
    config = model.config
    kept = _converted(config.to_dict())
    left_out = sorted(set(config.to_dict()) - set(kept))
    if left_out:
        logging.warning(
            "Keys of the configuration that are not converted: %s.",
            ", ".join(left_out),
        )
    act = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    return {
        **kept,
        "architectures": [architecture(model)],
        "model_type": "bert",
        "hidden_act": act[config.hidden_act.lower()],
        "layer_norm_eps": LAYER_NORM_EPSILON,
        "position_embedding_type": "absolute",
        "pad_token_id": pad_token_id,
        **_task_values(model),
    }


def _converted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keys that both configurations have, with their values."""
    return {
        key: value
        for key, value in values.items()
        if key in (*_NEEDED_KEYS, *_OTHER_KEYS) or _CARRIED.match(key)
    }


def _task_values(model: Model) -> dict[str, Any]:
    """Returns what config.json says of a fine-tuned model's task."""
    head = model.head
    if head is None:
        return {}
    # Keys of our own, which transformers carries along.
    values: dict[str, Any] = {
        name: model.task.options[name]
        for name in head.choices
        if model.task.options[name] != head.options[name]
    }
    if head.huggingface_head != "classifier":
        return values
    values["classifier_dropout"] = _HEAD_DROPOUT
    if head.problem_type:
        values["problem_type"] = head.problem_type
    labels: Sequence[str] = model.labels or [
        f"LABEL_{number}" for number in range(model.num_labels)
    ]
    values["id2label"] = {str(i): label for i, label in enumerate(labels)}
    values["label2id"] = {label: i for i, label in enumerate(labels)}
    return values


def architecture(model: Model) -> str:
    """Returns the name of Hugging Face's class that has a model's parts.

    Raises:
        UserError: there is none, as the pooler is missing.
    """
    parts = set(model.weights_by_part())
    if model.head and model.head.huggingface:
        name = model.head.huggingface
    else:
        heads = names.MASKED_LM in parts, names.NEXT_SENTENCE in parts
        name = _PRETRAINED[heads]
    if names.POOLER in parts:
        return name
    if name == "BertModel":
        logging.warning(
            "The model has no pooler: transformers will say so and draw one, "
            "unless it is loaded with add_pooling_layer=False."
        )
    elif uses_pooler(name):
        raise UserError(
            f"{name} stands on the pooler, and the checkpoint has none "
            "(bert/pooler/dense/kernel); it cannot be converted."
        )
    return name


def uses_pooler(name: str) -> bool:
    """Whether an architecture of Hugging Face's has the pooler."""
    return name != "BertForMaskedLM" and all(
        head.uses_pooler for head in names.HEADS if head.huggingface == name
    )

"""Converts a BERT between the original's format and Hugging Face's.

And OpenAI's first GPT to the original's. See docs/conversion.md.
"""

import dataclasses
import os
from typing import TYPE_CHECKING

from absl import flags, logging

from bert.cli import command_line, shared_flags
from bert.cli.config import FlagConfig
from bert.data.text import case_check
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.model_folder.given import Given
from bert.tasks import spec

if TYPE_CHECKING:
    from bert.conversion.model import Model

_FORMATS = ("original", "huggingface")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        input_dir="Folder of the model: a Hugging Face BERT (config.json, "
        "model.safetensors, vocab.txt), a published one (bert_model.ckpt, "
        "bert_config.json, vocab.txt), the output_dir of a training run, or "
        "OpenAI's first GPT (params_shapes.json, params_0.npy, …).",
        output_dir="Folder that gets the model in the other format; it is "
        "made if need be.",
    )
    shared_flags.define_checkpoint(flag_values, "Which one of a training run")
    shared_flags.define_strings(
        flag_values,
        bert_config_file="Sizes of a model in the original's format. Default: "
        "bert_config.json beside the checkpoint.",
        vocab_file="The vocabulary. Default: the one beside the weights.",
        labels="The labels of the model's head, in their order, separated by "
        "commas, or a file with one a line. Default: what stands beside the "
        "weights (labels.txt, id2label).",
    )
    flags.DEFINE_enum(
        "output_format",
        None,
        _FORMATS,
        "What to write. Default: the format that the input has not.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "task",
        None,
        spec.TASKS,
        "What the model is for, which decides what head is converted; "
        "features: none. Default: what stands beside the weights, or the only "
        "one that they fit.",
        flag_values=flag_values,
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        num_attention_heads="Of OpenAI's GPT, whose files do not say it: 12 "
        "in the published model.",
    )
    shared_flags.define_bools(
        flag_values,
        default=None,
        do_lower_case="Whether the model's text is lower-cased. Default: what "
        "stands beside the weights, or what the vocabulary tells.",
    )
    shared_flags.define_bools(
        flag_values,
        overwrite="Whether to replace a model that output_dir holds.",
        force="Whether to convert the weights where the tokenizer is not "
        "BERT's, or where the encoder has tensors that BERT lacks, too.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    input_dir: str
    output_dir: str
    output_format: str | None = None
    num_attention_heads: int | None = None
    overwrite: bool = False
    force: bool = False


def convert(config: Config) -> None:
    """Converts a folder; all is checked before anything is written.

    Raises:
        UserError: a file is missing or wrong, the model has no counterpart in
            the other format, or output_dir holds a model.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.conversion import huggingface_folder, input_folder, output_folder

    wanted = config.output_format and other_format(config.output_format)
    folder, form = input_folder.find(config.input_dir, wanted)
    if form == input_folder.OPENAI:
        convert_openai(config, folder)
        return
    if config.num_attention_heads is not None:
        raise UserError(
            "--num_attention_heads is for OpenAI's GPT; the configuration in "
            f"{folder} says it. Received: --num_attention_heads="
            f"{config.num_attention_heads}; leave it out."
        )
    if form == "original":
        output, prepare = huggingface_folder.FORMAT, huggingface_folder.prepare
    else:
        output, prepare = output_folder.ORIGINAL, output_folder.prepare_original
    output_folder.check(config.output_dir, output, config.overwrite)
    read = read_original if form == "original" else read_huggingface
    model = with_case(config, folder, read(config, folder))
    output_folder.make(config.output_dir, output, prepare(model))
    logging.info(
        "Wrote a model for %s, %d tensors, as %s, to %s",
        model.task.spec.name,
        len(model.tensors),
        other_format(form),
        config.output_dir,
    )


def convert_openai(config: Config, folder: str) -> None:
    """Converts OpenAI's first GPT to a model's folder; see `convert`."""
    from bert.conversion import openai_gpt, output_folder

    output_folder.check(
        config.output_dir, output_folder.ORIGINAL, config.overwrite
    )
    given = {**config.flags(), "--force": config.force or None}
    for flag, value in given.items():
        if value is not None:
            raise UserError(
                f"{flag} is for a BERT; {folder} holds OpenAI's GPT, which has "
                f"nothing to choose there. Received: {flag}={value}; leave it "
                "out."
            )
    tensors, texts = openai_gpt.read(folder, config.num_attention_heads)
    output_folder.make(
        config.output_dir,
        output_folder.ORIGINAL,
        output_folder.original_writer(tensors, lambda: texts),
    )
    logging.info(
        "Wrote a GPT for features, %d tensors, to %s",
        len(tensors),
        config.output_dir,
    )


def other_format(form: str) -> str:
    """Returns the format that another one is converted to."""
    return _FORMATS[1 - _FORMATS.index(form)]


def read_huggingface(config: Config, folder: str) -> "Model":
    """Reads a Hugging Face folder.

    Raises:
        UserError: flags are given that say something of a checkpoint.
    """
    from bert.conversion import huggingface

    for flag in ("checkpoint", "bert_config_file"):
        if getattr(config, flag) is not None:
            raise UserError(
                f"--{flag} is for models in the original's format; {folder} "
                "holds one of Hugging Face's. Leave it out, or pass "
                "--output_format=huggingface."
            )
    model = huggingface.read(
        folder,
        config.task,
        config.vocab_file,
        config.do_lower_case,
        config.force,
    )
    origin = os.path.join(folder, huggingface.CONFIG) + ", id2label"
    kept = label_files.Labels(list(model.labels), origin)
    return with_labels(config, model, kept if model.labels else None)


def read_original(config: Config, folder: str) -> "Model":
    """Reads a folder in the original's format."""
    from bert.conversion import original
    from bert.model_folder import locate, weights
    from bert.modeling.config import read_config

    prefix = weights.find(folder, config.checkpoint)
    folder = task_paths.folder_of(prefix)
    config_file = config.bert_config_file or locate.needed_file(
        folder, task_files.CONFIG_FILE, "bert_config_file"
    )
    vocab_file = config.vocab_file or locate.needed_vocab_file(folder)
    model = original.read(
        prefix,
        read_config(config_file),
        vocab_file,
        locate.task(folder),
        config.task,
        config.force,
    )
    has_labels = model.task.spec.has_labels
    return with_labels(
        config, model, locate.labels(folder) if has_labels else None
    )


def with_labels(
    config: Config, model: "Model", kept: label_files.Labels | None
) -> "Model":
    """Returns a model with the names of its labels.

    Args:
        config: --labels wins.
        model: the model.
        kept: the labels that stand beside it.

    Raises:
        UserError: they are not as many as the head has, or cannot be told
            apart.
    """
    if not model.task.spec.has_labels:
        if config.labels is not None:
            raise UserError(
                f"--labels={config.labels}, but a model for "
                f"{model.task.spec.name} has none."
            )
        return model
    # The flag may rename them, so it need not agree with what is kept.
    given = label_files.choose(config.labels, None, from_training_set=True)
    labels = given or kept
    if labels is None:
        logging.warning(
            "Nothing names the %d labels; pass --labels to do so.",
            model.num_labels,
        )
        return model
    label_files.check_names(labels.names, labels.origin, least=1)
    if len(labels.names) != model.num_labels:
        raise UserError(
            f"{labels.origin}: expected {model.num_labels} labels, as the "
            f"model's head has. Received: {len(labels.names)}."
        )
    return model._replace(labels=labels.names)


def with_case(config: Config, folder: str, model: "Model") -> "Model":
    """Returns a model of which is known whether its text is lower-cased.

    Raises:
        UserError: nothing tells it.
    """
    from bert.conversion import vocabulary

    tokens = vocabulary.tokens_of(model.vocab)
    known = config.do_lower_case
    if known is None:
        known = model.task.do_lower_case
    if known is None:
        known = case_check.is_uncased(tokens)
        logging.info("By its vocabulary: do_lower_case is %s.", known)
    if known is None:
        raise UserError(
            "Nothing says whether the model's text is lower-cased: expected "
            f"{task_files.TASK_FILE} or tokenizer_config.json in {folder}, or "
            "--do_lower_case (uncased models) or --nodo_lower_case (cased "
            "ones)."
        )
    case_check.warn_if_vocab_contradicts_case(tokens, known)
    return model._replace(
        task=dataclasses.replace(model.task, do_lower_case=known)
    )


def main(_: object = None) -> None:
    """Flags → a model of one format → the other format."""
    convert(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

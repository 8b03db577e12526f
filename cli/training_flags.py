"""Flags of the scripts that train.

Imports without TensorFlow.
"""

import math

from absl import flags

from bert.cli import shared_flags

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()


def define_model_flags(flag_values: flags.FlagValues) -> None:
    """Defines what model to run and where its results go."""
    shared_flags.define_required_strings(
        flag_values,
        bert_config_file="JSON file of the pre-trained BERT model; it gives "
        "the architecture.",
        output_dir="Folder for checkpoints, event files and results. A "
        "checkpoint there is resumed from.",
    )
    shared_flags.define_strings(
        flag_values,
        init_checkpoint="Checkpoint to start from (usually a pre-trained "
        "BERT model): its prefix, its .index file or its folder (of a run's "
        "the best checkpoint, else the newest).",
    )
    flags.DEFINE_enum(
        "attention_mask",
        None,
        ["causal", "bidirectional"],
        "Of a GPT: whether a token sees those before it alone, or all. The "
        "model is kept with it. Default: what bert_config_file says.",
        flag_values=flag_values,
    )
    shared_flags.define_checkpoint(
        flag_values,
        "Which one of output_dir, or of init_checkpoint where that has none, "
        "is evaluated, predicted with and exported (training goes on from the "
        "newest)",
    )


def define_training_flags(flag_values: flags.FlagValues) -> None:
    """Defines what every training script takes beside its task's own flags."""
    shared_flags.define_batch_sizes(flag_values, "train_batch_size")
    _define_finite(
        flag_values, "learning_rate", 5e-5, "The peak learning rate."
    )
    flags.DEFINE_enum(
        "learning_rate_schedule",
        "original",
        ["original", "linear"],
        "original: warm-up, then the line from learning_rate at step 0 to 0 "
        "at the last step (so the rate drops at the end of warm-up). linear: "
        "warm-up, then a line from there to 0.",
        flag_values=flag_values,
    )
    _define_optimizer_flags(flag_values)
    _define_scale_flags(flag_values)
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        save_checkpoints_steps=(
            1000,
            "How many steps apart checkpoints are saved.",
        ),
        iterations_per_loop=(
            1000,
            "Accepted; only a TPU needs it. It never delays a log line or a "
            "save.",
        ),
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        upper_bound=10**4,  # the figures of all these steps are held
        log_steps=(
            100,
            "How many steps apart there is a log line, and a point in the "
            "event files.",
        ),
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        keep_checkpoint_max=(
            5,
            "How many of the newest checkpoints are kept, beside the best; 0: "
            "all.",
        ),
    )
    flags.DEFINE_enum(
        "save_optimizer",
        "all",
        ["all", "last", "none"],
        "Which checkpoints have Adam's moments, two thirds of their size, that "
        "a run needs to go on. none: one that goes on starts them at zero.",
        flag_values=flag_values,
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        upper_bound=2**31 - 1,
        random_seed="Seed of initial weights, shuffling and dropout; on a CPU "
        "the same seed gives the same weights bit for bit. Default: drawn, "
        "logged and kept with the checkpoints.",
    )
    _define_monitor_flags(flag_values)
    shared_flags.define_bools(
        flag_values,
        default=True,
        eval_report="Write a report after --do_eval: eval_report.html, the "
        "same figures in eval_report.json, each row in dev_predictions.jsonl.",
    )
    shared_flags.define_bools(
        flag_values,
        force_resume="Go on with the run in output_dir even where it was made "
        "with another model, task, vocabulary or casing, or other labels, or "
        "its checkpoint has no moments.",
    )


def define_lm_loss_weight(flag_values: flags.FlagValues) -> None:
    """Defines what the language model counts beside a task's own loss."""
    _define_finite(
        flag_values,
        "lm_loss_weight",
        0.0,
        "Of a GPT: what the loss of the language model counts, which is added "
        "in training; 0.5 in the original.",
    )


def _define_finite(
    flag_values: flags.FlagValues,
    name: str,
    default: float,
    text: str,
    lower_bound: float = 0.0,
    upper_bound: float = 1e30,
) -> None:
    """Defines a number that float32 can multiply with."""
    flags.DEFINE_float(
        name, default, text, lower_bound, upper_bound, flag_values
    )
    flags.register_validator(
        name, math.isfinite, "must be a finite number", flag_values
    )


def _define_optimizer_flags(flag_values: flags.FlagValues) -> None:
    flags.DEFINE_enum(
        "optimizer",
        "adamw",
        ["adamw", "lamb"],
        "adamw: the original's Adam with weight decay. lamb: for very large "
        "batches.",
        flag_values=flag_values,
    )
    shared_flags.define_bools(
        flag_values,
        adam_bias_correction="Correct Adam's moments for their start at zero. "
        "The original does not; lamb always does.",
    )
    _define_finite(
        flag_values,
        "weight_decay",
        0.01,
        "Share of a weight that decays, times the rate.",
    )
    _define_finite(
        flag_values,
        "layerwise_lr_decay",
        1.0,
        "What the learning rate is multiplied by from layer to layer, from "
        "the head down to the embeddings. 1: one rate for all.",
        0.01,
        1.0,
    )
    for name, default, text in (
        ("adam_epsilon", 1e-6, "Added to the root of Adam's second moment."),
        ("max_grad_norm", 1.0, "Gradients are scaled down to this norm."),
    ):
        # What float32 can divide by, too.
        _define_finite(flag_values, name, default, text, 1e-30)


def _define_scale_flags(flag_values: flags.FlagValues) -> None:
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        gradient_accumulation_steps=(
            1,
            "Take each device's rows of a batch in this many parts, one after "
            "the other: less memory, the same step.",
        ),
    )
    shared_flags.define_bools(
        flag_values,
        recompute_activations="Compute each layer a second time in the "
        "backward pass instead of keeping its activations: much less memory, "
        "a third more work.",
        use_xla="Compile the forward and backward pass by XLA.",
    )


def _define_monitor_flags(flag_values: flags.FlagValues) -> None:
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        eval_steps="Evaluate every so many training steps, and after the last. "
        "Default: not while training.",
        early_stopping_patience="Stop training after this many evaluations "
        "without a better --save_best.",
    )
    shared_flags.define_strings(
        flag_values,
        save_best="A metric of eval_results.txt: the weights that are best "
        "by it at any --eval_steps are kept in output_dir/best, and used from "
        "then on (--checkpoint).",
    )


def define_fine_tuning_flags(
    flag_values: flags.FlagValues, *, max_seq_length: int
) -> None:
    """Defines what all scripts that fine-tune take.

    Args:
        flag_values: where to.
        max_seq_length: that flag's default.
    """
    define_model_flags(flag_values)
    shared_flags.define_required_strings(
        flag_values,
        vocab_file="The vocabulary that the model was trained with, one "
        "token a line.",
    )
    shared_flags.define_do_lower_case(flag_values)
    shared_flags.define_max_seq_length(
        flag_values,
        max_seq_length,
        "Longest input in word pieces, special tokens included.",
    )
    shared_flags.define_phases(flag_values, "do_train", "do_eval", "do_predict")
    shared_flags.define_batch_sizes(flag_values, "predict_batch_size")
    shared_flags.define_strings(
        flag_values,
        records_dir="Folder for the records that examples become, to be shared "
        "by runs one after the other. Default: output_dir, for this run alone.",
    )
    _define_schedule_flags(flag_values)
    define_training_flags(flag_values)
    define_teacher_flags(
        flag_values,
        "The output_dir of a model fine-tuned for this task, from whose logits "
        "the model learns, too. Its vocabulary and size may be others.",
    )
    shared_flags.define_strings(
        flag_values,
        distill_data="File of rows without labels that the model learns of "
        "the teacher alone: as the test set's; of run_classifier.py any tsv, "
        "csv or jsonl file.",
    )
    define_export_flags(flag_values)
    shared_flags.define_device_flags(flag_values)


def _define_schedule_flags(flag_values: flags.FlagValues) -> None:
    for name, default, upper_bound, text in (
        (
            "num_train_epochs",
            3.0,
            1e6,
            "Passes over the training set; may be a fraction.",
        ),
        (
            "warmup_proportion",
            0.1,
            1.0,
            "Share of the training steps in which the learning rate rises "
            "from 0.",
        ),
    ):
        flags.DEFINE_float(name, default, text, 0.0, upper_bound, flag_values)
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        shuffle_buffer_size="Each training example is drawn from this many. "
        "Default: from all of them; 100 shuffles as little as the original, 1 "
        "keeps file order.",
    )
    shared_flags.define_bools(
        flag_values,
        default=True,
        length_buckets="Train on batches of like length, in random order: less "
        "padding. Not on a TPU, nor with --shuffle_buffer_size.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        freeze_layers="Do not train the embeddings and this many of the first "
        "layers; 0: the embeddings alone. Default: train all.",
    )


def define_teacher_flags(flag_values: flags.FlagValues, teacher: str) -> None:
    """Defines what training with a teacher takes.

    Args:
        flag_values: where to.
        teacher: says what --teacher_dir is.
    """
    shared_flags.define_strings(flag_values, teacher_dir=teacher)
    for name, default, bounds, text in (
        (
            "distill_alpha",
            0.5,
            (0.0, 1.0),
            "The share of the teacher in the loss; the rest is the labels'.",
        ),
        (
            "distill_temperature",
            1.0,
            (0.01, 1000.0),
            "What the logits of both are divided by.",
        ),
    ):
        _define_finite(flag_values, name, default, text, *bounds)
    shared_flags.define_bools(
        flag_values,
        teacher_annealing="Let the share of the teacher fall from 1 at the "
        "first step to 0 at the last, along a line, in place of distill_alpha.",
    )


def define_export_flags(flag_values: flags.FlagValues) -> None:
    """Defines whether and where to the trained model is exported."""
    shared_flags.define_bools(
        flag_values,
        do_export="Whether to write the trained model as a SavedModel, as "
        "export_model.py does; an earlier export is replaced.",
    )
    shared_flags.define_strings(
        flag_values,
        export_dir="Folder of --do_export. Default: export in output_dir.",
    )

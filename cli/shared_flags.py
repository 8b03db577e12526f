"""Flags that scripts of every kind share, each defined once.

Where scripts differ in a default or a text, that is an argument. Imports
without TensorFlow.
"""

from absl import flags

from bert.tasks import spec

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()

_BATCHES = {
    "batch_size": (32, "Rows that are computed together."),
    "train_batch_size": (
        32,
        "Examples a training step sees, over all devices together.",
    ),
    "eval_batch_size": (8, "Rows of an evaluation batch."),
    "predict_batch_size": (8, "Rows of a prediction batch."),
}
_PHASES = {
    "do_train": "Whether to train.",
    "do_eval": "Whether to evaluate.",
    "do_predict": "Whether to predict.",
}


def required(flag_values: flags.FlagValues, *names: str) -> None:
    """Makes the command line fail where one of these flags is not given."""
    for name in names:
        # absl's own mark lets an empty value pass.
        flags.register_validator(name, bool, "must be given", flag_values)


def define_strings(flag_values: flags.FlagValues, **texts: str) -> None:
    """Defines flags without a default, by their names; says what each is."""
    for name, text in texts.items():
        flags.DEFINE_string(name, None, text, flag_values=flag_values)


def define_required_strings(
    flag_values: flags.FlagValues, **texts: str
) -> None:
    """Defines flags that must be given, as `define_strings` does."""
    define_strings(flag_values, **texts)
    required(flag_values, *texts)


def define_bools(
    flag_values: flags.FlagValues, default: bool | None = False, **texts: str
) -> None:
    """Defines switches with one default, by their names; says what each is."""
    for name, text in texts.items():
        flags.DEFINE_bool(name, default, text, flag_values=flag_values)


def define_integers(
    flag_values: flags.FlagValues,
    lower_bound: int | None = None,
    upper_bound: int | None = None,
    **defaults_and_texts: tuple[int | None, str] | str,
) -> None:
    """Defines whole numbers within bounds, by their names.

    Args:
        flag_values: where to.
        lower_bound: of all of them.
        upper_bound: of all of them.
        **defaults_and_texts: (default, what it is); a text alone: no default.
    """
    for name, given in defaults_and_texts.items():
        default, text = (None, given) if isinstance(given, str) else given
        flags.DEFINE_integer(
            name, default, text, lower_bound, upper_bound, flag_values
        )


def define_do_lower_case(
    flag_values: flags.FlagValues,
    default: bool | None = True,
    text: str = "Whether to lower case the input text and strip its accents: "
    "True for uncased models, False for cased models.",
) -> None:
    """Defines --do_lower_case, and --do_lower, which old commands use."""
    define_bools(flag_values, default=default, do_lower_case=text)
    flags.DEFINE_alias("do_lower", "do_lower_case", flag_values=flag_values)


def define_next_sentence(
    flag_values: flags.FlagValues, default: str | None, text: str
) -> None:
    """Defines --next_sentence."""
    flags.DEFINE_enum(
        "next_sentence",
        default,
        spec.NEXT_SENTENCE,
        text,
        flag_values=flag_values,
    )


def define_checkpoint(flag_values: flags.FlagValues, what: str) -> None:
    """Defines --checkpoint.

    Args:
        flag_values: where to.
        what: says of which folder, and what for.
    """
    define_strings(
        flag_values,
        checkpoint=f"{what}: best, newest, a global step, or a checkpoint's "
        "prefix. Default: the best (--save_best) where there is one, else the "
        "newest.",
    )


def define_max_seq_length(
    flag_values: flags.FlagValues,
    default: int | None,
    text: str,
    lower_bound: int | None = 3,
) -> None:
    """Defines --max_seq_length."""
    define_integers(flag_values, lower_bound, max_seq_length=(default, text))


def define_batch_sizes(
    flag_values: flags.FlagValues, *names: str, upper_bound: int | None = 10**6
) -> None:
    """Defines numbers of rows.

    Args:
        flag_values: where to.
        *names: of `_BATCHES`.
        upper_bound: of all of them.
    """
    for name in names:
        sizes = {name: _BATCHES[name]}
        define_integers(flag_values, 1, upper_bound, **sizes)


def define_phases(flag_values: flags.FlagValues, *names: str) -> None:
    """Defines what a command is to do.

    Args:
        flag_values: where to.
        *names: some of do_train, do_eval and do_predict.
    """
    for name in names:
        flags.DEFINE_bool(name, False, _PHASES[name], flag_values=flag_values)


def define_text_flags(flag_values: flags.FlagValues) -> None:
    """Defines what commands share that read text and write a file."""
    flags.DEFINE_integer(
        "num_workers",
        None,
        "Processes; the result is the same. Default: one a core, at most 4.",
        lower_bound=1,
        upper_bound=1000,
        flag_values=flag_values,
    )
    define_bools(
        flag_values, overwrite="Whether to replace what was written before."
    )


def define_device_flags(flag_values: flags.FlagValues) -> None:
    """Defines what to run on, the original's TPU block included."""
    flags.DEFINE_enum(
        "distribution_strategy",
        "auto",
        ["auto", "one_device", "mirrored", "multi_worker", "tpu"],
        "auto: the TPU with --use_tpu, several workers where TF_CONFIG names "
        "them, else all GPUs, else the CPU.",
        flag_values=flag_values,
    )
    define_integers(flag_values, 0, num_gpus="GPUs to use. Default: all.")
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["float32", "bfloat16", "float16", "tf32"],
        "Of the matrix products; weights, moments, softmax, layer "
        "normalization and losses are float32 always. tf32: a GPU's own "
        "rounding of float32.",
        flag_values=flag_values,
    )
    define_bools(flag_values, use_tpu="Whether to run on a TPU.")
    define_strings(
        flag_values,
        tpu_name="The Cloud TPU to use: its name or grpc:// address.",
        tpu_zone="GCE zone of the Cloud TPU; default: found by itself.",
        gcp_project="Project of the Cloud TPU; default: found by itself.",
        master="Address of the TPU, where tpu_name is not given.",
    )
    define_integers(
        flag_values,
        lower_bound=1,
        num_tpu_cores=(
            8,
            "Accepted; the number of cores is read from the TPU itself.",
        ),
    )

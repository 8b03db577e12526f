"""Command-line flags that scripts share, and the one way to start a script.

A script defines its flags in `define_flags(flag_values)` and ends in
`flags.run(main, define_flags)`. Nothing here imports TensorFlow, so `--help`
answers at once.

The original ignores flags it does not know, and documented commands rely on
that (`--do_lower=False`, `--do_lower_case=false` for run_pretraining.py). So
does `run`, but it says so and names the nearest flag that exists.
"""

import collections
import difflib
import errno
import itertools
import math
import os
import re
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from bert.errors import UserError

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()

FLAGS = flags.FLAGS

DefineFlags = Callable[[flags.FlagValues], None]


def run(main: Callable[[], None], define_flags: DefineFlags) -> None:
    """Parses the command line, runs `main`, and exits.

    Args:
        main: the script's pipeline; it reads its flags from `FLAGS`.
        define_flags: defines the script's flags on the given FlagValues.

    Exit code: 0; 1 after one line on stderr where the user's input or the
    file system is at fault; 130 after Ctrl-C.
    """
    define_flags(FLAGS)
    app.run(lambda _: _guard(main), flags_parser=_parse)


def required(flag_values: flags.FlagValues, *names: str) -> None:
    """Makes the command line fail where one of these flags is not given."""
    for name in names:
        # absl's own mark lets an empty value pass.
        flags.register_validator(name, bool, "must be given", flag_values)


def define_do_lower_case(flag_values: flags.FlagValues) -> None:
    """Defines --do_lower_case, and --do_lower, which old commands use."""
    flags.DEFINE_bool(
        "do_lower_case",
        True,
        "Whether to lower case the input text and strip its accents: True for "
        "uncased models, False for cased models.",
        flag_values=flag_values,
    )
    flags.DEFINE_alias("do_lower", "do_lower_case", flag_values=flag_values)


def define_model_flags(flag_values: flags.FlagValues) -> None:
    """Defines what model to run and where its results go."""
    flags.DEFINE_string(
        "bert_config_file",
        None,
        "JSON file of the pre-trained BERT model; it gives the architecture.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for checkpoints, event files and results. A checkpoint there "
        "is resumed from.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "init_checkpoint",
        None,
        "Checkpoint to start from (usually a pre-trained BERT model): its "
        "prefix, its .index file or its folder.",
        flag_values=flag_values,
    )
    required(flag_values, "bert_config_file", "output_dir")


def define_training_flags(
    flag_values: flags.FlagValues,
    *,
    train_batch_size: int = 32,
    learning_rate: float = 5e-5,
) -> None:
    """Defines what every training script takes beside its task's own flags."""
    flags.DEFINE_integer(
        "train_batch_size",
        train_batch_size,
        "Examples a training step sees, over all devices together.",
        lower_bound=1,
        upper_bound=10**6,
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "learning_rate",
        learning_rate,
        "The peak learning rate.",
        lower_bound=0.0,
        upper_bound=1e30,
        flag_values=flag_values,
    )
    flags.register_validator(
        "learning_rate",
        math.isfinite,
        "must be a finite number",
        flag_values=flag_values,
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
    flags.DEFINE_integer(
        "save_checkpoints_steps",
        1000,
        "How many steps apart checkpoints are saved.",
        lower_bound=1,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "iterations_per_loop",
        1000,
        "Accepted; only a TPU needs it. It never delays a log line or a save.",
        lower_bound=1,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "random_seed",
        None,
        "Seed of initial weights, shuffling and dropout; on a CPU the same "
        "seed gives the same weights bit for bit. Default: drawn, logged and "
        "kept with the checkpoints.",
        lower_bound=0,
        upper_bound=2**31 - 1,
        flag_values=flag_values,
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
    flags.DEFINE_bool(
        "adam_bias_correction",
        False,
        "Correct Adam's moments for their start at zero. The original does "
        "not; lamb always does.",
        flag_values=flag_values,
    )
    for name, default, text in (
        (
            "weight_decay",
            0.01,
            "Share of a weight that decays, times the rate.",
        ),
        ("adam_epsilon", 1e-6, "Added to the root of Adam's second moment."),
        ("max_grad_norm", 1.0, "Gradients are scaled down to this norm."),
    ):
        # What float32 can divide by and multiply with.
        flags.DEFINE_float(
            name,
            default,
            text,
            lower_bound=0.0 if name == "weight_decay" else 1e-30,
            upper_bound=1e30,
            flag_values=flag_values,
        )
        flags.register_validator(
            name, math.isfinite, "must be a finite number", flag_values
        )


def _define_scale_flags(flag_values: flags.FlagValues) -> None:
    flags.DEFINE_integer(
        "gradient_accumulation_steps",
        1,
        "Take each device's rows of a batch in this many parts, one after the "
        "other: less memory, the same step.",
        lower_bound=1,
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "recompute_activations",
        False,
        "Compute each layer a second time in the backward pass instead of "
        "keeping its activations: much less memory, a third more work.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "use_xla",
        False,
        "Compile the forward and backward pass by XLA.",
        flag_values=flag_values,
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
    flags.DEFINE_string(
        "vocab_file",
        None,
        "The vocabulary that the model was trained with, one token a line.",
        flag_values=flag_values,
    )
    required(flag_values, "vocab_file")
    define_do_lower_case(flag_values)
    flags.DEFINE_integer(
        "max_seq_length",
        max_seq_length,
        "Longest input in word pieces, special tokens included.",
        lower_bound=3,
        flag_values=flag_values,
    )
    for name, text in (
        ("do_train", "Whether to train."),
        ("do_eval", "Whether to evaluate."),
        ("do_predict", "Whether to predict."),
    ):
        flags.DEFINE_bool(name, False, text, flag_values=flag_values)
    flags.DEFINE_integer(
        "predict_batch_size",
        8,
        "Rows of a prediction batch.",
        lower_bound=1,
        upper_bound=10**6,
        flag_values=flag_values,
    )
    _define_schedule_flags(flag_values)
    define_training_flags(flag_values)
    _define_monitor_flags(flag_values)
    define_export_flags(flag_values)
    define_device_flags(flag_values)


def define_eval_batch_size(flag_values: flags.FlagValues) -> None:
    """Defines --eval_batch_size."""
    flags.DEFINE_integer(
        "eval_batch_size",
        8,
        "Rows of an evaluation batch.",
        lower_bound=1,
        upper_bound=10**6,
        flag_values=flag_values,
    )


def _define_schedule_flags(flag_values: flags.FlagValues) -> None:
    flags.DEFINE_float(
        "num_train_epochs",
        3.0,
        "Passes over the training set; may be a fraction.",
        lower_bound=0.0,
        upper_bound=1e6,
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "warmup_proportion",
        0.1,
        "Share of the training steps in which the learning rate rises from 0.",
        lower_bound=0.0,
        upper_bound=1.0,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "shuffle_buffer_size",
        None,
        "Each training example is drawn from this many. Default: from all of "
        "them; 100 shuffles as little as the original, 1 keeps file order.",
        lower_bound=1,
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "length_buckets",
        True,
        "Train on batches of like length, in random order: less padding. Not "
        "on a TPU, nor with --shuffle_buffer_size.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "freeze_layers",
        None,
        "Do not train the embeddings and this many of the first layers; 0: the "
        "embeddings alone. Default: train all.",
        lower_bound=0,
        flag_values=flag_values,
    )


def _define_monitor_flags(flag_values: flags.FlagValues) -> None:
    flags.DEFINE_integer(
        "eval_steps",
        None,
        "Evaluate every so many training steps, and after the last. Default: "
        "not while training.",
        lower_bound=1,
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "save_best",
        None,
        "A metric of eval_results.txt: the weights that are best by it at any "
        "--eval_steps are kept in output_dir/best, and used by --do_eval and "
        "--do_predict of a command with this flag.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "early_stopping_patience",
        None,
        "Stop training after this many evaluations without a better "
        "--save_best.",
        lower_bound=1,
        flag_values=flag_values,
    )


def define_export_flags(flag_values: flags.FlagValues) -> None:
    """Defines whether and where to the trained model is exported."""
    flags.DEFINE_bool(
        "do_export",
        False,
        "Whether to write the trained model as a SavedModel, as "
        "export_model.py does; an earlier export is replaced.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "export_dir",
        None,
        "Folder of --do_export. Default: export in output_dir.",
        flag_values=flag_values,
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
    flags.DEFINE_integer(
        "num_gpus",
        None,
        "GPUs to use. Default: all.",
        lower_bound=0,
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "precision",
        "float32",
        ["float32", "bfloat16", "float16", "tf32"],
        "Of the matrix products; weights, moments, softmax, layer "
        "normalization and losses are float32 always. tf32: a GPU's own "
        "rounding of float32.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "use_tpu", False, "Whether to run on a TPU.", flag_values=flag_values
    )
    for name, text in (
        ("tpu_name", "The Cloud TPU to use: its name or grpc:// address."),
        ("tpu_zone", "GCE zone of the Cloud TPU; default: found by itself."),
        ("gcp_project", "Project of the Cloud TPU; default: found by itself."),
        ("master", "Address of the TPU, where tpu_name is not given."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=flag_values)
    flags.DEFINE_integer(
        "num_tpu_cores",
        8,
        "Accepted; the number of cores is read from the TPU itself.",
        lower_bound=1,
        flag_values=flag_values,
    )


def _parse(argv: Sequence[str]) -> list[str]:
    """Parses argv as absl does, but goes on after unknown flags."""
    # Without this, absl stops at the first word that is no flag and drops
    # all flags behind it.
    FLAGS.set_gnu_getopt(True)
    try:
        rest = FLAGS(list(argv), known_only=True)[1:]
        _report_leftovers(list(argv[1:]), rest)
    except (flags.Error, ValueError) as error:  # UserError is one
        # absl gives one line for each required flag that is missing.
        missing = re.findall(r"flag (--\w+)=\w*: must be given", str(error))
        line = (
            f"required flags are missing: {', '.join(missing)}"
            if missing
            else "; ".join(str(error).splitlines())
        )
        print(f"error: {line} (--help shows all flags)", file=sys.stderr)
        sys.exit(1)
    if not FLAGS["verbosity"].present:
        logging.set_verbosity(logging.INFO)
    return [argv[0]]


def _report_leftovers(argv: list[str], rest: list[str]) -> None:
    """Warns of unknown flags; a word that belongs to no flag is an error."""
    left = collections.deque(rest)
    unknown = ""  # an unknown flag without a value, if one stands just before
    for before, word in itertools.pairwise(["", *argv]):
        # `rest` are the words of argv that belong to no flag, in their order.
        if not left or word != left[0]:
            unknown = ""
            continue
        left.popleft()
        if word.startswith("-") and word.strip("-"):
            _warn_of_unknown_flag(word)
            unknown = word if "=" not in word else ""
        elif unknown:
            unknown = ""  # its value, as in `--unknown value`
        else:
            is_flag = before.startswith("-") and "=" not in before
            hint = f"; write {before}={word}" if is_flag else ""
            raise UserError(
                "Expected flags only (--name=value; several files are "
                f"separated by commas). Received: {word!r}{hint}."
            )


def _warn_of_unknown_flag(word: str) -> None:
    name = word.lstrip("-").split("=", 1)[0]
    near = difflib.get_close_matches(name, list(FLAGS), n=1)
    hint = f"; did you mean --{near[0]}?" if near else ""
    print(f"warning: unknown flag --{name} is ignored{hint}", file=sys.stderr)


def _guard(main: Callable[[], None]) -> int:
    """Runs `main`; one line and an exit code for what is not our fault."""
    try:
        main()
    except (UserError, OSError) as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    except UnicodeEncodeError as error:
        # What the shell gave as bytes that are no UTF-8.
        print(
            "error: a path or text is not valid UTF-8: "
            f"{ascii(error.object)[:80]}; rename it.",
            file=sys.stderr,
        )
        return 1
    except Exception as error:
        if not _is_file_system_error(error):
            raise
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 1
    return 0


def _is_file_system_error(error: Exception) -> bool:
    """Whether TensorFlow's file layer failed (no space, no permission)."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(error, tf.errors.OpError):
        return False
    reasons = (errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT)
    return any(os.strerror(r) in str(error) for r in reasons) or isinstance(
        error,
        (
            tf.errors.FailedPreconditionError,
            tf.errors.NotFoundError,
            tf.errors.PermissionDeniedError,
            tf.errors.ResourceExhaustedError,
            tf.errors.UnavailableError,
            tf.errors.UnimplementedError,
        ),
    )


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fspath(error.filename)}: " if error.filename else ""
        return f"{where}{error.strerror}"
    # Less the names of TensorFlow's operations around the message.
    text = re.sub(r"\{\{.*?\}\}|\[Op:.*?\]( name:)?", "", str(error))
    if "OOM when allocating" in text:
        text += "; lower --train_batch_size or --max_seq_length"
    return " ".join(text.split())

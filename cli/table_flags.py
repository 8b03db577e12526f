"""Flags of scripts that read one's own files, and run_classifier.py's results.

What those for tables mean to a reader stands in `TableSettings` in
tasks/classification/table_files.py, whose attributes have the flags' names.
"""

from absl import flags

from bert.cli import shared_flags

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()

_SETS = {
    "train_file": "Training set. Default: data_dir's train{}.",
    "dev_file": "The set to evaluate. Default: data_dir's dev{}.",
    "test_file": "The set to predict; it needs no labels. Default: data_dir's "
    "test{}.",
}
_LABELS = {
    "labels": "All labels, separated by commas, or a file with one a line. "
    "Default: those kept with the model (labels.txt) where it is evaluated, "
    "used or trained on in output_dir; else those of the training set, "
    "sorted."
}


def define_set_flags(
    flag_values: flags.FlagValues,
    extension: str,
    note: str = "",
    has_labels: bool = True,
) -> None:
    """Defines where the sets of examples are, and which labels they have.

    Args:
        flag_values: where to.
        extension: of the files in data_dir, such as ".txt".
        note: stands in front of each text.
        has_labels: whether labels have names.
    """
    texts = {**_SETS, **(_LABELS if has_labels else {})}
    shared_flags.define_strings(
        flag_values, **{k: note + v.format(extension) for k, v in texts.items()}
    )
    if has_labels:
        shared_flags.define_bools(
            flag_values,
            grow_labels="Start from a model of other labels "
            "(--init_checkpoint): its head keeps them, and gets those that "
            "are new.",
        )


def require_task_name(flag_values: flags.FlagValues) -> None:
    """Makes the command line fail without a task's name and without files."""
    flags.register_validator(
        "task_name",
        lambda name: bool(name or has_files(flag_values)),
        "must be given",
        flag_values,
    )


def has_files(flag_values: flags.FlagValues) -> bool:
    """Whether a flag of `define_set_flags` names a file."""
    return any(flag_values[name].value for name in _SETS)


def define_split_flags(flag_values: flags.FlagValues) -> None:
    """Defines how one file is taken for what is trained on and evaluated."""
    flags.DEFINE_float(
        "dev_fraction",
        None,
        "Evaluate on this share of the training set, which is not trained on "
        "then; of each label the same share. In place of --dev_file.",
        flag_values=flag_values,
    )
    shared_flags.define_integers(
        flag_values,
        folds="Train and evaluate so many times, in output_dir/fold_1 …, each "
        "time on another part of the training set; folds.json has the mean.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        split_seed=(
            12345,
            "Chooses the rows of --dev_fraction and --folds, whatever "
            "--random_seed is.",
        ),
    )


def define_text_flags(flag_values: flags.FlagValues) -> None:
    """Defines which columns of one's own files hold a text and its label."""
    for name, default, text in (
        (
            "text_column",
            "text",
            "Own data: Column of the text: its name in the header, its number "
            "from 0, or its key (jsonl). So for the other columns.",
        ),
        ("label_column", "label", "Own data: Column of the label."),
    ):
        flags.DEFINE_string(name, default, text, flag_values)
    shared_flags.define_bools(
        flag_values,
        default=True,
        header="Own data: whether the first line names the columns.",
    )


def define_table_flags(flag_values: flags.FlagValues) -> None:
    """Defines where one's own files are and how to read them."""
    define_set_flags(flag_values, ".tsv (.csv, …)", "Own data: ")
    shared_flags.define_strings(
        flag_values,
        pair_column="Own data: Column of the second text of a pair. Default: "
        "no pairs.",
        id_column="Own data: Column of the examples' names, for "
        "predictions.jsonl. Default: they are numbered.",
    )
    define_text_flags(flag_values)
    flag_values[
        "label_column"
    ].help += " a,b,c: a column for each of several labels, which says 0 or 1."
    shared_flags.define_strings(
        flag_values,
        dev_text_column="Own data: text_column in dev_file, where it differs.",
        dev_pair_column="Own data: pair_column in dev_file, where it differs.",
        dev_label_column="Own data: label_column in dev_file, where it "
        "differs.",
        delimiter="Own data: What stands between the columns of a tsv or csv "
        "file: a character, or tab. Default: TABs in tsv, commas in csv; or "
        "what the header shows, where the columns are not in it so.",
        skip_labels="Own data: Rows of the training and dev set with one of "
        "these labels, separated by commas, are left out.",
    )
    flags.DEFINE_string(
        "label_separator",
        ",",
        "Own data: Stands between the labels of a cell.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "label_type",
        "single",
        ["single", "multi", "regression"],
        "Own data: one label for each text, any number of labels, or a number.",
        flag_values=flag_values,
    )


def define_result_flags(flag_values: flags.FlagValues) -> None:
    """Defines what to train for and what to write."""
    shared_flags.define_strings(
        flag_values,
        class_weights="What an example of each label counts in training: "
        "balanced, or neg:1.0,pos:3.5. Default: all the same.",
    )
    shared_flags.define_bools(
        flag_values,
        predictions_text="Whether predictions.jsonl has the texts, too.",
        glue_submission="Whether --do_predict also writes the file that the "
        "GLUE server takes.",
    )

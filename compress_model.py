"""Makes an exported model small and fast: LiteRT, ONNX, OpenVINO.

See docs/compression.md.
"""

import dataclasses
import json
import os
from typing import TYPE_CHECKING

from absl import flags, logging

from bert.cli import command_line, shared_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.model_folder import formats, task_files

if TYPE_CHECKING:
    from bert.evaluation.comparison import Comparison

# What the flag has always meant: further formats are asked for by name.
_DEFAULT_FORMATS = ("litert_float16", "litert_int8", "onnx")
_SAVED_MODEL = "saved_model"
_TABLE = "compression.md"
_FIGURES = "compression.json"


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        export_dir="The SavedModel: what export_model.py or --do_export wrote.",
        output_dir="Local folder to write to; missing, empty, or what this "
        "script wrote earlier (--overwrite).",
        eval_file="Record files to measure with: eval.tf_record, which "
        "--do_eval leaves in output_dir. For a model of the task features or "
        "pretraining, any with input_ids, input_mask and segment_ids.",
    )
    shared_flags.define_strings(
        flag_values,
        calibration_file="Record files of other rows: train.tf_record, which "
        "--do_train leaves. Formats that are calibrated take the ranges of "
        "their numbers from some. Default: eval_file.",
    )
    flags.DEFINE_string(
        "formats",
        ",".join(_DEFAULT_FORMATS),
        f"What to write, separated by commas, of {', '.join(formats.FORMATS)}.",
        flag_values,
    )
    flags.DEFINE_float(
        "max_accuracy_drop",
        0.01,
        "Write nothing if the accuracy of a model falls by more than this.",
        lower_bound=0.0,
        upper_bound=1.0,
        flag_values=flag_values,
    )
    shared_flags.define_bools(
        flag_values,
        overwrite="Whether to replace what this script wrote to output_dir.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True)
class Config(FlagConfig):
    """The values of the flags, by their names."""

    export_dir: str
    output_dir: str
    eval_file: str
    calibration_file: str | None
    formats: str
    max_accuracy_drop: float
    overwrite: bool

    def __post_init__(self):
        names = self.format_names
        known = formats.FORMATS
        if not set(names) <= set(known) or len(set(names)) < len(names):
            raise UserError(
                f"--formats must be some of {', '.join(known)}, separated "
                f"by commas. Received: {self.formats!r}."
            )
        calibrated = [name for name in known if known[name].is_calibrated]
        if self.calibration_file and not set(names) & set(calibrated):
            raise UserError(
                f"--calibration_file is for {', '.join(calibrated)}. Received: "
                f"--formats={self.formats}; leave it out."
            )

    @property
    def format_names(self) -> list[str]:
        """The formats to write."""
        return [name.strip() for name in self.formats.split(",")]


def compress(config: Config) -> None:
    """Writes and measures the formats; all of them or none.

    Raises:
        UserError: a file is missing or wrong, output_dir is taken, or a model
            is not as good as the SavedModel.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.evaluation import comparison
    from bert.files import atomic_files, flag_paths
    from bert.model_folder import model_files
    from bert.tasks import inference

    read_task(config.export_dir)
    check_output_dir(config)
    formats.check_to_make(config.format_names)
    files = flag_paths.matching_files(config.eval_file, "eval_file")
    others = config.calibration_file and flag_paths.matching_files(
        config.calibration_file, "calibration_file"
    )
    # All above needs no TensorFlow.
    from bert.model_folder import saved_model
    from bert.serving import eval_batches

    original = saved_model.SavedModel(config.export_dir).compute
    judge = inference.make(model_files.find(config.export_dir))
    rows = batches = eval_batches.read(files, judge)
    if others:
        rows = eval_batches.read(others, judge)
    with atomic_files.replacing_folder(config.output_dir) as folder:
        models: dict[str, formats.Model] = {_SAVED_MODEL: original}
        sizes = {_SAVED_MODEL: saved_model.num_bytes(config.export_dir)}
        for name in config.format_names:
            file = formats.FORMATS[name].file
            path = os.path.join(folder, file)
            logging.info("Writing %s", file)
            formats.make(name, config.export_dir, path, rows)
            models[name] = formats.open_model(name, path)
            sizes[name] = sum(
                os.path.getsize(os.path.join(folder, each))
                for each in formats.FORMATS[name].files
            )
        logging.info("Running the models over %s", config.eval_file)
        measured = comparison.compare(judge, models, sizes, batches)
        logging.info("%s\n%s", config.export_dir, measured.table())
        check_figures(config, measured)
        write_results(config, folder, measured)
    logging.info("Wrote %s", config.output_dir)


def check_output_dir(config: Config) -> None:
    """Makes sure that nothing is replaced but what this script wrote.

    Raises:
        UserError: there is something else, or it is not to be overwritten.
    """
    from bert.files import atomic_files
    from bert.serving import export_place

    folder = config.output_dir
    if "://" in folder or os.path.isfile(folder):
        raise UserError(
            "--output_dir must be a local folder: runtimes open files of this "
            f"machine. Received: {folder}."
        )
    path, export = os.path.realpath(folder), os.path.realpath(config.export_dir)
    if os.path.join(path, "").startswith(os.path.join(export, "")):
        raise UserError(
            f"--output_dir must not be in --export_dir={config.export_dir}. "
            f"Received: {folder}; name another."
        )
    atomic_files.restore_folder(path)
    found = set(os.listdir(path)) if os.path.isdir(path) else set()
    ours = {name for form in formats.FORMATS.values() for name in form.files}
    ours |= {*export_place.ASSET_FILES, _TABLE, _FIGURES}
    foreign = found and export_place.foreign_names(path, ours)
    if foreign or (found and _FIGURES not in found):
        what = f"with {foreign[0]}" if foreign else f"without {_FIGURES}"
        raise UserError(
            f"--output_dir={folder} must be missing, empty or what this script "
            f"wrote. Received: a folder {what}; name another."
        )
    if found and not config.overwrite:
        raise UserError(
            f"--output_dir={folder} holds models already; name another, or "
            "replace them (--overwrite)."
        )
    if reason := atomic_files.why_no_folder(path):
        raise UserError(f"--output_dir={folder} {reason}.")


def read_task(export_dir: str) -> task_files.Task:
    """Returns what an exported model is for.

    Raises:
        UserError: there is no export.
    """
    from bert.model_folder import locate

    task = locate.task(os.path.join(export_dir, task_files.ASSETS))
    if task is None:
        raise UserError(
            "--export_dir must be a SavedModel that export_model.py or "
            f"--do_export wrote. Received: {export_dir}, where there is no "
            f"{task_files.ASSETS}/{task_files.TASK_FILE}."
        )
    return task


def check_figures(config: Config, measured: "Comparison") -> None:
    """Makes sure that the models may be handed on.

    Raises:
        UserError: one says something else than the SavedModel.
    """
    original = measured.figures[0]
    for one in measured.figures[1:]:
        tolerance = formats.FORMATS[one.name].tolerance
        if not one.difference <= tolerance:
            raise UserError(
                f"{one.name} is refused: its outputs differ from the "
                f"SavedModel's by {one.difference:.2g} of the largest, more "
                f"than the {tolerance:g} that rounding explains; leave the "
                "format out (--formats)."
            )
        # 1 - 0.99 is a little more than 0.01; and nan is refused.
        drop = original.accuracy - one.accuracy - 1e-6
        if not drop <= config.max_accuracy_drop:
            raise UserError(
                f"{one.name} is refused: its {measured.measure} is "
                f"{one.accuracy:.4f}, the SavedModel's "
                f"{original.accuracy:.4f}; --max_accuracy_drop="
                f"{config.max_accuracy_drop:g} allows less. Leave the format "
                "out (--formats), or allow more."
            )


def write_results(config: Config, folder: str, measured: "Comparison") -> None:
    """Writes the figures, and what a user needs beside the models."""
    import tensorflow as tf

    from bert.files import atomic_files

    for name, text in (
        (_TABLE, measured.table()),
        (_FIGURES, json.dumps(measured.to_dict(), indent=2) + "\n"),
    ):
        atomic_files.write_text(os.path.join(folder, name), text)
    source = os.path.join(config.export_dir, task_files.ASSETS)
    target = os.path.join(folder, task_files.ASSETS)
    os.mkdir(target)
    for name in tf.io.gfile.listdir(source):
        tf.io.gfile.copy(os.path.join(source, name), os.path.join(target, name))


def main(_: object = None) -> None:
    """Flags → a SavedModel → smaller models, measured."""
    compress(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

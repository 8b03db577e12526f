"""Makes the first weights of a student from the layers of a teacher.

Of every k-th layer, the last one among them; embeddings, pooler and the heads
of pre-training stay. See docs/distillation.md.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from absl import flags, logging

from bert.cli import command_line, environment, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.model_folder.given import Given

if TYPE_CHECKING:
    import numpy as np

# What a student of the same width takes over; not the heads of fine-tuning,
# nor Adam's moments.
_KEPT = re.compile(
    r"(bert/|cls/(predictions|seq_relationship)/)(?!.*/adam_[mv]$)"
)
_LAYER = re.compile(r"(?<=/encoder/layer_)\d+(?=/)")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values, takes_saved_models=False)
    shared_flags.define_required_strings(
        flag_values,
        output_dir="Folder that gets the student; it is made if need be.",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        num_layers="The student's layers; divides those of model_dir.",
    )
    shared_flags.required(flag_values, "num_layers")
    shared_flags.define_bools(
        flag_values, overwrite="Whether to replace what was written before."
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    output_dir: str
    num_layers: int
    overwrite: bool


def make_student(config: Config) -> None:
    """Teacher → student of fewer layers.

    Raises:
        UserError: a file is missing or wrong, or in the way, or the layers
            cannot be chosen.
    """
    environment.prepare()
    # Here, so that --help needs no TensorFlow.
    from bert.conversion import output_folder
    from bert.conversion.model import Model, make_task
    from bert.files import text_input
    from bert.model_folder import model_files
    from bert.modeling.checkpoint_reader import Reader
    from bert.modeling.config import BertConfig, read_config
    from bert.tasks import spec

    output_folder.check(
        config.output_dir, output_folder.ORIGINAL, config.overwrite
    )
    files = model_files.find(config.model_dir, config)
    vocab_file, lower = model_files.words_of(files, config.model_dir)
    reader = Reader(files.checkpoint)
    sizes = read_config(files.bert_config_file)
    if sizes.encoder_type != BertConfig.encoder_type:
        raise UserError(
            f"--model_dir={config.model_dir}: expected a BERT, of whose layers "
            f"some are taken. Received: a {sizes.encoder_type}."
        )
    step = layer_step(sizes.num_hidden_layers, config.num_layers)
    sizes.num_hidden_layers = config.num_layers
    tensors = every_layer(
        {
            name: reader.read(name)
            for name in filter(_KEPT.match, reader.shapes)
        },
        step,
    )
    row = spec.find("pretraining")
    if row.needed_weight not in tensors:
        row = spec.find("features")
    model = Model(
        sizes,
        tensors,
        text_input.read(vocab_file),
        make_task(row, lower, files.task.max_seq_length),
        (),
    )
    output_folder.make(
        config.output_dir,
        output_folder.ORIGINAL,
        output_folder.prepare_original(model),
    )
    layers = range(step, step * config.num_layers + 1, step)
    logging.info(
        "Wrote %s: layers %s of %s, of %d units",
        *(config.output_dir, ", ".join(map(str, layers)), files.checkpoint),
        sizes.hidden_size,
    )


def layer_step(teachers: int, students: int) -> int:
    """Returns how many layers of a teacher come to one of a student.

    Raises:
        UserError: it is no whole number of at least 2.
    """
    if students >= teachers or teachers % students:
        fit = [n for n in range(1, teachers) if teachers % n == 0]
        raise UserError(
            f"--num_layers must divide the teacher's {teachers} layers, every "
            f"k-th of which is taken: {', '.join(map(str, fit)) or 'none do'}. "
            f"Received: {students}."
        )
    return teachers // students


def every_layer(
    tensors: Mapping[str, "np.ndarray"], step: int
) -> dict[str, "np.ndarray"]:
    """Returns the tensors of every `step`-th layer, and all that are of none.

    Args:
        tensors: of the teacher, by name.
        step: of the first of so many layers the last one is taken, and so on.
    """
    found = {}
    for name, tensor in tensors.items():
        layer = _LAYER.search(name)
        number, rest = divmod(int(layer[0]) + 1, step) if layer else (0, 0)
        if rest == 0:
            found[_LAYER.sub(str(number - 1), name)] = tensor
    return found


def main() -> None:
    """Flags → model folder."""
    make_student(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)

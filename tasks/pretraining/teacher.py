"""--teacher_dir of run_pretraining.py: a model with the same vocabulary."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bert.data.text import tokenizers
from bert.errors import UserError
from bert.files import file_bytes, task_paths
from bert.model_folder import model_files, resume_file
from bert.model_folder.files import ModelFiles
from bert.model_folder.given import Given
from bert.modeling.backbones.choice import backbone_class
from bert.modeling.config import BertConfig, read_config
from bert.tasks.pretraining import inputs
from bert.tasks.pretraining.config import Config

# TensorFlow is imported where it is used: a teacher is found without.
if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.task_model import TaskModel
    from bert.training.objectives.taught_pretraining import TaughtPretraining


class Teacher(NamedTuple):
    """A pre-trained model that another one learns from.

    Attributes:
        files: the teacher's.
        config: the flags' values.
        num_weights: numbers that it has.
    """

    files: ModelFiles
    config: Config
    num_weights: int

    @property
    def digest(self) -> str:
        """A hash of all that decides what it says."""
        return resume_file.digest(
            [
                # It has a checksum of each weight.
                file_bytes.read(task_paths.index_of(self.files.checkpoint)),
                file_bytes.read(self.files.bert_config_file),
            ]
        )

    def objective(
        self, model: "TaskModel", done: "Callable[[], tf.Tensor]"
    ) -> "TaughtPretraining":
        """Returns what a student minimizes; call it in the strategy's scope.

        Args:
            model: the student.
            done: see `training.feeds.MakeObjective`.
        """
        from bert.modeling.heads import PretrainingModel
        from bert.training import run
        from bert.training.objectives.taught_pretraining import (
            TaughtPretraining,
        )

        assert isinstance(model, PretrainingModel)
        config = self.config
        sizes = read_config(self.files.bert_config_file)
        teacher = PretrainingModel(sizes, compute_dtype=config.compute_dtype)
        run.load_trained(teacher, self.files.checkpoint, is_trained=False)
        if config.relation_heads:
            layers = model.backbone.config.num_hidden_layers
            model.related = (layers - 1, config.relation_heads)
            layer = config.teacher_layer or best_layer(sizes.num_hidden_layers)
            teacher.related = (layer - 1, config.relation_heads)
        return TaughtPretraining(
            model,
            teacher,
            config.teaching(done),
            config.distill_top_k,
            config.recompute_activations,
        )


def find(config: Config, bert_config: BertConfig) -> ModelFiles | None:
    """Returns the files of the teacher that a command names, if it has a part.

    Args:
        config: the flags' values.
        bert_config: the student's sizes.

    Raises:
        UserError: there is none, or it cannot teach this model.
    """
    if not config.is_taught:
        return None
    flag = f"--teacher_dir={config.teacher_dir}"
    files = model_files.find(str(config.teacher_dir), Given(task="pretraining"))
    theirs = read_config(files.bert_config_file)
    if theirs.vocab_size != bert_config.vocab_size:
        raise UserError(
            f"{flag}: expected a model with the vocabulary of this one, "
            f"{bert_config.vocab_size} word pieces. Received: one with "
            f"{theirs.vocab_size}; name another."
        )
    for name in ("max_position_embeddings", "type_vocab_size"):
        least = {"max_position_embeddings": config.max_seq_length}
        wanted = least.get(name, bert_config.type_vocab_size)
        if getattr(theirs, name) < wanted:
            raise UserError(
                f"{flag}: expected a model that reads these records, "
                f"{name} at least {wanted}. Received: {getattr(theirs, name)}; "
                "name another."
            )
    own = inputs.vocabulary(config, bert_config)
    if files.vocab_file and own:
        known = tokenizers.load_vocab(files.vocab_file)
        if own != {number: piece for piece, number in known.items()}:
            raise UserError(
                f"{flag}: expected a model with the vocabulary of this one. "
                f"Received: other word pieces in {files.vocab_file}; name "
                "another."
            )
    if config.distill_top_k > bert_config.vocab_size:
        raise UserError(
            f"--distill_top_k must be at most {bert_config.vocab_size}, the "
            f"word pieces that there are. Received: {config.distill_top_k}."
        )
    return files


def make(files: ModelFiles, config: Config, bert_config: BertConfig) -> Teacher:
    """Returns a teacher, checked with TensorFlow.

    Args:
        files: of `find`.
        config: the flags' values.
        bert_config: the student's sizes.

    Raises:
        UserError: it cannot teach this model, or is damaged.
    """
    from bert.modeling.checkpoint_reader import Reader
    from bert.modeling.heads import PretrainingModel
    from bert.training import head_check, memory

    theirs = read_config(files.bert_config_file)
    _check_encoders(config, theirs, bert_config)
    model = head_check.check_model(
        head_check.Start(Reader(files.checkpoint)),
        lambda: PretrainingModel(theirs),
        num_train_steps=0,
    )
    return Teacher(files, config, memory.count_weights(model))


def best_layer(layers: int) -> int:
    """Returns the layer, from 1, whose relations teach most.

    The last one; of teachers of more layers than BERT-Base one above the
    middle, as Wang et al. 2021 do (section 3.2): the 21st of 24.

    Args:
        layers: how many the teacher has.
    """
    return layers if layers <= 12 else layers * 7 // 8


def _check_encoders(
    config: Config, teacher: BertConfig, student: BertConfig
) -> None:
    """Raises UserError where a teacher does not take the rows of the flags.

    Or where a student cannot learn its relations, if it is to.
    """
    from bert.modeling.backbones.transformer import TransformerBackbone
    from bert.tasks.pretraining import records

    records.check_encoder(
        config, teacher, f"--teacher_dir={config.teacher_dir}: "
    )
    if not config.relation_heads:
        return
    flag = f"--relation_heads={config.relation_heads}"
    for whose, sizes in (("teacher", teacher), ("student", student)):
        if not issubclass(backbone_class(sizes), TransformerBackbone):
            raise UserError(
                f"{flag} needs a {whose} with queries, keys and values, such "
                f"as 'bert'. Received: encoder_type {sizes.encoder_type!r}; "
                "leave it out."
            )
    shared = math.gcd(teacher.hidden_size, student.hidden_size)
    if shared % config.relation_heads:
        raise UserError(
            f"{flag} must divide the teacher's {teacher.hidden_size} units and "
            f"the student's {student.hidden_size}; take a divisor of {shared}."
        )
    if (config.teacher_layer or 0) > teacher.num_hidden_layers:
        raise UserError(
            "--teacher_layer must be at most "
            f"{teacher.num_hidden_layers}, the layers that --teacher_dir="
            f"{config.teacher_dir} has. Received: {config.teacher_layer}."
        )

"""What a trained model is made from. Imports without TensorFlow."""

import dataclasses

from bert.data.text.tokenization import checked_tokenizer
from bert.model_folder.task_files import Task
from bert.modeling.config import read_config


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """What a trained model is made from.

    Attributes:
        task: what the model is for.
        checkpoint: the prefix of its weights, or its SavedModel; of a
            compressed model its file.
        bert_config_file: its sizes.
        vocab_file: its vocabulary; None where a pre-trained model has none.
        labels: in the order of their numbers; none where a task has none.
        format: of a compressed model, which of `formats.FORMATS` it is in.
        compute_dtype: of the matrix products that TensorFlow computes.
    """

    task: Task
    checkpoint: str
    bert_config_file: str
    vocab_file: str | None
    labels: tuple[str, ...] = ()
    format: str | None = None
    compute_dtype: str = "float32"


def check_words(files: ModelFiles) -> None:
    """Checks that a model's configuration fits its task and vocabulary.

    Raises:
        UserError: sequences are longer than the model's, or the vocabulary
            has more words.
    """
    task = files.task
    config = read_config(files.bert_config_file)
    config.check_sequence_length(task.max_seq_length)
    if files.vocab_file:
        checked_tokenizer(
            files.vocab_file, bool(task.do_lower_case)
        ).check_fits(config.vocab_size, files.bert_config_file)

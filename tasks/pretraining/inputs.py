"""The files that a pre-training begins with, and what its model is for.

Imports without TensorFlow.
"""

import os

from absl import logging

from bert.data.corpus import record_notes
from bert.data.text import tokenizers
from bert.files import flag_paths
from bert.model_folder import locate, task_files
from bert.modeling.config import BertConfig
from bert.tasks.pretraining.config import Config

_TITLES = {
    "input_file": "*** Input Files ***",
    "eval_file": "*** Evaluation Files ***",
}


def task_of(config: Config) -> task_files.Task:
    """Returns what the model is for, as it is kept with its checkpoints."""
    return task_files.Task(
        task="pretraining",
        do_lower_case=config.do_lower_case,
        max_seq_length=config.max_seq_length,
    )


def record_files(config: Config, flag: str = "input_file") -> list[str]:
    """Returns the files of a flag, without our notes on them.

    Args:
        config: the flags' values.
        flag: input_file or eval_file.

    Raises:
        UserError: there are no such files, or they are notes alone.
    """
    files = record_notes.without_notes(
        flag_paths.matching_files(getattr(config, flag), flag), flag
    )
    logging.info("%s", _TITLES[flag])
    for name in files:
        logging.info("  %s", name)
    return files


def vocabulary(config: Config, bert_config: BertConfig) -> dict[int, str]:
    """Returns the word pieces by their ids, where something tells them.

    --vocab_file, or else a vocab.txt beside the model.
    """
    files = [config.vocab_file]
    for path in filter(None, (config.bert_config_file, config.init_checkpoint)):
        folder = os.path.dirname(path) or os.curdir
        files.append(locate.vocab_file(folder))
    for file in files:
        if file:
            ids = tokenizers.load_vocab(file)
            if max(ids.values(), default=0) < bert_config.vocab_size:
                return {number: piece for piece, number in ids.items()}
    return {}

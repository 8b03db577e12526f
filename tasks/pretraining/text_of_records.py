"""How the text of the records became ids: their vocabulary and casing.

Records hold ids alone. What uses the model needs the rest, and finds it in
output_dir (vocab.txt, task.json).
"""

import dataclasses

from absl import logging

from bert.data.text import case_check, tokenization
from bert.model_folder import locate, task_files
from bert.modeling import BertConfig
from bert.tasks.pretraining.config import Config


def completed(config: Config, bert_config: BertConfig) -> Config:
    """Returns the flags' values with what they leave open, where it is known.

    A run that goes on has it in output_dir; of the casing a vocabulary tells.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.

    Raises:
        UserError: the vocabulary cannot be read or used, or is another
            model's.
    """
    kept = locate.task(config.output_dir)
    lower = config.do_lower_case
    if lower is None and kept:
        lower = kept.do_lower_case
    vocab_file = config.vocab_file or locate.file(
        config.output_dir, task_files.VOCAB_FILE
    )
    if vocab_file and lower is None:
        lower = case_check.is_uncased(tokenization.load_vocab(vocab_file))
        if lower is not None:
            logging.info("By its vocabulary: do_lower_case is %s.", lower)
    if vocab_file:
        tokenizer = tokenization.checked_tokenizer(vocab_file, bool(lower))
        tokenizer.require_tokens("[MASK]")
        tokenizer.check_fits(bert_config.vocab_size, config.bert_config_file)
    return dataclasses.replace(
        config, vocab_file=vocab_file, do_lower_case=lower
    )

"""--attention_mask: a run whose model is another than its configuration says.

Imports without TensorFlow.
"""

import atexit
import dataclasses
import os
import shutil
import tempfile
from typing import TypeVar

from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.model_folder import task_files
from bert.modeling.config import read_config

_Config = TypeVar("_Config", bound=TrainingConfig)


def applied(config: _Config) -> _Config:
    """Returns a run's configuration whose bert_config_file says the mask.

    That file is a new one, which is gone when the process ends: all that reads
    or keeps the model's configuration takes it as any other.

    Args:
        config: the flags' values.

    Raises:
        UserError: the file cannot be read, or its encoder has no such mask.
    """
    if config.attention_mask is None:
        return config
    sizes = read_config(config.bert_config_file)
    if sizes.mask_name == config.attention_mask:
        return config
    sizes.attention_mask = config.attention_mask
    try:
        sizes.validate()
    except UserError as error:
        raise UserError(f"{config.bert_config_file}: --{error}") from error
    folder = tempfile.mkdtemp(prefix="bert-config-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, task_files.CONFIG_FILE)
    with open(path, "w", encoding="utf-8") as file:
        file.write(sizes.to_json_string())
    return dataclasses.replace(config, bert_config_file=path)

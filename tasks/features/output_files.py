"""All that a run of extract_features.py writes."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bert.errors import UserError
from bert.files import flag_paths
from bert.modeling import checkpoint_paths
from bert.tasks.features import attention_file, feature_files, projector_folder
from bert.tasks.features.config import Config

# Tokens, their vectors, and the attention where it is asked for.
Write = Callable[[Sequence[str], np.ndarray, np.ndarray | None], None]


def check(config: Config, prefix: str) -> None:
    """Makes sure that all can be written, and replaces no input.

    Args:
        config: the values of the flags.
        prefix: of the checkpoint.

    Raises:
        UserError: it cannot, or would.
    """
    taken = [
        config.input_file,
        config.vocab_file,
        config.bert_config_file,
        prefix + ".index",
        prefix + checkpoint_paths.DATA_SUFFIX,
    ]
    if _is_one_of(config.output_file, taken):
        raise UserError(
            "The vectors would replace a file that they are made from; write "
            f"to another. Received: --output_file={config.output_file}."
        )
    flag_paths.check_writable(config.output_file, "output_file", "vectors")
    taken.append(config.output_file)
    if config.attention_file:
        if _is_one_of(config.attention_file, taken):
            raise UserError(
                "--attention_file must be a file of its own. Received: "
                f"{config.attention_file}, which another flag names; name "
                "another."
            )
        flag_paths.check_writable(
            config.attention_file, "attention_file", "attention"
        )
        taken.append(config.attention_file)
    if config.projector_dir is None:
        return
    projector_folder.check(config.projector_dir)
    folder = os.path.join(os.path.realpath(config.projector_dir), "")
    for path in taken:
        if os.path.realpath(path).startswith(folder):
            raise UserError(
                "--projector_dir must be a folder of its own, as it is "
                f"replaced. Received: {config.projector_dir}, with {path}; "
                "name another."
            )


@contextlib.contextmanager
def opened(
    config: Config, hidden_size: int, longest_token: int
) -> Iterator[Write]:
    """Opens what is to be written; each is there when it is whole.

    Args:
        config: the values of the flags.
        hidden_size: D.
        longest_token: characters of the vocabulary's longest one.

    Yields:
        What writes a row.
    """
    layers = config.layer_indices
    longest_token = 0 if config.pooling else longest_token
    with contextlib.ExitStack() as stack:
        vectors = stack.enter_context(
            feature_files.writer(
                config.output_file, layers, hidden_size, longest_token
            )
        )
        points = config.projector_dir and stack.enter_context(
            projector_folder.writer(config.projector_dir, layers)
        )
        attention = config.attention_file and stack.enter_context(
            attention_file.writer(config.attention_file)
        )

        def write(tokens, values, probs):
            vectors.write(tokens, values)
            if points:
                points.write(tokens, values)
            if attention:
                attention.write(tokens, probs)

        yield write


def _is_one_of(path: str, others: Sequence[str]) -> bool:
    return os.path.realpath(path) in map(os.path.realpath, others)

"""The original's records from end to end: all of the text is in memory.

`streaming_run` makes shards of text of any size.
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

from bert.data.corpus import instance_records, instance_rows, instances
from bert.data.corpus.documents import (
    Documents,
    no_text,
    read_documents,
)
from bert.data.corpus.draws import shuffle
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.records import record_bytes
from bert.data.records.fields import Field
from bert.data.text.tokenization import FullTokenizer
from bert.files import file_bytes, text_input

# Ids of the records that are made at a time.
_BATCH_IDS = 2**16


def are_packed(names: Iterable[str]) -> bool:
    """Whether one must be unpacked; UserError where one is no text."""
    # What is read of a pipe is gone.
    files = [name for name in names if "://" in name or os.path.isfile(name)]
    return any([text_input.is_packed(name) for name in files])


def read(
    input_files: Sequence[str], tokenizer: FullTokenizer, progress: Callable
) -> Documents:
    """Reads and tokenizes all text.

    Args:
        input_files: the text.
        tokenizer: makes its ids.
        progress: see `streaming_run.create`.

    Raises:
        UserError: there is none.
    """

    def lines_of(name: str) -> Iterator[bytes]:
        with text_input.reader(name) as file:
            for line in file:
                shown.update(len(line))
                yield line

    size = sum(file_bytes.size_and_time(name)[0] for name in input_files)
    total = None if are_packed(input_files) else size
    with progress(total, "bytes read") as shown:
        documents = read_documents(
            ((name, lines_of(name)) for name in input_files), tokenizer.encode
        )
    if not documents:
        raise no_text(input_files)
    return documents


def records(
    documents: Documents,
    fields: Sequence[Field],
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    seed: int,
    progress: Callable,
) -> list[bytes]:
    """Returns the records in their final order, as frames of a file.

    All of them are held until the last is made, for the shuffle at the end:
    as bytes they take less than as instances, and cost the garbage collector
    nothing.

    Args:
        documents: at least one.
        fields: of a record.
        settings: what to make.
        vocabulary: the one that the ids are of.
        seed: of everything that is drawn.
        progress: see `streaming_run.create`.
    """
    rng = random.Random(seed)
    frames: list[bytes] = []
    waiting: list[instances.Instance] = []

    def encode() -> None:
        values = instance_rows.instance_features(waiting, settings)
        made = instance_rows.together(values, settings)
        frames.extend(record_bytes.frames(fields, made))
        waiting.clear()

    batch_size = max(1, _BATCH_IDS // settings.max_seq_length)
    total = len(documents) * settings.dupe_factor
    with progress(total, "documents masked") as shown:
        for made in instances.create_training_instances(
            documents, settings, vocabulary, rng
        ):
            waiting += made
            if len(waiting) >= batch_size:
                encode()
            shown.update(1)
    if waiting:
        encode()
    shuffle(frames, rng)
    return frames


def log_examples(
    frames: Sequence[bytes], fields: Sequence[Field], tokenizer: FullTokenizer
) -> None:
    """Shows the first records as the original does."""
    for frame in frames[: instance_records.LOGGED_INSTANCES]:
        values = record_bytes.values(fields, record_bytes.record_of(frame))
        ids = values["input_ids"][: sum(values["input_mask"])]
        instance_records.log(tokenizer.convert_ids_to_tokens(ids), values)

"""The manifest of shards: what they were made from, which a restart checks.

OUTPUT_FILE.manifest.json stands beside the shards. It is no record file and
its name does not match OUTPUT_FILE-*.
"""

import dataclasses
import glob
import hashlib
import json
import os
import re
import unicodedata
from typing import Any

from bert.data.corpus import record_notes
from bert.data.corpus.instance_settings import InstanceSettings
from bert.data.corpus.record_notes import Note
from bert.data.corpus.streaming import Job
from bert.errors import UserError
from bert.files import atomic_files, file_bytes

# Raised by changes that make the same job give other records.
_VERSION = 1
# What messages call a key where its name does not say enough.
_LABELS = {"input_file": "input_file (names, sizes or times of its files)"}
# What manifests did not say while there was no other value.
_BEFORE = {
    field.name: field.default
    for field in dataclasses.fields(InstanceSettings)
    if field.default is not dataclasses.MISSING
}


def path_of(output_file: str) -> str:
    """Returns the name of the manifest."""
    return output_file + record_notes.MANIFEST_SUFFIX


def description(job: Job) -> dict[str, Any]:
    """Returns what a manifest holds: all that the shards follow from."""
    inputs = [[name, *file_bytes.size_and_time(name)] for name in job.names]
    vocabulary = file_bytes.read(job.vocab_file)
    return {
        "version": _VERSION,
        "input_file": inputs,
        "vocab_file": hashlib.blake2b(vocabulary, digest_size=16).hexdigest(),
        "do_lower_case": job.do_lower_case,
        **dataclasses.asdict(job.settings),
        "random_seed": job.seed,
        "output_compression": job.compression,
        "block_bytes": job.block_bytes,
        # Decides what is a space or a letter.
        "unicode": unicodedata.unidata_version,
        # For who reads the shards; it says nothing new.
        record_notes.MANIFEST_KEY: Note.of(
            job.vocab_file, job.do_lower_case, job.settings
        ).to_values(),
    }


def check(job: Job) -> bool:
    """Returns whether an earlier run of the same job has left its manifest.

    Raises:
        UserError: the files there are of another job, or have no manifest.
    """
    output_file = job.output_file
    path = path_of(output_file)
    _check_read_files(job)
    if not file_bytes.exists(path):
        shards = file_bytes.matching(f"{glob.escape(output_file)}-*-of-*")
        if shards:
            raise UserError(
                f"{shards[0]} is there, but not {path}, which says what it was "
                "made from; remove it, or name another --output_file."
            )
        return False
    found, received = None, "other text"
    try:
        found = json.loads(file_bytes.read(path))
    except OSError as error:
        received = error.strerror or str(error)
    except (ValueError, RecursionError):
        pass
    if not isinstance(found, dict):
        raise UserError(
            f"Expected a manifest of shards in {path}. Received: {received}; "
            "remove it with its shards, or name another --output_file."
        )
    # Compared as JSON gives it back.
    described = json.loads(json.dumps(description(job)))
    found = {**_BEFORE, **found}
    changed = sorted(
        _LABELS.get(key, key)
        for key in {*found, *described} - {record_notes.MANIFEST_KEY}
        if found.get(key) != described.get(key)
    )
    if changed:
        raise UserError(
            f"{path} is of shards that were made with another "
            f"{', '.join(changed)}; give the same to go on, remove it with "
            "its shards to start anew, or name another --output_file."
        )
    return True


def _check_read_files(job: Job) -> None:
    """Raises UserError where a file to read is one of those to write."""
    folder, name = os.path.split(os.path.realpath(job.output_file))
    own = re.compile(
        rf"{re.escape(name)}(-\d+-of-\d+|\.manifest\.json)"
        rf"|\.tmp-bert-{re.escape(name)}[-.].*",
        re.DOTALL,
    )
    for path in (*job.names, job.vocab_file):
        in_folder, found = os.path.split(os.path.realpath(path))
        if in_folder == folder and own.fullmatch(found):
            raise UserError(
                f"{path} is to be read, but its name is that of a file which "
                f"belongs to the shards of --output_file={job.output_file}; "
                "let --input_file match the text alone, or name another "
                "--output_file."
            )


def write(job: Job) -> None:
    """Writes the manifest, before the first shard."""
    text = json.dumps(description(job), indent=2) + "\n"
    atomic_files.write_text(path_of(job.output_file), text)

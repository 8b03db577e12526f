"""The note on pre-training records: what they were made with.

Beside a file of records stands `FILE.note.json`; of shards the manifest has it.
Records of others have none. Imports neither TensorFlow nor NumPy.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from bert.data.corpus.instance_settings import InstanceSettings
from bert.errors import UserError, one_line
from bert.files import atomic_files, file_bytes, text_input

SUFFIX = ".note.json"
MANIFEST_SUFFIX = ".manifest.json"
# Of a manifest's values.
MANIFEST_KEY = "note"
_NOTE = re.compile(
    f"(.+)({re.escape(SUFFIX)}|{re.escape(MANIFEST_SUFFIX)})", re.DOTALL
)
_SHARD = re.compile(r"(.+)-\d{5,}-of-\d{5,}", re.DOTALL)
# What records of one training must have alike; the rest may be mixed.
_MEANING = (
    *("max_seq_length", "max_predictions_per_seq", "next_sentence"),
    *("masking", "pack_sequences"),
)


class _NewerError(ValueError):
    """A note has what this version does not know."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Note:
    """What records were made with.

    Attributes:
        vocab_file: the path of the vocabulary, absolute.
        vocab_hash: see `hash_of`.
        do_lower_case: whether the text was lower-cased.
        settings: the instances'.

    Raises:
        ValueError: a value is not one of these.
    """

    vocab_file: str
    vocab_hash: str
    do_lower_case: bool
    settings: InstanceSettings

    def __post_init__(self):
        for part in (self, self.settings):
            for field in dataclasses.fields(part):
                value = getattr(part, field.name)
                kinds = (int, float) if field.type is float else (field.type,)
                if type(value) not in kinds:
                    raise ValueError(f"{field.name} {value!r}")
        if fault := next(self.settings.faults(), None):
            raise ValueError(fault)

    @classmethod
    def of(
        cls, vocab_file: str, do_lower_case: bool, settings: InstanceSettings
    ) -> Self:
        """Makes the note of records that are about to be made."""
        is_local = not file_bytes.is_remote(vocab_file)
        return cls(
            vocab_file=os.path.abspath(vocab_file) if is_local else vocab_file,
            vocab_hash=hash_of(vocab_file),
            do_lower_case=do_lower_case,
            settings=settings,
        )

    @classmethod
    def from_values(cls, values: Any) -> Self:
        """Reads it from what `to_values` gave.

        Raises:
            ValueError: it is none, or of a newer version.
        """
        if not isinstance(values, dict) or not isinstance(
            values.get("settings"), dict
        ):
            raise ValueError("no object with settings")
        for known, names in (
            (cls, values),
            (InstanceSettings, values["settings"]),
        ):
            unknown = {*names} - {f.name for f in dataclasses.fields(known)}
            if unknown:
                raise _NewerError(f"an unknown {min(unknown)!r}")
        settings = InstanceSettings(**values["settings"])
        return cls(**{**values, "settings": settings})

    def to_values(self) -> dict[str, Any]:
        """Returns what JSON holds of it."""
        return dataclasses.asdict(self)

    @property
    def meaning(self) -> dict[str, object]:
        """What the notes of files that are read together have alike."""
        return {
            "vocab_file": self.vocab_hash,
            "do_lower_case": self.do_lower_case,
            **{name: getattr(self.settings, name) for name in _MEANING},
        }


def hash_of(vocab_file: str) -> str:
    """Returns a hash of a vocabulary's lines, however they end.

    Raises:
        OSError: it cannot be read.
    """
    lines = text_input.read(vocab_file).rstrip().split(b"\n")
    found = hashlib.blake2b(
        b"\n".join(line.strip() for line in lines), digest_size=16
    )
    return found.hexdigest()


def check_place(record_file: str, input_files: Iterable[str]) -> None:
    """Raises UserError where a note would replace what is none, or be replaced.

    Args:
        record_file: gets the note.
        input_files: what the records are made from.
    """
    if record_file.endswith((SUFFIX, MANIFEST_SUFFIX)):
        raise UserError(
            f"--output_file must not end in {SUFFIX} or {MANIFEST_SUFFIX}: the "
            "notes on other records are named so. Received: "
            f"{record_file}; name another."
        )
    path = record_file + SUFFIX
    if file_bytes.is_folder(path):
        raise UserError(_in_the_way(path, "a folder"))
    if os.path.realpath(path) in map(os.path.realpath, input_files):
        raise UserError(_in_the_way(path, "what the records are made from"))
    if file_bytes.exists(path):
        try:
            Note.from_values(json.loads(file_bytes.read(path)))
        except (ValueError, TypeError, RecursionError) as error:
            raise UserError(_in_the_way(path, "something else")) from error


def _in_the_way(path: str, what: str) -> str:
    return (
        f"The records get a note, {path}. Received: {what} in its place; move "
        "that away, or name another --output_file."
    )


def remove_other(record_file: str, note: Note | None) -> None:
    """Removes the note of records that are about to be replaced.

    Args:
        record_file: is about to be replaced.
        note: of the new records; where it is the same it stays.
    """
    path = record_file + SUFFIX
    if file_bytes.exists(path) and (
        note is None or file_bytes.read(path) != _text(note).encode()
    ):
        file_bytes.remove(path)


def write(record_file: str, note: Note) -> None:
    """Writes the note of a file of records."""
    atomic_files.write_text(record_file + SUFFIX, _text(note))


def _text(note: Note) -> str:
    text = json.dumps(note.to_values(), indent=2, ensure_ascii=False)
    return text + "\n"


def without_notes(files: Sequence[str], flag: str) -> list[str]:
    """Returns those of matching files that are no notes of the others.

    Args:
        files: what a pattern such as `records*` matches.
        flag: has the pattern; for messages.

    Raises:
        UserError: one is the note of records that are not among them.
    """
    others = {*files, *map(_stem, files)}
    found = []
    for name in files:
        match = _NOTE.fullmatch(name)
        if match and match[1] in others:
            continue
        if match and _is_object(name):
            raise UserError(
                f"Expected records in --{flag}. Received: {name}, a note on "
                f"records, without those; name them, too ({match[1]}*)."
            )
        found.append(name)
    return found


def _is_object(path: str) -> bool:
    try:
        return isinstance(json.loads(file_bytes.read(path)), dict)
    except (ValueError, RecursionError):
        return False


def common(
    files: Iterable[str], has_next_sentence: bool = True
) -> tuple[Note, str] | None:
    """Returns the note of records that are read together, and where it stands.

    Files without a note, as others make them, are taken to be like the rest;
    None where no file has one.

    Args:
        files: the records'.
        has_next_sentence: whether they must have the same second task.

    Raises:
        UserError: one cannot be read, or two say something else.
    """
    found = None
    for path in dict.fromkeys(_places(files)):
        if not (note := _read(path)):
            continue
        first, first_path = found = found or (note, path)
        for name, value in note.meaning.items():
            is_used = has_next_sentence or name != "next_sentence"
            if is_used and value != first.meaning[name]:
                raise UserError(
                    f"Records of one training must have the same {name}. "
                    f"Received: others by {first_path} than by {path}; name "
                    "files that go together."
                )
    return found


def _places(files: Iterable[str]) -> Iterator[str]:
    """Yields where the notes of records are, if they have one."""
    manifests: dict[str, bool] = {}
    for name in files:
        if stem := _stem(name):
            path = stem + MANIFEST_SUFFIX
            if path not in manifests:
                manifests[path] = file_bytes.exists(path)
            if manifests[path]:
                yield path
                continue
        yield name + SUFFIX


def _read(path: str) -> Note | None:
    """Returns a note; None where none is, as in an old manifest."""
    if not file_bytes.exists(path):
        return None
    try:
        values = json.loads(file_bytes.read(path))
        if path.endswith(MANIFEST_SUFFIX):
            values = values.get(MANIFEST_KEY)
            if values is None:
                return None
        return Note.from_values(values)
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        advice = (
            "a newer version wrote it, use that one"
            if isinstance(error, _NewerError)
            else "restore it, or move it away"
        )
        reason = getattr(error, "strerror", None) or one_line(error)
        raise UserError(
            f"{path}: expected the note of create_pretraining_data.py on the "
            f"records beside it. Received: {reason[:80]}; {advice}."
        ) from error


def _stem(record_file: str) -> str | None:
    """Returns what a shard's name begins with; None where it is none."""
    match = _SHARD.fullmatch(record_file)
    return match and match[1]

import dataclasses
import json

import pytest

from bert.data.corpus import record_notes, shard_manifest
from bert.data.corpus.record_notes import Note
from bert.errors import UserError
from tests.data.corpus.test_instance_settings import make_settings
from tests.data.corpus.test_streaming import folder as folder
from tests.data.corpus.test_streaming import make_job


@pytest.fixture
def note(tmp_path):
    (tmp_path / "v.txt").write_text("a\nb\n")
    return Note.of(str(tmp_path / "v.txt"), True, make_settings())


def put(note, tmp_path, *names, **changes):
    """Writes a note with other settings, or none; returns the records."""
    files = [str(tmp_path / name) for name in names]
    if changes:
        settings = dataclasses.replace(note.settings, **changes)
        note = dataclasses.replace(note, settings=settings)
    for file in files:
        record_notes.write(file, note)
    return files


def test_what_is_written_is_read(note, tmp_path):
    files = put(note, tmp_path, "a", "b")
    assert record_notes.common([*files, "/of/others"]) == (
        note,
        f"{tmp_path}/a.note.json",
    )
    assert record_notes.common(["/of/others"]) is None
    assert note.vocab_file == f"{tmp_path}/v.txt"


def test_the_hash_is_of_the_lines_however_they_end(tmp_path):
    path = tmp_path / "v.txt"
    hashes = []
    for content in (b"a\nb", b"a\r\nb\r\n", b"b\na\n", b"\na\nb\n"):
        path.write_bytes(content)
        hashes.append(record_notes.hash_of(str(path)))
    assert hashes[0] == hashes[1]
    assert len({*hashes}) == 3


def test_shards_have_their_note_in_the_manifest(folder):
    job = make_job(folder, next_sentence="none")
    shards = [str(folder / f"out-0000{i}-of-00002") for i in range(2)]
    assert record_notes.common(shards) is None
    shard_manifest.write(job)
    found, path = record_notes.common(shards)
    assert path == str(folder / "out.manifest.json")
    assert found == Note.of(job.vocab_file, True, job.settings)
    # One of a version that had no notes, and no other objectives.
    values = json.loads((folder / "out.manifest.json").read_text())
    for key in ("note", "max_ngram"):
        del values[key]
    (folder / "out.manifest.json").write_text(json.dumps(values))
    assert record_notes.common(shards) is None
    assert shard_manifest.check(job)
    with pytest.raises(UserError, match="made with another max_ngram;"):
        shard_manifest.check(
            make_job(folder, next_sentence="none", max_ngram=2)
        )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"next_sentence": "sop"}, "next_sentence"),
        ({"max_seq_length": 32}, "max_seq_length"),
        ({"max_ngram": 2, "dupe_factor": 3, "masked_lm_prob": 0.2}, None),
    ],
)
def test_notes_that_disagree_are_one_line(note, tmp_path, changes, named):
    files = [*put(note, tmp_path, "a"), *put(note, tmp_path, "b", **changes)]
    if named is None:
        assert record_notes.common(files)[0] == note
        return
    # Masked words are trained of records of any second task.
    if named == "next_sentence":
        assert record_notes.common(files, has_next_sentence=False)[0] == note
    with pytest.raises(
        UserError, match=rf"the same {named}\. .*a\.note\.json .*b\.note\.json"
    ):
        record_notes.common(files)


def test_notes_of_other_vocabularies_or_casing_disagree(note, tmp_path):
    (first,) = put(note, tmp_path, "a")
    for changes, named in (
        ({"vocab_hash": "other"}, "vocab_file"),
        ({"do_lower_case": False}, "do_lower_case"),
    ):
        (second,) = put(dataclasses.replace(note, **changes), tmp_path, "b")
        with pytest.raises(UserError, match=f"the same {named}"):
            record_notes.common([first, second])
    # The same one in another place is the same.
    (second,) = put(dataclasses.replace(note, vocab_file="/x"), tmp_path, "b")
    assert record_notes.common([first, second])[0] == note


def changed(note, **changes):
    return json.dumps({**note.to_values(), **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda note: "", "Expecting value"),
        (lambda note: "[1]", "no object with settings"),
        (lambda note: "[" * 10**5, "recursion"),
        (lambda note: changed(note, do_lower_case="yes"), "do_lower_case"),
        (lambda note: changed(note, settings={}), "missing"),
        (lambda note: changed(note, later=1), "'later'; a newer version"),
        (
            lambda note: changed(
                note,
                settings={
                    **note.to_values()["settings"],
                    "next_sentence": "pso",
                },
            ),
            "next_sentence",
        ),
    ],
)
def test_a_damaged_note_is_one_line(note, tmp_path, change, message):
    (tmp_path / "a.note.json").write_text(change(note))
    with pytest.raises(UserError) as raised:
        record_notes.common([str(tmp_path / "a")])
    text = str(raised.value)
    assert f"{tmp_path}/a.note.json: expected the note of create_pre" in text
    assert message in text
    assert "use that one" in text or "restore it, or move it away" in text


def test_a_folder_in_a_notes_place_is_one_line(tmp_path):
    for name in ("a.note.json", "s.manifest.json"):
        (tmp_path / name).mkdir()
    for name in ("a", "s-00000-of-00001"):
        with pytest.raises(UserError, match="Received: Is a directory; rest"):
            record_notes.common([str(tmp_path / name)])


def test_a_note_replaces_notes_alone(note, tmp_path):
    record_file = str(tmp_path / "a")
    record_notes.check_place(record_file, [])
    put(note, tmp_path, "a")
    record_notes.check_place(record_file, [])
    path = tmp_path / "a.note.json"
    with pytest.raises(UserError, match="what the records are made from in"):
        record_notes.check_place(record_file, [str(path)])
    path.write_text("{}")
    with pytest.raises(UserError, match="something else in its place; move"):
        record_notes.check_place(record_file, [])
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="a folder in its place"):
        record_notes.check_place(record_file, [])


@pytest.mark.parametrize("suffix", [".note.json", ".manifest.json"])
def test_records_are_not_named_as_notes_are(tmp_path, suffix):
    # They would replace the note on other records.
    with pytest.raises(UserError, match="must not end in"):
        record_notes.check_place(f"{tmp_path}/a{suffix}", [])


def test_the_note_of_other_records_is_removed(note, tmp_path):
    (record_file,) = put(note, tmp_path, "a")
    path = tmp_path / "a.note.json"
    record_notes.remove_other(record_file, note)
    assert path.exists()
    other = dataclasses.replace(note, do_lower_case=False)
    record_notes.remove_other(record_file, other)
    assert not path.exists()
    record_notes.remove_other(record_file, other)

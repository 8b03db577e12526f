"""A restart goes on only with what the shards were made from."""

import dataclasses

import pytest

from bert.data.corpus import shard_manifest
from bert.errors import UserError
from tests.data.corpus.test_streaming import create, make_job, shards, text
from tests.data.corpus.test_streaming import folder as folder
from tests.data.corpus.unfinished_worker import Unfinished


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 2}, "random_seed"),
        ({"dupe_factor": 3}, "dupe_factor"),
        ({"do_lower_case": False}, "do_lower_case"),
        ({"compression": "gzip"}, "output_compression"),
        ({"block_bytes": 701}, "block_bytes"),
    ],
)
def test_other_flags_on_restart_are_refused(folder, changes, named):
    with pytest.raises(OSError, match="No space"):
        create(make_job(folder), worker=Unfinished)
    before = shards(folder)

    with pytest.raises(UserError, match=f"made with another {named};"):
        create(make_job(folder, **changes))

    assert shards(folder) == before


@pytest.mark.parametrize("name", ["text.txt", "vocab.txt"])
def test_other_inputs_on_restart_are_refused(folder, name):
    create(make_job(folder))
    with open(folder / name, "a") as file:
        file.write("w1\n")

    with pytest.raises(UserError, match=r"manifest.json is of .* another"):
        create(make_job(folder))


def test_shards_without_a_manifest_are_refused(folder):
    (folder / "out-00000-of-00099").write_text("somebody's")

    with pytest.raises(UserError, match=r"of-00099 is there, but not .*json"):
        create(make_job(folder))


def test_other_text_in_place_of_the_manifest_is_an_error(folder):
    job = make_job(folder)
    for content in ("[]", "{"):
        (folder / "out.manifest.json").write_text(content)
        with pytest.raises(UserError, match="Expected a manifest of shards"):
            shard_manifest.check(job)
    (folder / "out.manifest.json").unlink()
    (folder / "out.manifest.json").mkdir()
    with pytest.raises(UserError, match="Received: Is a directory; remove"):
        shard_manifest.check(job)


@pytest.mark.parametrize(
    "name",
    [".tmp-bert-out.others", "out-00000-of-00003", "out.manifest.json"],
)
def test_own_files_are_no_text(folder, name):
    """A pattern such as folder/* may match what a killed run has left."""
    (folder / name).write_text(text())
    job = make_job(folder)
    job = dataclasses.replace(job, names=(str(folder / name),))
    before = (folder / name).read_bytes()
    with pytest.raises(UserError, match="name is that of a file which belongs"):
        create(job)
    assert (folder / name).read_bytes() == before

"""Beam's shards are those of the processes here."""

import functools

import pytest

from bert.cli.progress import Progress
from bert.data.corpus import streaming, streaming_run
from bert.errors import UserError
from tests.data.corpus.test_streaming import create, make_job, shards
from tests.data.corpus.test_streaming import folder as folder

pytest.importorskip("apache_beam")

IN_MEMORY = "--direct_running_mode=in_memory"
TWO_PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


def create_by_beam(job, options):
    from bert.data.corpus.beam_pool import BeamPool

    streaming_run.create(
        job,
        functools.partial(
            BeamPool,
            "DirectRunner",
            options,
            job.reservoir_file + ".result",
            functools.partial(streaming.Worker, job),
        ),
        Progress,
    )


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("options", "objective"),
    [
        (IN_MEMORY, {}),
        (TWO_PROCESSES, {}),
        (IN_MEMORY, {"next_sentence": "sop", "max_ngram": 3}),
        (IN_MEMORY, {"next_sentence": "none", "pack_sequences": True}),
        (IN_MEMORY, {"masking": "dynamic"}),
    ],
)
def test_shards_are_those_of_local_workers(folder, options, objective):
    create(make_job(folder, "here", **objective))

    create_by_beam(make_job(folder, "there", **objective), options)

    assert shards(folder, "there") == shards(folder, "here")
    assert not list(folder.glob(".tmp*"))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("options", ["", TWO_PROCESSES])
def test_what_a_worker_says_to_the_user_arrives(folder, options):
    (folder / "text.txt").write_text("w1\n\n" + "w2 " * 300)

    with pytest.raises(UserError, match=r"^\S*text.txt, byte 4: expected"):
        create_by_beam(make_job(folder), options)


def test_wrong_options_are_an_error():
    from bert.data.corpus.beam_pool import BeamPool

    with pytest.raises(UserError, match="--beam_options must be options"):
        BeamPool("DirectRunner", "--direct_num_workers=x", "", None)

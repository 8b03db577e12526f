import functools
import itertools
import random

import numpy as np
import pytest

from bert.data.corpus import reservoir
from bert.data.corpus.text_blocks import TextFiles

NUM_DOCUMENTS = 40


def encode(text):
    return [int(word) for word in text.split() if word.isdigit()]


@pytest.fixture
def path(tmp_path):
    """Document n has the sentences n, n and n + 100, n + 200."""
    path = tmp_path / "text"
    path.write_text(
        "".join(
            f"{n}\n{n + 100} {n + 200}\n\n" for n in range(1, NUM_DOCUMENTS + 1)
        )
    )
    return path


def text(path, block_bytes=100):
    return TextFiles([str(path)], [path.stat().st_size], block_bytes)


def merged_scan(files, seed=0, limit=5, order=None):
    blocks = list(range(files.num_blocks))
    random.Random(order).shuffle(blocks)
    merge = functools.partial(reservoir.merged, limit)
    halves = [blocks[::2], blocks[1::2]]
    return merge(
        merge(reservoir.scan(files, block, seed, limit) for block in half)
        for half in halves
    )


def sentences(documents):
    found = [
        [int(i) for i in documents.ids[start:stop]]
        for start, stop in itertools.pairwise(documents.bounds)
    ]
    return [
        found[start:stop]
        for start, stop in itertools.pairwise(documents.firsts)
    ]


@pytest.mark.parametrize("block_bytes", [40, 100, 10_000])
def test_choice_depends_on_neither_blocks_nor_order(path, block_bytes):
    expected = merged_scan(text(path))

    for order in range(3):
        found = merged_scan(text(path, block_bytes), order=order)
        assert found == expected
    assert len(expected.candidates) == 5
    assert expected.num_documents == NUM_DOCUMENTS


def test_choice_follows_from_the_seed(path):
    chosen = {merged_scan(text(path), seed).candidates[0] for seed in range(9)}

    assert len(chosen) > 5


def test_every_document_is_chosen_as_often(path):
    counts = np.zeros(NUM_DOCUMENTS)
    files = text(path, 10_000)
    offsets = [d.offset for d in files.documents(0)]
    for seed in range(400):
        for candidate in merged_scan(files, seed, limit=10).candidates:
            counts[offsets.index(candidate.offset)] += 1

    # Mean 100, standard deviation 8.7.
    assert 65 < counts.min() <= counts.max() < 135


def test_chosen_documents_are_tokenized(path):
    files = text(path)
    scan = merged_scan(files, limit=3)

    others = reservoir.tokenized(files, scan.candidates, encode, 100)

    firsts = [document[0][0] for document in sentences(others.documents)]
    assert sentences(others.documents) == [
        [[n], [n + 100, n + 200]] for n in firsts
    ]
    assert others.offsets == [c.offset for c in scan.candidates]


def test_parts_give_the_whole(path, tmp_path):
    files = text(path)
    candidates = merged_scan(files, limit=9).candidates
    whole = reservoir.tokenized(files, candidates, encode, 100)

    joined = reservoir.joined(
        reservoir.tokenized(files, part, encode, 100)
        for part in (candidates[:4], candidates[4:])
    )
    joined.save(str(tmp_path / "saved"))
    loaded = reservoir.Reservoir.load(str(tmp_path / "saved"))

    for found in (joined, loaded):
        assert sentences(found.documents) == sentences(whole.documents)
        assert list(found.offsets) == whole.offsets


def test_documents_without_ids_are_left_out(tmp_path):
    path = tmp_path / "text"
    path.write_text("x\n\n1\nx\n\nx\nx\n")
    files = text(path)

    scan = merged_scan(files)
    others = reservoir.tokenized(files, scan.candidates, encode, 100)

    assert scan.num_documents == 3
    assert sentences(others.documents) == [[[1]]]
    assert others.offsets == [3]


def test_a_window_of_a_long_document_is_kept(tmp_path):
    path = tmp_path / "text"
    path.write_text("".join(f"{n} {n}\n" for n in range(100, 999)))
    files = text(path, 10**5)

    starts = set()
    for seed in range(20):
        (candidate,) = merged_scan(files, seed).candidates
        others = reservoir.tokenized(files, [candidate], encode, 25)
        (document,) = sentences(others.documents)
        numbers = [sentence[0] for sentence in document]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert len(others.documents.ids) <= 25
        starts.add(numbers[0])
    assert len(starts) > 15


def test_the_first_line_is_kept_where_no_line_begins_in_the_window(tmp_path):
    path = tmp_path / "text"
    path.write_text("7 " * 500)
    files = text(path, 10**5)

    (candidate,) = merged_scan(files).candidates
    others = reservoir.tokenized(files, [candidate], encode, 10)

    assert sentences(others.documents) == [[[7] * 10]]


def test_bad_bytes_are_counted_and_the_first_is_named(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"1\n\n2\n\xff3\n\n\xff4\n\xff5\n")

    for block_bytes in (8, 100):
        scan = merged_scan(text(path, block_bytes))
        assert (scan.bad_lines, scan.first_bad) == (3, 3)


@pytest.mark.parametrize("length", [5, 128, 512, 2**20])
def test_memory_is_bounded_for_every_length(length):
    num_documents, window_ids = reservoir.size_for(length)

    assert window_ids >= length
    assert num_documents >= 1
    assert num_documents * window_ids <= 2**25

import pytest

from bert.data.corpus.text_blocks import TextFiles
from bert.errors import UserError


def text_files(folder, *texts, block_bytes=16):
    names = []
    for number, text in enumerate(texts):
        path = folder / f"text{number}"
        path.write_bytes(text)
        names.append(str(path))
    return TextFiles(names, [len(text) for text in texts], block_bytes)


def documents_by_block(files):
    return [
        [b"".join(document.lines) for document in files.documents(block)]
        for block in range(files.num_blocks)
    ]


def all_documents(files):
    return [
        document
        for block in range(files.num_blocks)
        for document in files.documents(block)
    ]


def words(documents):
    return [
        [line.decode("utf-8", "ignore").strip() for line in document.lines]
        for document in documents
    ]


TEXT = b"aa\nbb\n\ncc\n\n\ndd\nee\nff\n\ngg\n\nhh\nii\n\njj\n"
EXPECTED = [["aa", "bb"], ["cc"], ["dd", "ee", "ff"], ["gg"], ["hh", "ii"]]


@pytest.mark.parametrize("block_bytes", range(10, 45))
def test_documents_do_not_depend_on_the_blocks(tmp_path, block_bytes):
    files = text_files(tmp_path, TEXT, block_bytes=block_bytes)

    documents = all_documents(files)

    assert words(documents) == [*EXPECTED, ["jj"]]
    assert [d.offset for d in documents] == [0, 7, 12, 22, 26, 33]
    assert [TEXT[d.offset : d.offset + d.num_bytes] for d in documents] == [
        b"".join(d.lines) for d in documents
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"\n\n" + TEXT + b"\n\n\n",
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"\n\n", b"\n \t \n"),
        TEXT[:-1],  # no line end at the end
        TEXT.replace(b"\n\n", b"\n\xe3\x80\x80\xc2\xa0\n"),  # wide spaces
        TEXT.replace(b"\n\n", b"\n\xff \n"),  # nothing left but a space
        TEXT.replace(b"dd", b" dd"),
    ],
)
@pytest.mark.parametrize("block_bytes", [13, 16, 1000])
def test_blank_lines_of_all_kinds_end_documents(tmp_path, text, block_bytes):
    files = text_files(tmp_path, text, block_bytes=block_bytes)

    assert words(all_documents(files)) == [*EXPECTED, ["jj"]]


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_end_of_a_file_ends_a_line_and_no_document(tmp_path, cut):
    """As in the original, wherever the text is cut into files."""
    files = text_files(tmp_path, TEXT[:cut], b"", TEXT[cut:], block_bytes=12)
    half = TEXT[:cut] + (b"" if TEXT[:cut].endswith(b"\n") else b"\n")
    whole = half + TEXT[cut:] if cut else TEXT
    (tmp_path / "whole").mkdir()
    expected = all_documents(text_files(tmp_path / "whole", whole))

    assert words(all_documents(files)) == words(expected)


def test_document_belongs_to_the_block_where_it_begins(tmp_path):
    files = text_files(tmp_path, TEXT, block_bytes=16)

    assert documents_by_block(files) == [
        [b"aa\nbb\n", b"cc\n", b"dd\nee\nff\n"],
        [b"gg\n", b"hh\nii\n"],
        [b"jj\n"],
    ]


def test_document_that_fills_a_block_is_cut_at_a_line(tmp_path):
    text = b"".join(b"%02d\n" % i for i in range(30)) + b"\nend\n"
    files = text_files(tmp_path, text, block_bytes=20)

    found = documents_by_block(files)

    assert b"".join(d for block in found for d in block) == (
        text.replace(b"\n\n", b"\n")
    )
    assert max(len(d) for block in found for d in block) < 40
    assert found[-1] == [b"end\n"]


def test_line_longer_than_a_block_is_an_error(tmp_path):
    files = text_files(tmp_path, b"a\nb\n", b"c\n" + b"d" * 20 + b"\n")

    with pytest.raises(UserError, match=r"text1, byte 2: .*more than 16 bytes"):
        all_documents(files)

import json

import pytest

from benchmarks import german_pages
from benchmarks.german_pages import Page

HTML = """<html><head><title>Ein langer Titel</title></head><body>
<header><p>Hilfe für diese Anwendung</p></header>
<h1>Kurz</h1>
<p>Die <em>Katze</em> schläft
im Haus.</p><p>Die Katze schläft im Haus.</p>
<ul><li><p>Drücken Sie <span class="MAC">Befehl<span>X</span></span>Strg+Z
zweimal.</p></li></ul>
<pre>def f(x): return x</pre><div>Das &amp; das hier</div>
</body></html>"""


def test_a_page_is_its_paragraphs():
    assert german_pages.page_lines(HTML) == [
        "Die Katze schläft im Haus.",
        "Drücken Sie Strg+Z zweimal.",
        "Das & das hier",
    ]


def test_every_third_page_is_held_out():
    kept, held_out = german_pages.divided(
        [Page([str(i)], None) for i in range(7)], 3
    )

    assert [page.lines[0] for page in held_out] == ["0", "3", "6"]
    assert [page.lines[0] for page in kept] == ["1", "2", "4", "5"]


def test_passages_are_runs_of_lines():
    assert list(german_pages.passages(["ab", "cd", "efghi", "j"], 5)) == [
        "ab cd",
        "efghi",
    ]


@pytest.fixture
def packages(tmp_path):
    """The folders of all packages, with six pages in the first."""
    for package in german_pages.PACKAGES:
        (tmp_path / package.name / package.folder).mkdir(parents=True)
    help_package = german_pages.PACKAGES[0]
    root = tmp_path / help_package.name / help_package.folder
    for name in ("scalc", "shared", "swriter"):
        (root / name).mkdir()
        for number in range(2):
            text = f"Seite {number} über {name} {'x' * 200}"
            (root / name / f"{number}.html").write_text(f"<p>{text}</p>")
    return tmp_path


def test_pages_have_the_program_as_label(packages):
    labels = [page.label for page in german_pages.pages(packages)]

    assert labels == ["scalc", "scalc", None, None, "swriter", "swriter"]


def test_what_is_written(packages, tmp_path):
    german_pages.write(tmp_path, packages, 5)

    def read(name):
        lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    assert len(read("pages.jsonl")) == 4
    assert len(read("held_out.jsonl")) == 2
    assert [row["label"] for row in read("train_rows.jsonl")] == [
        "scalc",
        "swriter",
    ]
    assert [row["label"] for row in read("dev_rows.jsonl")] == [
        "scalc",
        "swriter",
    ]


def test_known_sentences_are_taken_out(tmp_path):
    text, held_out = tmp_path / "text", tmp_path / "held_out"
    text.write_text("Bekannt.\n\nAuch.\n")
    held_out.write_text("Neu.\nBekannt.\n\nAnders.\n")

    german_pages.leave_out_known(held_out, text)

    assert held_out.read_text() == "Neu.\n\nAnders.\n"


def test_the_word_in_the_middle_is_masked(tmp_path):
    source, target = tmp_path / "text", tmp_path / "masked"
    source.write_text("zu kurz\n1 2 3 4 5 6 7 8\n\n1 2 3 4 5 6 7 8 9\n")

    german_pages.write_masked(source, target, 1)

    assert target.read_text() == "1 2 3 4 [MASK] 6 7 8\n"

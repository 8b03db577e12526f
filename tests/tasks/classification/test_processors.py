import dataclasses

import pytest

from bert.errors import UserError
from bert.tasks.classification import processors

PROCESSORS = {
    "cola": processors.ColaProcessor,
    "mrpc": processors.MrpcProcessor,
    "mnli": processors.MnliProcessor,
    "xnli": processors.XnliProcessor,
}


def write(folder, name, *rows):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(row) + "\n" for row in rows))
    return str(folder)


def fields(example):
    return dataclasses.astuple(example)


def test_examples_are_compared_by_identity_as_in_the_original():
    example = processors.InputExample("1", "x")
    assert {example: 1}[example] == 1
    assert example != processors.InputExample("1", "x")


def test_rows_of_ones_own_may_be_lists():
    create = processors.MrpcProcessor()._create_examples
    (found,) = create([["header"], ["any", "", "", "a", b"b"]], "mine")
    assert fields(found) == ("mine-1", "a", "b", "any")
    with pytest.raises(IndexError):
        create([["header"], ["1"]], "mine")


def test_cola_has_a_header_in_its_test_set_alone(tmp_path):
    for name in ("train.tsv", "dev.tsv"):
        write(
            tmp_path, name, ("own", "1", "", "Good."), ("own", "0", "*", "Bad")
        )
    folder = write(tmp_path, "test.tsv", ("index", "sentence"), ("0", "What?"))
    processor = processors.ColaProcessor()
    bad = processor.get_train_examples(folder)[1]
    assert fields(bad) == ("train-1", "Bad", None, "0")
    assert len(processor.get_dev_examples(folder)) == 2
    (asked,) = processor.get_test_examples(folder)
    assert fields(asked) == ("test-1", "What?", None, "0")
    assert processor.get_labels() == ["0", "1"]


def test_mnli_takes_its_guid_from_the_file_and_its_label_from_the_end(tmp_path):
    row = ("31193", *"1234567", "A man.", "A woman.", "x", "neutral")
    folder = write(tmp_path, "dev_matched.tsv", row, row)
    (found,) = processors.MnliProcessor().get_dev_examples(folder)
    assert fields(found) == (
        *("dev_matched-31193", "A man.", "A woman.", "neutral"),
    )


def test_xnli_takes_the_chinese_rows_and_has_no_test_set(tmp_path):
    write(
        tmp_path,
        "xnli.dev.tsv",
        ("language", *"abcdefg"),
        ("de", "neutral", *"cde", "f", "eins", "zwei"),
        ("zh", "neutral", *"cde", "f", "一", "二"),
    )
    folder = write(
        tmp_path,
        "multinli/multinli.train.zh.tsv",
        ("premise", "hypo", "label"),
        ("一", "二", "contradictory"),
    )
    processor = processors.XnliProcessor()
    (found,) = processor.get_dev_examples(folder)
    assert fields(found) == ("dev-2", "一", "二", "neutral")
    assert processor.get_train_examples(folder)[0].label == "contradiction"
    with pytest.raises(NotImplementedError):
        processor.get_test_examples(folder)


def test_a_processor_of_ones_own_reads_files_as_the_originals_do(tmp_path):
    class Mine(processors.DataProcessor):
        def get_train_examples(self, data_dir):
            lines = self._read_tsv(f"{data_dir}/train.tsv", quotechar='"')
            return [processors.InputExample(guid="1", text_a=lines[0][1])]

    folder = write(tmp_path, "train.tsv", ("a", '"b\tc"'))
    assert Mine().get_train_examples(folder)[0].text_a == "b\tc"
    with pytest.raises(NotImplementedError):
        Mine().get_labels()


@pytest.mark.parametrize(
    ("task", "name", "rows", "message"),
    [
        ("cola", "train", [("own", "1", "")], "line 1: .*column 3"),
        ("cola", "train", [("a", "2", "", "Text")], "line 1: .*found '2'"),
        (
            "cola",
            "test",
            [("a", "b"), ("0",)],
            "line 2: .*the text in column 1",
        ),
        ("cola", "test", [("a", "b")], "no row but the header"),
        ("mrpc", "dev", ["abcde", ("", *"bcde")], "line 2: .*found ''"),
        ("mrpc", "dev", ["abcde", "1bcd"], "line 2: .*second text in column 4"),
        ("mnli", "dev_matched", ["a", "abcdefghij-"], "line 2: .*found '-'"),
        ("xnli", "xnli.dev", ["a", ("zh", "b")], "line 2: .*column 6"),
    ],
)
def test_a_bad_row_is_named(tmp_path, task, name, rows, message):
    folder = write(tmp_path, f"{name}.tsv", *rows)
    set_type = name.split("_")[0].removeprefix("xnli.")
    with pytest.raises(UserError, match=f"{name}.tsv.*{message}"):
        getattr(PROCESSORS[task](), f"get_{set_type}_examples")(folder)


def test_a_set_is_a_file_of_data_dir():
    path = processors.MnliProcessor().path("d", "dev")
    assert path == "d/dev_matched.tsv"
    assert processors.XnliProcessor().path("d", "train").endswith("zh.tsv")
    assert processors.DataProcessor().path("d", "train") is None

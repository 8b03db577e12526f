import pytest

from bert.errors import UserError
from bert.tasks.classification import glue

# Of each task, as its files are: header and a row of train or dev; of test.
LAYOUTS = {
    "sst-2": ("sentence\tlabel", "fine \t1", "index\tsentence", "0\tfine"),
    "qqp": (
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
        '133\t7\t8\tWhy "so?\tHow?\t1',
        "id\tquestion1\tquestion2",
        '0\tWhy "so?\tHow?',
    ),
    "sts-b": (
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1"
        "\tsentence2\tscore",
        "0\tg\tf\t2012\t1\tn\tn\tA plane.\tA kite.\t3.800",
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1"
        "\tsentence2",
        "0\tg\tf\t2012\t1\tn\tn\tA plane.\tA kite.",
    ),
    "qnli": (
        "index\tquestion\tsentence\tlabel",
        "4\tWho?\tShe.\tnot_entailment",
        "index\tquestion\tsentence",
        "4\tWho?\tShe.",
    ),
    "rte": (
        "index\tsentence1\tsentence2\tlabel",
        "4\tIt is.\t\tentailment",
        "index\tsentence1\tsentence2",
        "4\tIt is.\t",
    ),
    "wnli": (
        "index\tsentence1\tsentence2\tlabel",
        "4\tIt is.\tIs it?\t1",
        "index\tsentence1\tsentence2",
        "4\tIt is.\tIs it?",
    ),
}
FIRST = {
    "sst-2": ("dev-1", "fine ", None, "1"),
    "qqp": ("dev-133", 'Why "so?', "How?", "1"),
    "sts-b": ("dev-0", "A plane.", "A kite.", 3.8),
    "qnli": ("dev-4", "Who?", "She.", "not_entailment"),
    "rte": ("dev-4", "It is.", "", "entailment"),
    "wnli": ("dev-4", "It is.", "Is it?", "1"),
}


def write(folder, name, *lines):
    (folder / name).write_text("".join(line + "\n" for line in lines))
    return str(folder)


@pytest.mark.parametrize("task", LAYOUTS)
def test_reads_the_tasks_files(tmp_path, task):
    header, row, test_header, test_row = LAYOUTS[task]
    write(tmp_path, "train.tsv", header, row)
    write(tmp_path, "dev.tsv", header, row)
    folder = write(tmp_path, "test.tsv", test_header, test_row)
    processor = glue.PROCESSORS[task]()

    (dev,) = processor.get_dev_examples(folder)
    assert (dev.guid, dev.text_a, dev.text_b, dev.label) == FIRST[task]
    (train,) = processor.get_train_examples(folder)
    assert train.guid == dev.guid.replace("dev", "train")
    (test,) = processor.get_test_examples(folder)
    assert test.text_a.strip() == dev.text_a.strip()
    assert (test.text_b, test.label) == (dev.text_b, None)
    assert (processor.get_labels() == []) == (task == "sts-b")


def test_ax_is_predicted_without_and_evaluated_with_labels(tmp_path):
    folder = write(
        tmp_path, "diagnostic.tsv", "index\tsentence1\tsentence2", "0\tA.\tB."
    )
    processor = glue.AxProcessor()
    assert processor.get_test_examples(folder)[0].text_b == "B."
    with pytest.raises(UserError, match=r"line 1: .*label.*only be predicted"):
        processor.get_dev_examples(folder)
    write(
        tmp_path,
        "diagnostic.tsv",
        "Label\tPremise\tHypothesis",
        "neutral\tA\tB",
    )
    assert processor.get_dev_examples(folder)[0].label == "neutral"
    with pytest.raises(UserError, match="no training set: train with --task_n"):
        processor.get_train_examples(folder)


@pytest.mark.parametrize(
    ("task", "rows", "message"),
    [
        ("rte", ["4\tIt is.\tentailment"], "line 2: expected 4 columns .* 3"),
        ("qqp", ["1\t2\t3\ta\tb\tc\t1"], "line 2: expected 6 columns .* 7"),
        ("qnli", ["4\ta\tb\tyes"], "line 2: .*not_entailment.* found 'yes'"),
        ("sts-b", ["0" + "\tx" * 9], "line 2: expected a finite number .*'x'"),
        ("wnli", [], "no row but the header"),
    ],
)
def test_a_bad_row_is_named(tmp_path, task, rows, message):
    folder = write(tmp_path, "train.tsv", LAYOUTS[task][0], *rows)
    with pytest.raises(UserError, match=f"train.tsv.*{message}"):
        glue.PROCESSORS[task]().get_train_examples(folder)


def test_another_tasks_file_is_refused(tmp_path):
    folder = write(tmp_path, "dev.tsv", *LAYOUTS["sst-2"][:2])
    with pytest.raises(UserError, match=r"dev\.tsv, line 1: .*n question"):
        glue.QnliProcessor().get_dev_examples(folder)


def test_short_rows_of_qqps_training_set_are_left_out(tmp_path, caplog):
    header, row, *_ = LAYOUTS["qqp"]
    folder = write(tmp_path, "train.tsv", header, row, "1\t2\t3", row)
    (tmp_path / "dev.tsv").write_bytes((tmp_path / "train.tsv").read_bytes())
    assert len(glue.QqpProcessor().get_train_examples(folder)) == 2
    (line,) = caplog.messages
    assert "train.tsv: 1 row(s) with fewer than 6 columns" in line
    assert "the first in line 3" in line
    with pytest.raises(UserError, match=r"dev\.tsv, line 3: expected 6 col"):
        glue.QqpProcessor().get_dev_examples(folder)

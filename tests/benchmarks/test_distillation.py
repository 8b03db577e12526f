import argparse

import pytest

from benchmarks import distillation

REVIEWS = ["One.\nTwo  two.\nThree.", "", "Four."]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sst-2", [("One.",), ("Two two.",), ("Three.",), ("Four.",)]),
        ("mrpc", [("One.", "Two two."), ("Two two.", "Three.")]),
        ("imdb", [("One. Two two. Three.",), ("Four.",)]),
    ],
)
def test_unlabelled_text_is_cut_as_a_task_has_it(name, expected):
    assert [*distillation.unlabelled(name, REVIEWS)] == expected


def test_a_student_is_taught_one_thing_more_each_time(tmp_path):
    args = argparse.Namespace(
        data_dir=tmp_path,
        work_dir=tmp_path,
        student_epochs=2.0,
        student_learning_rate=0.1,
        distill_alpha=0.5,
        distill_temperature=2.0,
        precision="float32",
    )
    given = (tmp_path / "teacher", tmp_path / "more.tsv")
    commands = [
        distillation.student_command(
            "mrpc", tmp_path, 1, tmp_path / "out", given[:way], args
        )
        for way in range(3)
    ]
    taught = [f"--teacher_dir={given[0]}", "--distill_alpha=0.5"]
    taught.append("--distill_temperature=2.0")
    text = [f"--distill_data={given[1]}", "--text_column=text"]
    text.append("--pair_column=pair")
    assert {*commands[1]} - {*commands[0]} == {*taught}
    assert {*commands[2]} - {*commands[1]} == {*text}
    # Without a checkpoint in its folder it begins with random weights.
    assert not any("init_checkpoint" in word for word in commands[0])
    assert commands[0].count("--num_train_epochs=2.0") == 1
    args.precision = "bfloat16"
    words = distillation.student_command(
        "mrpc", tmp_path, 1, tmp_path / "out", (), args
    )
    assert {*words} - {*commands[0]} == {"--precision=bfloat16"}


def test_a_cell_has_mean_and_spread():
    assert distillation.cell([0.5, 0.7]) == "0.600 ± 0.141"
    assert distillation.cell([0.5]) == "0.500"

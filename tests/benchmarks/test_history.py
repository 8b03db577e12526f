import subprocess

from benchmarks.peers import history

LINE = {"commit": "b", "processor": "x", "cores": 2, "figures": {}}


def test_the_newest_line_of_another_commit_on_such_a_machine(tmp_path):
    file = tmp_path / "history.jsonl"
    assert history.before(file, LINE) is None
    for commit, cores in (("a", 2), ("c", 2), ("d", 4), ("b", 2)):
        history.append(file, {**LINE, "commit": commit, "cores": cores})

    assert history.before(file, LINE)["commit"] == "c"
    assert history.before(file, {**LINE, "processor": "y"}) is None


def test_a_commit_whose_files_were_changed_is_marked(tmp_path):
    assert history.commit(tmp_path) == "unknown"
    for command in (
        "init -q",
        "-c user.name=a -c user.email=b commit -q --allow-empty -m c",
    ):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    name = history.commit(tmp_path)
    (tmp_path / "new").touch()

    assert name.isalnum()
    assert history.commit(tmp_path) == f"{name}+"

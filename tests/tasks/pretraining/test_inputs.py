import pytest

from bert.errors import UserError
from bert.modeling import BertConfig
from bert.tasks.pretraining import inputs
from tests.tasks.pretraining.test_config import parse


def test_a_pattern_leaves_out_our_own_notes(tmp_path):
    names = ["x.tfrecord", "x.tfrecord.note.json", "y.json", "z.note.json"]
    names += ["s-00000-of-00001", "s.manifest.json", "t.manifest.json"]
    for name in names:
        (tmp_path / name).touch()

    def files(pattern):
        config = parse(f"--input_file={tmp_path}/{pattern}", "--do_eval")
        found = inputs.record_files(config)
        return [name.removeprefix(f"{tmp_path}/") for name in found]

    assert files("x.tfrecord*") == ["x.tfrecord"]
    assert files("s*") == ["s-00000-of-00001"]
    assert files("*.json") == sorted(n for n in names if n.endswith("json"))
    assert files("*") == [
        *("s-00000-of-00001", "t.manifest.json", "x.tfrecord", "y.json"),
        "z.note.json",
    ]
    for name in ("n.note.json-00000-of-00001", "n.note.json.manifest.json"):
        (tmp_path / name).write_text("{}")
    assert files("n*") == ["n.note.json-00000-of-00001"]
    for name in ("x.tfrecord.note.json", "s.manifest.json"):
        (tmp_path / name).write_text("{}")
        assert files("[sx]*") == ["s-00000-of-00001", "x.tfrecord"]
        with pytest.raises(UserError, match=rf"{name}, a note on records, wi"):
            files(f"{name[:-5]}*")


def test_words_of_ids_are_those_of_a_vocabulary_beside_the_model(tmp_path):
    config = parse(
        *("--input_file=a", "--do_eval"),
        f"--bert_config_file={tmp_path}/bert_config.json",
        f"--init_checkpoint={tmp_path}/init/bert_model.ckpt",
    )
    sizes = BertConfig(vocab_size=3)
    assert inputs.vocabulary(config, sizes) == {}
    (tmp_path / "init").mkdir()
    (tmp_path / "init/vocab.txt").write_text("a\nb\na\n")
    assert inputs.vocabulary(config, sizes) == {1: "b", 2: "a"}
    # One of a larger model.
    (tmp_path / "vocab.txt").write_text("a\nb\nc\nd\n")
    assert inputs.vocabulary(config, sizes) == {1: "b", 2: "a"}

import json
import logging
import os
import re
import shutil

import numpy as np
import pytest

from bert import extract_features as script
from bert.data.records import packing
from bert.errors import UserError
from bert.modeling import BertConfig, BertModel, checkpoint
from bert.modeling.backbones.choice import make_backbone
from tests.modeling import checkpoints
from tests.modeling.backbones.encoders import every_type
from tests.scripts import runner
from tests.scripts.runner import config_of, error_of, run

SCRIPT = "extract_features.py"
WORDS = ["the", "harbour", "woke", "before", "sun", "bread", "is", "older"]


@pytest.fixture
def command(golden, tmp_path):
    """The golden run's flags; the output is tmp_path/out.jsonl."""
    return [
        f"--input_file={golden / 'inputs/features.txt'}",
        f"--output_file={tmp_path / 'out.jsonl'}",
        *runner.model_flags(golden),
        f"--init_checkpoint={golden / 'model_base/bert_model.ckpt'}",
        "--layers=-1,-2",
        "--max_seq_length=32",
        "--batch_size=3",
    ]


def extract(*args):
    """Does what the script does with these flags, in this process."""
    script.extract_features(config_of(script, *args))


def read(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def values_of(line):
    """A line's values [layers, tokens, D]."""
    return np.array(
        [
            [layer["values"] for layer in token["layers"]]
            for token in line["features"]
        ]
    ).swapaxes(0, 1)


def write_lines(path, num_lines=40):
    """Lines of 0 to 12 words, in no order of length; some are pairs."""
    lines = []
    for number in range(num_lines):
        words = [WORDS[(number + i) % 8] for i in range(number * 7 % 13)]
        if number % 3 == 0 and len(words) > 3:
            words.insert(3, "|||")
        lines.append(" ".join(words))
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"--input_file={path}"


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ([], "best/model.ckpt-6"),
        (["--checkpoint=newest"], "model.ckpt-12"),
        (["--checkpoint=12"], "model.ckpt-12"),
    ],
)
def test_a_folders_best_checkpoint_is_taken_unless_it_is_said(
    golden, tmp_path, command, monkeypatch, flags, name
):
    source = golden / "train_classifier"
    for folder, step in (("run", 12), ("run/best", 6)):
        (tmp_path / folder).mkdir()
        for path in source.glob(f"model.ckpt-{step}.*"):
            shutil.copy(path, tmp_path / folder)

    def load_weights(model, path):
        raise UserError(f"loads {path}")

    monkeypatch.setattr(checkpoint, "load_weights", load_weights)
    with pytest.raises(UserError, match=f"loads {tmp_path / 'run' / name}$"):
        extract(*command, f"--init_checkpoint={tmp_path / 'run'}", *flags)
    with pytest.raises(UserError, match=r"which checkpoint of a folder.*best"):
        extract(*command, "--checkpoint=best")


def assert_golden(path, golden):
    found = read(path)
    expected = read(golden / "cli/features.jsonl")
    assert [line["linex_index"] for line in found] == [0, 1, 2, 3]
    for line, other in zip(found, expected, strict=True):
        assert [t["token"] for t in line["features"]] == [
            t["token"] for t in other["features"]
        ]
        assert [
            [x["index"] for x in t["layers"]] for t in line["features"]
        ] == [[x["index"] for x in t["layers"]] for t in other["features"]]
        assert np.max(np.abs(values_of(line) - values_of(other))) <= 1e-5


@every_type
def test_every_encoder_has_features(golden, command, tmp_path, encoder_type):
    config = BertConfig.from_json_file(golden / "model_base/bert_config.json")
    config.encoder_type = encoder_type
    sizes = tmp_path / "sizes.json"
    sizes.write_text(config.to_json_string())
    weights = checkpoint.named_variables(make_backbone(config))
    checkpoint.write_files(str(tmp_path / "w.ckpt"), weights)
    extract(
        *command,
        f"--bert_config_file={sizes}",
        f"--init_checkpoint={tmp_path / 'w.ckpt'}",
    )
    lines = read(tmp_path / "out.jsonl")
    assert values_of(lines[0]).shape[::2] == (2, config.hidden_size)


def test_features_are_the_originals(golden, command, tmp_path):
    extract(*command)
    assert_golden(tmp_path / "out.jsonl", golden)
    # In its form, too: what differs is the last digits.
    number = re.compile(r"-?\d+\.\d+(e-\d+)?")
    for found, expected in zip(
        (tmp_path / "out.jsonl").read_text().splitlines(),
        (golden / "cli/features.jsonl").read_text().splitlines(),
        strict=True,
    ):
        assert number.sub("#", found) == number.sub("#", expected)


def test_the_originals_command_runs_from_a_pipe_too(golden, command, tmp_path):
    run(
        SCRIPT,
        *command,
        "--input_file=/dev/stdin",
        "--do_lower=True",
        "--use_tpu=False",
        "--num_tpu_cores=8",
        "--use_one_hot_embeddings=False",
        input=(golden / "inputs/features.txt").read_text(),
    )
    assert_golden(tmp_path / "out.jsonl", golden)
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_defaults_are_the_originals():
    config = config_of(
        script,
        *(
            f"--{name}=x"
            for name in (
                "input_file",
                "output_file",
                "vocab_file",
                "bert_config_file",
                "init_checkpoint",
            )
        ),
    )
    assert config.layer_indices == [-1, -2, -3, -4]
    assert (config.max_seq_length, config.batch_size) == (128, 32)
    assert config.do_lower_case
    assert not config.use_tpu
    assert config.pooling is None


def test_the_log_shows_five_rows_as_the_original(
    golden, command, tmp_path, caplog
):
    text = (golden / "inputs/features.txt").read_text()
    (tmp_path / "text").write_text(text + "bread\n" * 3)
    with caplog.at_level(logging.INFO, logger="absl"):
        extract(*command, f"--input_file={tmp_path / 'text'}")
    assert caplog.messages.count("*** Example ***") == 5
    first = caplog.messages.index("unique_id: 1")
    assert caplog.messages[first - 1 : first + 5] == [
        "*** Example ***",
        "unique_id: 1",
        "tokens: [CLS] bread is older than w ##r ##i ##t ##ing . [SEP]",
        "input_ids: 5 206 121 207 139 47 92 83 94 370 13 6" + " 0" * 20,
        "input_mask:" + " 1" * 12 + " 0" * 20,
        "input_type_ids:" + " 0" * 32,
    ]


@pytest.fixture(scope="module")
def lines_and_layers(golden, tmp_path_factory):
    """A file, and layers -1 and -2 of its lines, computed one by one."""
    path = tmp_path_factory.mktemp("lines") / "text"
    write_lines(path)
    tokenizer = script.FullTokenizer(golden / "inputs/vocab.txt")
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    model = load_model(golden)
    found = []
    for line in path.read_text().splitlines():
        texts = [tokenizer.encode(text) for text in line.split(" ||| ")]
        if len(texts) == 2:
            packing.truncate_seq_pair(*texts, 29)
            packed = packing.pack_pair(*texts, special)
        else:
            packed = packing.pack_single(texts[0][:30], special)
        first = packed.first_length
        segments = [0] * first + [1] * (len(packed.ids) - first)
        outputs = model(
            np.array([packed.ids]), segment_ids=np.array([segments])
        )
        layers = outputs["all_encoder_layers"]
        found.append([layers[index][0].numpy() for index in (-1, -2)])
    return path, found


def load_model(golden):
    folder = golden / "model_base"
    model = BertModel(BertConfig.from_json_file(folder / "bert_config.json"))
    checkpoint.load_weights(model, str(folder))
    return model


@pytest.mark.parametrize(
    ("batch_size", "window_bytes"), [(7, 1), (7, 2**18), (64, 2**28)]
)
def test_rows_come_in_file_order_whatever_is_computed_together(
    lines_and_layers, command, tmp_path, monkeypatch, batch_size, window_bytes
):
    text, expected = lines_and_layers
    monkeypatch.setattr(script, "_WINDOW_BYTES", window_bytes)
    path = tmp_path / "out.npz"
    extract(
        *command,
        f"--input_file={text}",
        f"--batch_size={batch_size}",
        f"--output_file={path}",
    )
    with np.load(path) as found:
        offsets = found["row_offsets"]
        assert len(offsets) == len(expected) + 1
        for row, values in enumerate(expected):
            part = slice(*offsets[row : row + 2])
            for index, layer in zip((-1, -2), values, strict=True):
                np.testing.assert_allclose(
                    found[f"layer_{index}"][part], layer, atol=1e-5
                )


def test_fixed_shapes_give_the_same_rows(golden, command):
    config = config_of(script, *command)
    model = load_model(golden)
    packed = [
        packing.Packed([5, *range(32, 32 + n % 6), 6], n % 6 + 2)
        for n in range(11)
    ]
    cut, fixed = (
        list(script.vectors(config, model, packed, fixed_shapes))
        for fixed_shapes in (False, True)
    )
    assert len(cut) == len(fixed) == 11
    for (ids, values, _), (other_ids, other, _), row in zip(
        cut, fixed, packed, strict=True
    ):
        assert ids == other_ids == row.ids
        assert values.shape == other.shape == (2, len(ids), 32)
        np.testing.assert_allclose(values, other, atol=1e-5)


def test_memory_is_that_of_some_windows_however_long_the_file(
    golden, command, monkeypatch
):
    monkeypatch.setattr(script, "_WINDOW_BYTES", 2 * 3 * 4 * 2 * 32 * 32)
    config = config_of(script, *command)
    bert_config = BertConfig.from_json_file(config.bert_config_file)
    assert script.window_size(config, bert_config) == 6
    num_read = 0

    def packed():
        nonlocal num_read
        for _ in range(1200):
            num_read += 1
            yield packing.Packed([5, 32, 6], 3)

    ahead = [
        num_read - written
        for written, _ in enumerate(
            script.vectors(config, BertModel(bert_config), packed(), False)
        )
    ]
    assert len(ahead) == 1200
    # A window is sorted, and TensorFlow reads some batches ahead.
    assert max(ahead) < 600


@pytest.mark.parametrize(
    ("pooling", "name", "function"),
    [
        ("cls", "out.jsonl", lambda values: values[0]),
        ("mean", "out.npz", lambda values: values.mean(axis=0)),
        ("max", "out.jsonl", lambda values: values.max(axis=0)),
    ],
)
def test_pooling_gives_one_vector_a_line(
    lines_and_layers, command, tmp_path, pooling, name, function
):
    text, layers = lines_and_layers
    extract(
        *command,
        f"--input_file={text}",
        f"--output_file={tmp_path / name}",
        f"--pooling={pooling}",
    )
    if name.endswith(".npz"):
        with np.load(tmp_path / name) as arrays:
            assert set(arrays) == {"layer_-1", "layer_-2"}
            found = np.stack([arrays["layer_-1"], arrays["layer_-2"]], axis=1)
    else:
        lines = read(tmp_path / name)
        assert {tuple(line) for line in lines} == {("linex_index", "layers")}
        assert [line["linex_index"] for line in lines] == list(range(40))
        assert all(
            [layer["index"] for layer in line["layers"]] == [-1, -2]
            for line in lines
        )
        found = [[x["values"] for x in line["layers"]] for line in lines]
    expected = [[function(values) for values in row] for row in layers]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_layers_come_in_the_order_of_the_flag(command, tmp_path):
    extract(*command, "--layers=0,-1,2,2")
    for line in read(tmp_path / "out.jsonl"):
        layers = line["features"][0]["layers"]
        assert [layer["index"] for layer in layers] == [0, -1, 2, 2]
        assert layers[1]["values"] == layers[2]["values"]
        assert layers[0]["values"] != layers[1]["values"]


def test_odd_lines_are_rows_too(command, tmp_path, caplog):
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfbread\n\n\x00\nbread\xff\r\n\xe2\x80\x8b")
    extract(*command, f"--input_file={path}")
    assert [
        [token["token"] for token in line["features"]]
        for line in read(tmp_path / "out.jsonl")
    ] == [
        ["[CLS]", "bread", "[SEP]"],
        ["[CLS]", "[SEP]"],
        ["[CLS]", "[SEP]"],
        ["[CLS]", "bread", "[SEP]"],
        ["[CLS]", "[SEP]"],
    ]
    assert "Received 1 lines with other bytes" in caplog.text
    assert "line 4" in caplog.text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input_file=/nothing"], "--input_file=/nothing: No such file"),
        (["--input_file=/tmp"], "--input_file=/tmp: Is a directory"),
        (["--input_file=/dev/null"], "--input_file=/dev/null, empty"),
        (["--output_file=/tmp"], "--output_file=/tmp, which is a folder"),
        (["--output_file=/nothing/x"], "in a folder that does not exist"),
        (["--output_file=/dev/null"], "which is no plain file"),
        (["--vocab_file=/nothing"], "cannot read /nothing"),
        (["--vocab_file={golden}/inputs/vocab_cased.txt"], "has 406 tokens"),
        (["--bert_config_file=/nothing"], "Cannot read /nothing"),
        (["--init_checkpoint=/nothing"], "No checkpoint found"),
        (["--init_checkpoint={golden}/model_wide"], "does not fit the model"),
        (["--layers=-1,-4"], "--layers must be from -3 to 2"),
        (["--layers=3"], "has 3 layers. Received: 3"),
        (["--layers=-1,,-2"], "--layers must be whole numbers"),
        (["--layers=last"], "Received: 'last'"),
        (["--max_seq_length=65"], "Cannot use sequence length 65 because"),
        (["--output_file=gs://b/x.npz"], "can only be written to a local path"),
        (["--output_file=x.npz", "--layers=1,1"], "must be different ones"),
        (["--use_tpu"], "no TPU can be reached"),
        (["--attention_file=x.json"], "ends in .npz. Received: 'x.json'"),
        (["--attention_file="], "ends in .npz. Received: ''"),
        (["--attention_file=gs://b/x.npz"], "only be written to a local path"),
        (["--attention_file=/nothing/x.npz"], "--attention_file=/nothing/x"),
        (
            ["--output_file=/tmp/showw.npz", "--attention_file=/tmp/showw.npz"],
            "--attention_file must be a file of its own",
        ),
        (["--projector_dir="], "--projector_dir must name a folder"),
        (["--projector_dir=gs://b/x"], "only be written to a local path"),
        (["--projector_dir=x", "--layers=1,1"], "for --projector_dir, whose"),
        (["--projector_dir={golden}"], "a folder with PROVENANCE.md"),
        (["--projector_dir=/dev/null"], "Received: a file"),
        (["--projector_dir=/dev/null/x"], "/dev/null is no folder"),
    ],
)
def test_bad_flags_end_in_one_line_and_write_nothing(
    golden, command, tmp_path, flags, message
):
    flags = [flag.format(golden=golden) for flag in flags]
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        extract(*command, *flags)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []
    assert len(str(caught.value)) <= 300


def test_a_folder_that_is_replaced_holds_no_other_file(command, tmp_path):
    folder = tmp_path / "points"
    folder.mkdir()
    with pytest.raises(UserError, match="a folder of its own"):
        extract(
            *command,
            f"--projector_dir={folder}",
            f"--attention_file={folder / 'a.npz'}",
        )
    assert list(folder.iterdir()) == []


def test_attention_is_written_for_each_line(
    lines_and_layers, golden, command, tmp_path, monkeypatch
):
    text, _ = lines_and_layers
    # So little that fewer rows than --batch_size are computed together.
    monkeypatch.setattr(script, "_WINDOW_BYTES", 150_000)
    extract(
        *command,
        f"--input_file={text}",
        f"--output_file={tmp_path / 'out.npz'}",
        f"--attention_file={tmp_path / 'attention.npz'}",
    )
    model = load_model(golden)
    tokenizer = script.FullTokenizer(golden / "inputs/vocab.txt")
    with (
        np.load(tmp_path / "attention.npz") as found,
        np.load(tmp_path / "out.npz") as vectors,
    ):
        assert len(found.files) == 80
        tokens = [found[f"tokens_{row}"].tolist() for row in range(40)]
        joined = [token for row in tokens for token in row]
        assert joined == vectors["tokens"].tolist()
        for row in (0, 7, 3, 39):
            ids = tokenizer.convert_tokens_to_ids(tokens[row])
            ends = [
                i for i, token in enumerate(tokens[row]) if token == "[SEP]"
            ]
            segments = [int(i > ends[0]) for i in range(len(ids))]
            outputs = model(
                np.array([ids]),
                segment_ids=np.array([segments]),
                with_attention=True,
            )
            probs = np.stack(outputs["attention_probs"])[:, 0]
            values = found[f"attention_{row}"]
            assert values.dtype == np.float32
            assert values.shape == (3, 4, len(ids), len(ids))
            np.testing.assert_allclose(values, probs, atol=1e-6)
            np.testing.assert_allclose(values.sum(-1), 1, rtol=0, atol=1e-6)


def test_memory_for_attention_is_bounded(golden, command, monkeypatch):
    flags = (*command, "--attention_file=x.npz", "--layers=-1")
    config = config_of(script, *flags)
    bert_config = BertConfig.from_json_file(config.bert_config_file)
    row = 4 * (32 * 32 + 3 * 4 * 32 * 32)
    for num_rows, batch, window in ((1, 1, 1), (2, 2, 2), (7, 3, 6)):
        monkeypatch.setattr(script, "_WINDOW_BYTES", num_rows * row)
        assert script.batch_size(config, bert_config) == batch
        assert script.window_size(config, bert_config) == window


def test_vectors_are_points_for_the_projector(command, tmp_path):
    folder = tmp_path / "points"
    for _ in range(2):  # the second run replaces what the first has written
        extract(*command, f"--projector_dir={folder}", "--pooling=mean")
    assert sorted(os.listdir(tmp_path)) == ["out.jsonl", "points"]
    rows = [
        [layer["values"] for layer in line["layers"]]
        for line in read(tmp_path / "out.jsonl")
    ]
    for number, name in enumerate(("layer_-1.tsv", "layer_-2.tsv")):
        points = np.loadtxt(folder / name, delimiter="\t")
        assert points.tolist() == [row[number] for row in rows]


@pytest.mark.parametrize(
    "flag",
    ["input_file", "vocab_file", "bert_config_file", "init_checkpoint"],
)
def test_an_output_that_is_an_input_is_refused(golden, command, tmp_path, flag):
    for name in ("inputs", "model_base"):
        shutil.copytree(golden / name, tmp_path / name)
    path = {
        "input_file": "inputs/features.txt",
        "vocab_file": "inputs/vocab.txt",
        "bert_config_file": "model_base/bert_config.json",
        "init_checkpoint": "model_base/bert_model.ckpt.index",
    }[flag]
    (tmp_path / "link").symlink_to(tmp_path / path)
    before = (tmp_path / path).read_bytes()
    with pytest.raises(UserError, match="would replace a file"):
        extract(
            *command,
            f"--{flag}={tmp_path / path}",
            f"--output_file={tmp_path / 'link'}",
        )
    assert (tmp_path / path).read_bytes() == before


def test_a_bad_line_is_named_and_what_was_there_stays(
    golden, command, tmp_path
):
    tensors = checkpoint.Reader(str(golden / "model_base"))
    one_segment = {
        name: tensors.read(name)[: 1 if "token_type" in name else None]
        for name in tensors.shapes
    }
    checkpoint.write_files(str(tmp_path / "one.ckpt"), one_segment)
    text = tmp_path / "text"
    text.write_text("bread\nbread\n\nbread ||| writing\n")
    (tmp_path / "out.jsonl").write_text("before")
    with pytest.raises(UserError, match=f"{text}, line 4: expected one text"):
        extract(
            *command,
            f"--input_file={text}",
            f"--init_checkpoint={tmp_path / 'one.ckpt'}",
            checkpoints.changed_config(golden, tmp_path, type_vocab_size=1),
        )
    assert (tmp_path / "out.jsonl").read_text() == "before"
    assert not [n for n in os.listdir(tmp_path) if n.startswith(".tmp")]


def test_an_error_is_one_line_on_stderr(command):
    line = error_of(SCRIPT, *command, "--input_file=/nothing")
    assert "Cannot read --input_file=/nothing: No such file" in line

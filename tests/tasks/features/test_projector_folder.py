import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from bert.errors import UserError
from bert.tasks.features import projector_folder

LAYERS = [-1, 0]
TOKENS = [["[CLS]", "[SEP]"], ["[CLS]", "jim", "##my", "é", "[SEP]"]]


def values_of(size, pooled):
    shape = (2, 3) if pooled else (2, size, 3)
    values = np.arange(np.prod(shape), dtype=np.float32)
    return values.reshape(shape) / 7 + size


def write(folder, pooled):
    with projector_folder.writer(str(folder), LAYERS) as out:
        for tokens in TOKENS:
            out.write(tokens, values_of(len(tokens), pooled))


@pytest.mark.parametrize(
    ("pooled", "metadata"),
    [
        (True, "text\tline\n\t0\njimmy é\t1\n"),
        (
            False,
            "token\tline\tposition\n[CLS]\t0\t0\n[SEP]\t0\t1\n[CLS]\t1\t0\n"
            "jim\t1\t1\n##my\t1\t2\né\t1\t3\n[SEP]\t1\t4\n",
        ),
    ],
)
def test_tensorboard_reads_it(tmp_path, pooled, metadata):
    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin

    write(tmp_path / "points", pooled)
    # As TensorBoard makes it, of a log folder without runs.
    plugin = ProjectorPlugin(
        SimpleNamespace(
            logdir=str(tmp_path / "points"),
            data_provider=SimpleNamespace(list_runs=lambda *_, **__: []),
        )
    )

    def get(route, **query):
        client = Client(plugin.get_plugin_apps()[route], Response)
        answer = client.get(route, query_string={"run": ".", **query})
        assert answer.status_code == 200, answer.data
        return answer.data

    assert json.loads(get("/runs")) == ["."]
    embeddings = json.loads(get("/info"))["embeddings"]
    assert [each["tensorName"] for each in embeddings] == [
        *("layer_-1", "layer_0")
    ]
    for number, each in enumerate(embeddings):
        name = each["tensorName"]
        points = np.frombuffer(get("/tensor", name=name), np.float32)
        expected = [
            values_of(len(tokens), pooled)[number].reshape(-1, 3)
            for tokens in TOKENS
        ]
        np.testing.assert_allclose(
            points.reshape(-1, 3), np.concatenate(expected), atol=1e-6
        )
        assert get("/metadata", name=name).decode() == metadata


def test_an_error_leaves_what_was_there(tmp_path):
    folder = tmp_path / "points"
    write(folder, True)
    before = (folder / "metadata.tsv").read_text()

    def stopped():
        with projector_folder.writer(str(folder), LAYERS) as out:
            out.write(["a"], values_of(1, True))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert (folder / "metadata.tsv").read_text() == before
    assert os.listdir(tmp_path) == ["points"]


def test_nothing_but_an_earlier_one_is_replaced(tmp_path):
    folder = tmp_path / "points"
    projector_folder.check(str(folder))
    write(folder, True)
    projector_folder.check(str(folder))
    (folder / "events.out").touch()
    with pytest.raises(UserError, match="a folder with events"):
        projector_folder.check(str(folder))

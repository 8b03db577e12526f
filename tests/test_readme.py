"""What README.md and the pages in docs/ print runs as it is printed.

Blocks of `sh` and `python` are run, in the order of the page, on a tiny model
and tiny data. What they write to /tmp goes to a folder of the test. A block
whose first line is `# needs …` is run where that is a package (`EXTRAS`) that
is installed; the others are listed in `NOT_RUN`.
"""

import contextlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bert.modeling import checkpoint, heads
from bert.modeling.config import BertConfig
from tests import manual

# What a page says that a block needs, and the module that shows it is there.
EXTRAS = {
    "Apache Beam": "apache_beam",
    "LiteRT": "ai_edge_litert",
    "LiteRT and ONNX": "tf2onnx",
    "ONNX": "onnxruntime",
    "OpenVINO": "nncf",
    "requirements-serve.txt": "uvicorn",
    "requirements-text.txt": "sentencex",
}
# A test has no network, no GPU, no large data sets and little time.
NOT_RUN = {
    "README.md": ["a package index, some minutes", "a package index"],
    "docs/classification.md": [
        # tests/scripts/test_run_classifier.py runs it.
        "train.tsv and dev.tsv of your own in --data_dir"
    ],
    "docs/compression.md": [
        "a package index",
        "real data, all three runtimes and an hour",
    ],
    "docs/conversion.md": ["PyTorch"],
    "docs/gpt.md": ["OpenAI's model: 440 MB", "OpenAI's model: 440 MB"],
    "docs/features.md": ["an output_file /tmp/output.npz"],
    "docs/models.md": ["the internet: 400 MB", "a Hugging Face folder"],
    # tests/scripts/test_run_multitask.py runs the like, but for serve.py.
    "docs/multitask.md": ["data of GLUE", "the model above"],
    "docs/performance_log.md": ["a package index, 3 GB and an hour"],
    "docs/raw_strings.md": [
        "the export of export.md",
        "vocabularies, real data and an hour",
    ],
    "docs/results.md": [
        *["real data and hours"] * 3,
        "MRPC, PyTorch and an hour",
        *["real data and hours"] * 4,
    ],
    "docs/serving.md": [
        # tests/examples/test_examples.py runs it.
        "a C compiler and the export of export.md",
        "TensorFlow Serving",
        "real data, PyTorch and twenty minutes",
    ],
    "docs/squad.md": ["CMRC 2018 and a Chinese model"],
    "docs/scale.md": ["records of both lengths, GPUs and days"],
}
# What a page's commands leave, and what must stand in it.
WRITTEN = {
    "docs/distillation.md": [
        ("small_tickets/eval_results.txt", "eval_accuracy = ")
    ],
    "docs/features.md": [("output.jsonl", '"linex_index": 0')],
    "docs/pretraining.md": [
        ("pretraining_output/eval_results.txt", "global_step = 20")
    ],
    "docs/squad.md": [
        ("squad_base/predictions.json", '"dev-'),
        ("squad_base/nbest_predictions.json", '"probability"'),
    ],
}
VOCAB_SIZE = 30522
DOCS = [page for page in manual.pages() if page.startswith("docs/")]
PAGES = ["README.md", *DOCS]


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """What stands for /tmp and for the data that the pages name."""
    folder = tmp_path_factory.mktemp("pages")
    _write_model(folder / "base", layers=2)
    _write_model(folder / "base_of_4", layers=4)
    shutil.copytree(golden / "inputs/mrpc", folder / "glue/MRPC")
    train = folder / "glue/MRPC/train.tsv"
    header, *rows = train.read_text().splitlines(keepends=True)
    train.write_text("".join([header, *rows * 4]))  # a batch has 32
    shutil.copytree(golden / "inputs/squad", folder / "squad")
    (folder / "conll").mkdir()
    for name in ("train", "dev", "test"):
        (folder / f"conll/{name}.txt").write_text(
            "Jim B-PER\nsat O\n. O\n\nHe O\nsaw O\nRome B-LOC\n. O\n\n" * 16
        )
    return folder


def _is_installed(module: str | None) -> bool:
    return module is not None and importlib.util.find_spec(module) is not None


def _write_model(base: Path, layers: int) -> None:
    """Writes a model with random weights and with as many pieces as BERT."""
    base.mkdir()
    pieces = (manual.ROOT / "sample_data/vocab.txt").read_text().splitlines()
    pieces += [f"[unused{i}]" for i in range(VOCAB_SIZE - len(pieces))]
    (base / "vocab.txt").write_text("\n".join(pieces) + "\n")
    sample = json.loads(
        (manual.ROOT / "sample_data/bert_config.json").read_text()
    )
    config = {
        **sample,
        "hidden_size": 16,
        "intermediate_size": 32,
        "max_position_embeddings": 512,
        "num_attention_heads": 2,
        "num_hidden_layers": layers,
        "vocab_size": VOCAB_SIZE,
    }
    (base / "bert_config.json").write_text(json.dumps(config))
    model = heads.PretrainingModel(BertConfig(**config), init_seed=1)
    checkpoint.write_files(
        str(base / "bert_model.ckpt"), checkpoint.named_variables(model)
    )


@pytest.fixture(scope="module")
def run(folder):
    """Runs a page's blocks; returns the names of its Python code.

    `printed` is what the last Python block has printed.
    """
    python = os.path.dirname(sys.executable)
    variables = {
        "CONLL_DIR": str(folder / "conll"),
        "GLUE_DIR": str(folder / "glue"),
        "SQUAD_DIR": str(folder / "squad"),
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
    }

    def run(page: str) -> dict[str, object]:
        # The command of features.md asks for the last four layers.
        base = "base_of_4" if page == "docs/features.md" else "base"
        variables["BERT_BASE_DIR"] = str(folder / base)
        names: dict[str, object] = {}
        for block in manual.blocks(page):
            if block.needs and not _is_installed(EXTRAS.get(block.needs)):
                continue
            text = block.text.replace("/tmp/", f"{folder}/")
            if block.language == "sh":
                done = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", text],
                    cwd=manual.ROOT,
                    env=os.environ | variables,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{block.text}\n{done.stderr}"
            elif block.language == "python":
                with (
                    pytest.MonkeyPatch.context() as patch,
                    contextlib.redirect_stdout(io.StringIO()) as printed,
                ):
                    for name, value in variables.items():
                        patch.setenv(name, value)
                    exec(compile(text, page, "exec"), names)
                names["printed"] = printed.getvalue()
        return names

    return run


@pytest.fixture(scope="module")
def readme(run):
    """The names that the README's Python code leaves; its commands have run."""
    return run("README.md")


def test_the_readme_runs(readme, folder):
    mrpc = (folder / "mrpc_output/eval_results.txt").read_text()
    assert "eval_accuracy = " in mrpc
    assert "global_step = 3" in mrpc
    tickets = (folder / "tickets/predictions.jsonl").read_text().splitlines()
    assert len(tickets) == 6
    teams = {"account", "billing", "delivery", "technical"}
    assert set(readme["answers"][1]["probabilities"]) == teams
    assert readme["outputs"]["pooled_output"].shape == (1, 16)
    # Of two layers: 5 of the embeddings, 2 * 16, and 2 of the pooler.
    assert "Loaded 39 weights from " in readme["printed"]


@pytest.mark.slow
@pytest.mark.parametrize("page", DOCS)
def test_a_page_runs(readme, run, folder, page):
    run(page)
    for file, text in WRITTEN.get(page, []):
        assert text in (folder / file).read_text(), file


def test_what_is_not_run_is_listed():
    found = {
        page: [
            block.needs
            for block in manual.blocks(page)
            if block.needs and block.needs not in EXTRAS
        ]
        for page in PAGES
    }
    assert {page: needs for page, needs in found.items() if needs} == NOT_RUN


@pytest.mark.parametrize("page", manual.pages())
def test_blocks_say_their_language_and_leave_nothing_out(page):
    for block in manual.blocks(page):
        assert block.language in manual.LANGUAGES
        if block.language == "sh":
            assert "..." not in block.text
            assert "…" not in block.text


def test_keras_takes_no_more_lines_than_kerashub():
    """The first block of the page is ours, the second KerasHub's."""
    ours, kerashub, spans, *_ = (
        block.text.splitlines() for block in manual.blocks("docs/keras.md")
    )
    assert "import keras_hub" in kerashub
    assert len(ours) <= len(kerashub)
    assert len(spans) <= 30


def test_the_readme_is_short():
    assert len(manual.text_of("README.md").splitlines()) <= 150

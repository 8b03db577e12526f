"""Whole commands, start-up included: ours, and what others do the same with."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peers import contestants, sizes

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_PADDED = str(HERE / "padded.py")
_HF = str(HERE / "hf_commands.py")


class Command(NamedTuple):
    """A contestant's command.

    Attributes:
        name: of a row in the tables.
        environment: see `Contestant`.
        arguments: of its Python; {output} stands for an empty folder.
        note: what it does; for the tables.
        variables: of its environment, beside the user's.
        text: its standard input.
    """

    name: str
    environment: str | None
    arguments: list[str]
    note: str
    variables: dict[str, str] = {}  # noqa: RUF012 (never changed)
    text: str = ""


def fine_tune(cell: dict[str, Any]) -> list[Command]:
    """MRPC, training and evaluation."""
    model_dir = cell["model_dir"]
    ours = [
        "--task_name=MRPC",
        "--do_train",
        "--do_eval",
        f"--data_dir={cell['data_dir']}/glue/MRPC",
        f"--vocab_file={cell['vocab_file']}",
        f"--bert_config_file={model_dir}/bert_config.json",
        "--train_batch_size=32",
        "--eval_batch_size=32",
        "--learning_rate=5e-5",
        f"--max_seq_length={cell['length']}",
        f"--num_train_epochs={cell['epochs']}",
        "--random_seed=1",
        "--output_dir={output}",
    ]
    other = [
        _HF,
        "fine_tune",
        f"--model={cell['model']}",
        f"--vocab_file={cell['vocab_file']}",
        f"--data_dir={cell['data_dir']}",
        f"--max_seq_length={cell['length']}",
        f"--num_train_epochs={cell['epochs']}",
    ]
    script = "run_classifier.py"
    return [
        Command("ours", None, [script, *ours], script),
        Command(
            "ours-padded",
            None,
            [_PADDED, script, *ours],
            f"{script} with every row padded to max_seq_length",
        ),
        Command(
            "hf_torch",
            "torch",
            other,
            "a plain loop as in run_glue.py, padded to max_seq_length (its "
            "default)",
        ),
        Command(
            "hf_torch-dynamic",
            "torch",
            other,
            "the same, padded to the longest row of a batch",
            {"BENCH_PADDING": "longest"},
        ),
    ]


def features(cell: dict[str, Any]) -> list[Command]:
    """The last four layers of each token of some lines, as JSON lines."""
    input_file = os.path.join(cell["folder"], "features.txt")
    with open(cell["text_file"], encoding="utf-8") as file:
        lines = [line for line in file if line.strip()][: cell["lines"]]
    Path(input_file).write_text("".join(lines), encoding="utf-8")
    # The last four layers, where there are so many.
    count = min(4, sizes.model(cell["model"]).layers)
    both = [
        f"--layers={','.join(str(-1 - i) for i in range(count))}",
        f"--vocab_file={cell['vocab_file']}",
        f"--input_file={input_file}",
        "--output_file={output}/features.jsonl",
        "--max_seq_length=128",
    ]
    model_dir = cell["model_dir"]
    return [
        Command(
            "ours",
            None,
            [
                "extract_features.py",
                f"--bert_config_file={model_dir}/bert_config.json",
                f"--init_checkpoint={model_dir}/run/model.ckpt-1",
                *both,
            ],
            "extract_features.py, batches of 32",
        ),
        Command(
            "hf_torch",
            "torch",
            [_HF, "features", f"--model={cell['model']}", *both],
            "BertModel(output_hidden_states=True), batches of 32 in file "
            "order, padded to the longest, the same JSON",
        ),
    ]


def data_creation(cell: dict[str, Any]) -> list[Command]:
    """Text to pre-training records."""
    script = "create_pretraining_data.py"
    arguments = [
        script,
        f"--input_file={cell['text_file']}",
        f"--vocab_file={cell['vocab_file']}",
        "--output_file={output}/records.tfrecord",
        "--dupe_factor=2",
        "--max_seq_length=128",
        "--random_seed=1",
    ]
    found = [Command("ours", None, arguments, script)]
    if "num_workers" in (ROOT / script).read_text():
        found += [
            Command(
                f"ours, {count} worker(s)",
                None,
                [*arguments, f"--num_workers={count}"],
                f"{script} --num_workers={count}",
            )
            for count in (1, 2)
        ]
    return found


def startup(cell: dict[str, Any]) -> list[Command]:
    """One line answered, from nothing."""
    text = "A line to answer.\n"
    vocab = f"--vocab_file={cell['vocab_file']}"
    return [
        Command(
            "ours",
            None,
            ["predict.py", f"--model_dir={cell['model_dir']}/run"],
            "predict.py",
            text=text,
        ),
        Command("ours, --help", None, ["predict.py", "--help"], "--help alone"),
        Command(
            "hf_torch",
            "torch",
            [_HF, "one_line", f"--model={cell['model']}", vocab],
            "tokenizer and BertForSequenceClassification, random weights",
            text=text,
        ),
    ]


WORKS = {
    "fine_tune_mrpc": fine_tune,
    "features": features,
    "data_creation": data_creation,
    "startup": startup,
}


def run(command: Command, folder: Path, args) -> dict[str, Any]:
    """Runs a command to its end.

    Args:
        command: what to run.
        folder: where its output goes, and what it says.
        args: the flags' values.

    Returns:
        Wall and CPU seconds, and the largest resident memory.

    Raises:
        RefusedError: it failed.
    """
    python = contestants.python_of(command.environment, args)
    arguments = [a.replace("{output}", str(folder)) for a in command.arguments]
    begun = time.perf_counter()
    with (
        open(args.output_dir / f"{folder.name}.log", "wb") as log,
        subprocess.Popen(
            [python, *arguments],
            cwd=ROOT if command.environment is None else folder,
            env=contestants.environment(command.variables),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        process.stdin.write(command.text.encode())
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if process.returncode not in (0, 1 if "--help" in arguments else 0):
        raise contestants.RefusedError(
            f"exit code {process.returncode}; see {log.name}"
        )
    return {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "memory_kib": usage.ru_maxrss,
    }


def make_model(cell: dict[str, Any], kind: str, args) -> None:
    """Writes the model that a piece of work begins with, once.

    Args:
        cell: the piece of work.
        kind: which of the folders of make_model.py.
        args: the flags' values.

    Raises:
        RefusedError: it could not be made.
    """
    folder = Path(cell["model_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    last = {"run": "run/model.ckpt-1.index"}
    if (folder / last.get(kind, kind)).exists():
        return
    environment = "runtimes" if kind == "compressed" else None
    ran = subprocess.run(
        [
            contestants.python_of(environment, args),
            str(HERE / "make_model.py"),
            f"--model={cell['model']}",
            f"--folder={folder}",
            f"--vocab_file={cell['vocab_file']}",
            f"--kind={kind}",
        ],
        env=contestants.environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise contestants.RefusedError(
            f"no model: {ran.stderr.strip().splitlines()[-1]}"
        )

"""Breaks one place of the code at a time, and shows that a test turns red.

    make test-breaks          (or: python -m tests.break_lines [NAME ...])

Each break is made in a copy of the tree. First all tests named here must be
green; then, for each break, at least one must fail. Exit code 1 otherwise.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Break(NamedTuple):
    """A line made wrong.

    Attributes:
        name: what is wrong now.
        file: where.
        line: the right text, found exactly once in the file; more than the
            line where that needs it.
        wrong: what stands there instead.
        tests: what must turn red: files, or files and names.
    """

    name: str
    file: str
    line: str
    wrong: str
    tests: str


MODEL_GOLDENS = "tests/modeling/backbones/test_bert.py"
TOKEN_GOLDENS = "tests/data/text/test_tokenization.py -k original"
TRAIN_GOLDENS = "tests/training/test_loop.py -k original"
CLASSIFIER_RECORDS = (
    "tests/tasks/classification/test_features.py -k records_are_the_originals"
)
SQUAD_WINDOWS = "tests/tasks/squad/test_windows.py -k originals"
SQUAD_ANSWERS = "tests/tasks/squad/test_answers.py"

BREAKS = (
    Break(
        "erf gelu",
        "modeling/activations.py",
        "return x * gate, gradient",
        "return gelu_erf(x), gradient",
        MODEL_GOLDENS,
    ),
    Break(
        "LayerNorm epsilon",
        "modeling/layers.py",
        "LAYER_NORM_EPSILON = 1e-12",
        "LAYER_NORM_EPSILON = 1e-3",
        MODEL_GOLDENS,
    ),
    Break(
        "decay of LayerNorm",
        "training/optimization.py",
        'NO_DECAY = ("LayerNorm", "layer_norm", "bias")',
        'NO_DECAY = ("layer_norm", "bias")',
        TRAIN_GOLDENS,
    ),
    Break(
        "bias correction",
        "training/optimization.py",
        "bias_correction: bool = False",
        "bias_correction: bool = True",
        TRAIN_GOLDENS,
    ),
    Break(
        "merged clip norm",
        "training/gradient_norm.py",
        "is_rows = [isinstance(g, tf.IndexedSlices) for g in gradients]",
        "is_rows = [False for g in gradients]",
        TRAIN_GOLDENS,
    ),
    Break(
        "segment ids ignored",
        "modeling/layers.py",
        "x += self._segments(segment_ids)",
        "x += self._segments(tf.zeros_like(segment_ids))",
        MODEL_GOLDENS,
    ),
    Break(
        "mask sign",
        "modeling/transformer.py",
        "masked = 1.0 - tf.cast(input_mask, scores.dtype)",
        "masked = tf.cast(input_mask, scores.dtype)",
        MODEL_GOLDENS,
    ),
    Break(
        "loss denominator",
        "training/steps.py",
        "/ denominators[name]",
        "/ tf.cast(tf.size(losses[name]), tf.float32)",
        TRAIN_GOLDENS,
    ),
    Break(
        "lr at step 0",
        "training/optimization.py",
        "return self.schedule(self.global_step)",
        "return self.schedule(self.global_step + 1)",
        TRAIN_GOLDENS,
    ),
    Break(
        "wordpiece prefix",
        "data/text/tokenization.py",
        'prefix = "##"',
        'prefix = ""',
        TOKEN_GOLDENS,
    ),
    Break(
        "pair truncation",
        "data/records/packing.py",
        "        longer.pop()\n\n\ndef pack_single",
        "        del longer[0]\n\n\ndef pack_single",
        CLASSIFIER_RECORDS,
    ),
    Break(
        "header row of XNLI",
        "tasks/classification/processors.py",
        'if i > 0 and (set_type == "train" or row[0] == self.language)',
        'if set_type == "train" or row[0] == self.language',
        CLASSIFIER_RECORDS,
    ),
    Break(
        "label order",
        "tasks/classification/kinds.py",
        "[numbers[name] for name in own]",
        "[len(numbers) - 1 - numbers[name] for name in own]",
        CLASSIFIER_RECORDS,
    ),
    Break(
        "max context",
        "tasks/squad/windows.py",
        "+ 0.01 * length",
        "- 0.01 * length",
        SQUAD_WINDOWS,
    ),
    Break(
        "improved span",
        "tasks/squad/windows.py",
        "if answer and pieces[start : start + len(answer)] == answer:",
        "if not answer:",
        SQUAD_WINDOWS,
    ),
    Break(
        "null threshold sign",
        "tasks/squad/answers.py",
        "self.null_odds > null_score_diff_threshold",
        "self.null_odds < null_score_diff_threshold",
        SQUAD_ANSWERS,
    ),
    Break(
        "answer length",
        "tasks/squad/answers.py",
        "if start <= end < start + settings.max_answer_length:",
        "if start <= end <= start + settings.max_answer_length:",
        SQUAD_ANSWERS,
    ),
    Break(
        "articles count",
        "tasks/squad/metrics.py",
        r'_ARTICLE = re.compile(r"\b(a|an|the)\b")',
        r'_ARTICLE = re.compile(r"\b(the)\b")',
        "tests/tasks/squad/test_metrics.py",
    ),
    Break(
        "dropout of the head",
        "modeling/classifiers.py",
        "self.dropout_rate = dropout_rate",
        "self.dropout_rate = config.hidden_dropout_prob",
        "tests/modeling/test_heads.py -k classifier",
    ),
    Break(
        "split at |||",
        "tasks/features/features_text.py",
        "line.rpartition(_SEPARATOR)",
        "line.partition(_SEPARATOR)",
        "tests/tasks/features/test_features_text.py",
    ),
    Break(
        "rows left sorted",
        "data/records/file_order.py",
        "waiting[row] = {",
        "waiting[len(waiting) + following] = {",
        "tests/data/records/test_file_order.py",
    ),
    Break(
        "words without context",
        "tasks/tagging/windows.py",
        "if min(before, after) > scores[word]:",
        "if max(before, after) > scores[word]:",
        "tests/tasks/tagging/test_windows.py",
    ),
    Break(
        "accumulation forgets",
        "training/steps.py",
        "return i + 1, tf.nest.map_structure(tf.add, sums, more)",
        "return i + 1, more",
        "tests/training/test_steps.py -k train_squad",
    ),
    Break(
        "parts dropped alike",
        "training/steps.py",
        "_fold(seed, i)",
        "seed",
        "tests/training/test_steps.py -k dropped_differently",
    ),
    Break(
        "update not masked",
        "training/optimization.py",
        "tf.where(is_finite, self.learning_rate(), 0.0)",
        "self.learning_rate()",
        "tests/training/test_steps.py -k changes_nothing",
    ),
    Break(
        "LAMB ratio upside down",
        "training/optimization.py",
        "weight_norm / update_norm",
        "update_norm / weight_norm",
        "tests/training/test_optimization.py -k lamb",
    ),
    Break(
        "batch not shared evenly",
        "training/strategy.py",
        "parts = replicas * config.gradient_accumulation_steps",
        "parts = replicas",
        "tests/training/test_strategy.py -k evenly",
    ),
    Break(
        "Hugging Face's gelu",
        "conversion/huggingface_config.py",
        '"gelu": "gelu_erf"',
        '"gelu": "gelu"',
        "tests/conversion/test_huggingface.py -k activations",
    ),
    Break(
        "raw pairs cut",
        "serving/text_graph.py",
        "half_of_a = (max_num_tokens + 1) // 2",
        "half_of_a = max_num_tokens // 2",
        "tests/serving/test_text_graph.py -k pairs_are_cut",
    ),
)


def main(names: list[str]) -> int:
    """Runs all breaks, or those named, and prints what each did."""
    unknown = set(names) - {item.name for item in BREAKS}
    if unknown:
        print(f"No such break: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    chosen = [item for item in BREAKS if not names or item.name in names]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        for tests in sorted({item.tests for item in chosen}):
            passed, last_line = run_tests(tree, tests)
            print(f"{tests}: {last_line}", flush=True)
            if not passed:
                print("The tests must be green before anything is broken.")
                return 1
        survivors = [item.name for item in chosen if not kills(tree, item)]
    if survivors:
        print(f"No test turned red for: {', '.join(survivors)}")
    else:
        print(f"Each of {len(chosen)} breaks turned a test red.")
    return bool(survivors)


def known_files() -> list[str]:
    """Returns the files that git knows, or does not ignore."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def copy_tree(tree: Path) -> None:
    """Copies what git knows, and what it does not ignore."""
    for name in known_files():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)


def kills(tree: Path, item: Break) -> bool:
    """Makes the break, runs its tests, mends it; whether a test failed."""
    path = tree / item.file
    right = path.read_text()
    if right.count(item.line) != 1:
        print(f"{item.name}: {item.file} must have once: {item.line!r}")
        return False
    path.write_text(right.replace(item.line, item.wrong))
    passed, last_line = run_tests(tree, item.tests)
    path.write_text(right)
    # A syntax error or a test that is not found would be red for nothing.
    failed = not passed and re.search(r"\d+ failed", last_line) is not None
    print(
        f"{'red  ' if failed else 'GREEN'} {item.name} ({item.file}): "
        f"{last_line}",
        flush=True,
    )
    return failed


def run_tests(tree: Path, tests: str) -> tuple[bool, str]:
    """Returns whether all passed, and pytest's last line."""
    words = tests.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=tree,
        check=False,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.strip().splitlines() or ["no output"]
    return done.returncode == 0, lines[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

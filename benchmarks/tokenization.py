"""Times words to ids: the plain algorithm against ours, cold and warm.

    python -m benchmarks.tokenization --input_file=<text> --vocab_file=<vocab>

"Cold" starts with nothing remembered, "warm" has met the text before. Each
round times every road once, in CPU time, so that a noisy machine slows all
alike; printed are the medians of speed and of the round's ratio. The plain
algorithm sees only --reference_words, since a corpus takes it minutes. Last, a
stream of words that never come twice shows what is remembered at most.
"""

import gc
import operator
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

from absl import app, flags

from bert.data.text.tokenization import FullTokenizer
from tests.data.text import reference_tokenizer

FLAGS = flags.FLAGS
flags.DEFINE_string("input_file", None, "Text, one sentence a line.")
flags.DEFINE_string("vocab_file", None, "Vocabulary.")
flags.DEFINE_bool("do_lower_case", True, "Whether to lower-case the text.")
flags.DEFINE_integer("rounds", 5, "Rounds of all roads; medians are printed.")
flags.DEFINE_integer("reference_words", 100_000, "Words for the plain road.")
flags.DEFINE_integer("unique_words", 300_000, "Words that come once; 0: none")


def words_per_second(
    run: Callable[[str], object], lines: list[str], num_words: int
) -> float:
    """Returns the speed of one pass over the lines."""
    gc.collect()
    start = time.process_time()
    for line in lines:
        run(line)
    return num_words / (time.process_time() - start)


def measure(lines: list[str], rounds: int) -> dict[str, list[float]]:
    """Returns the words per second of each road, a round each."""
    num_words = sum(len(line.split()) for line in lines)
    head, head_words = [], 0
    for line in lines:
        if head_words >= FLAGS.reference_words:
            break
        head.append(line)
        head_words += len(line.split())
    warm = new_tokenizer()

    def reference(line: str) -> list[int]:
        pieces = reference_tokenizer.tokenize(
            line, warm.vocab, FLAGS.do_lower_case
        )
        return warm.convert_tokens_to_ids(pieces)

    for line in head:
        if warm.encode(line) != reference(line):
            sys.exit(f"Not equal to the plain algorithm: {line!r}")
    for line in lines:
        warm.encode(line)
        warm.tokenize(line)
    roads: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, run, text, count in (
            ("plain algorithm", reference, head, head_words),
            ("encode, cold", new_tokenizer().encode, lines, num_words),
            ("tokenize, cold", new_tokenizer().tokenize, lines, num_words),
            ("encode, warm", warm.encode, lines, num_words),
            ("tokenize, warm", warm.tokenize, lines, num_words),
        ):
            speed = words_per_second(run, text, count)
            roads.setdefault(name, []).append(speed)
    return roads


def remembered_megabytes(run: Callable[[FullTokenizer], None]) -> float:
    """Returns by how much memory grew at most while `run` tokenized."""
    tokenizer = new_tokenizer()
    gc.collect()
    tracemalloc.start()
    run(tokenizer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def tokenize_unique_words(tokenizer: FullTokenizer) -> None:
    """Tokenizes words that never come twice, of up to four bytes a letter."""
    rng = random.Random(0)
    for index in range(FLAGS.unique_words):
        letters = rng.choices("中éΣ🙂", k=index % 16)
        word = f"{index}{''.join(letters)}"
        tokenizer.encode(word)
        tokenizer.tokenize(word)


def new_tokenizer() -> FullTokenizer:
    """Returns a tokenizer that has met no word yet."""
    return FullTokenizer(FLAGS.vocab_file, FLAGS.do_lower_case)


def main(_: list[str]) -> None:
    """Prints the table."""
    with open(FLAGS.input_file, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    speeds = measure(lines, FLAGS.rounds)
    plain = speeds["plain algorithm"]
    for name, rounds in speeds.items():
        speed = statistics.median(rounds)
        ratio = statistics.median(map(operator.truediv, rounds, plain))
        print(f"{name:16} {speed:12,.0f} words/s {ratio:6.1f} x")

    def tokenize_lines(tokenizer: FullTokenizer) -> None:
        for line in lines:
            tokenizer.encode(line)
            tokenizer.tokenize(line)

    megabytes = remembered_megabytes(tokenize_lines)
    print(f"remembered for this text: {megabytes:.1f} MB")
    if FLAGS.unique_words:
        megabytes = remembered_megabytes(tokenize_unique_words)
        print(
            f"at most, {FLAGS.unique_words:,} unique words: {megabytes:.1f} MB"
        )


if __name__ == "__main__":
    flags.mark_flags_as_required(["input_file", "vocab_file"])
    app.run(main)

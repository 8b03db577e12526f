r"""Counts where the graph's ids differ from FullTokenizer's, and times both.

    python -m benchmarks.text_graph --uncased_vocab_files=uncased.txt \
        --cased_vocab_files=cased.txt,chinese.txt --data_dir=<folder>

Each row is a set of texts: how many, and how many of them differ. "words" are
compared before a vocabulary can hide a difference behind [UNK]. The data are
all lines of all text files in a folder, and all strings of its JSON files.
Random strings are drawn from what tokenizers get wrong, as text and as bytes
that are not UTF-8. What differs is printed, the first of each kind.
"""

import itertools
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf
from absl import app, flags

from bert.data.text.tokenization import BasicTokenizer, FullTokenizer
from bert.serving.text_graph import TextGraph
from bert.serving.word_graph import WordGraph

FLAGS = flags.FLAGS
flags.DEFINE_list("uncased_vocab_files", [], "Vocabularies, lower-cased.")
flags.DEFINE_list("cased_vocab_files", [], "Vocabularies, not lower-cased.")
flags.DEFINE_string("data_dir", None, "Folder of real texts.")
flags.DEFINE_integer("random_strings", 100_000, "How many, of either kind.")
flags.DEFINE_integer("code_point_step", 1, "1: all of them; 7: every seventh.")
flags.DEFINE_integer("timed_texts", 4096, "Texts to time; 0: none.")
flags.DEFINE_integer("rounds", 5, "Rounds of timing; medians are printed.")

_BATCH_SIZE = 1024
_EXAMPLES = 3
_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2003\u2028\u2029\u3000"
_POOLS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ΣσςΑαΟοΜ'.:·\u00ad\u0345ʰⓐªA",  # sigma, and what may stand beside it
    "".join(map(chr, range(0x0300, 0x0370))) + "aeoÅéñ",
    # Combining characters of many classes, some of them no accents (Mc).
    "\u0334\u05b0\u093c\u094d\u302a\u302e\u302f\u3099\U0001d165\U0001d16d"
    "\U00016ff0\u0f71\u0f72\u1bab\u06df\u0e38\ua9c0\u0323\u0301",
    "".join(map(chr, range(32))) + "\x7f\x80\x9f\u200b\u200d\u202e\ufeff\ufffd",
    _SPACES,
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡«»…–—„“”。、！？€£^`\u037e\u1fef",
    "中文字日本語漢㐀\U00020000\U0002a700豈\U0002f800ひらカタ",
    "한국어가각힣\u1100\u1161\u11a8",
    "İıßẞﬁŒǅΰᾳΐ\u1f82ſK\u212bΩ²½①ⅷ𝐀🙂👩‍👩‍👧\U000e0041\ue000\U0010ffff",
)
_TOKENS = ("[CLS]", "[SEP]", "[UNK]", "##ing", "[MASK]", "##", "un", "able")
_BROKEN = (
    *(b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x99"),  # cut off
    *(b"\xc0\xaf", b"\xe0\x80", b"\xed\xa0\x80"),  # overlong, surrogate
    *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"),  # too large
)


class Check(NamedTuple):
    """Two functions that should give the same.

    Attributes:
        name: the column.
        graph: string [B] to a ragged tensor [B, ...].
        python: one text to a list.
    """

    name: str
    graph: Callable[[tf.Tensor], tf.RaggedTensor]
    python: Callable[[bytes], list]


def make_checks() -> list[Check]:
    """Returns a check of words for both cases, and one for each vocabulary."""
    checks = []
    for do_lower_case in (True, False):
        case = "uncased" if do_lower_case else "cased"
        words = BasicTokenizer(do_lower_case)
        checks.append(
            Check(
                f"{case} words",
                _compiled(WordGraph(do_lower_case).tokenize),
                lambda text, words=words: [
                    word.encode() for word in words.tokenize(text)
                ],
            )
        )
        for path in FLAGS[f"{case}_vocab_files"].value:
            tokenizer = FullTokenizer(path, do_lower_case)
            graph = TextGraph(tokenizer.vocab, do_lower_case)
            name = f"{case} {os.path.basename(path)}"
            checks.append(
                Check(name, _compiled(graph.tokenize), tokenizer.encode)
            )
    return checks


def _compiled(function: Callable) -> Callable:
    text = tf.TensorSpec([None], tf.string)
    return tf.function(function, input_signature=[text])


def count_differing(check: Check, texts: Sequence[bytes]) -> int:
    """Returns how many texts differ; prints the first of them."""
    num_differing = 0
    for start in range(0, len(texts), _BATCH_SIZE):
        batch = texts[start : start + _BATCH_SIZE]
        for text, found in zip(
            batch, check.graph(tf.constant(batch)).to_list(), strict=True
        ):
            expected = check.python(text)
            if found != expected:
                num_differing += 1
                if num_differing <= _EXAMPLES:
                    print(f"  {check.name}: {text!r}: {found}, not {expected}")
    return num_differing


def code_points() -> Iterator[str]:
    """Yields all code points that UTF-8 can write: not the surrogates."""
    for code in range(0, sys.maxunicode + 1, FLAGS.code_point_step):
        if not 0xD800 <= code <= 0xDFFF:
            yield chr(code)


def random_text(rng: random.Random) -> str:
    """Returns words of characters from one, two or all pools."""
    words = []
    for _ in range(rng.randint(1, 8)):
        pools = rng.sample(_POOLS, rng.choice((1, 2, 2, len(_POOLS))))
        drawn_from = rng.choices(pools, k=rng.randint(1, 9))
        chars = list(map(rng.choice, drawn_from))
        if rng.random() < 0.1:
            chars.append(chr(rng.choice((rng.randrange(0xD800), 0x1D165))))
        if rng.random() < 0.1:
            chars.append(rng.choice(_TOKENS))
        if rng.random() < 0.02:  # about the longest word there may be
            chars.append(rng.choice("aé中𝐀") * rng.randint(190, 205))
        words.append("".join(chars))
    return rng.choice((" ", " ", "", rng.choice(_SPACES))).join(words)


def random_bytes(rng: random.Random) -> bytes:
    """Returns a random text with bytes that are not UTF-8 in it."""
    data = bytearray(random_text(rng).encode())
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(data))
        broken = rng.choice((rng.choice(_BROKEN), rng.randbytes(2)))
        data[place:place] = broken
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


def read_texts(path: str) -> Iterator[str]:
    """Yields the lines of a text file, or the strings of a JSON file."""
    with open(path, encoding="utf-8", newline="\n") as file:
        yield from _strings(json.load(file)) if path.endswith(".json") else file


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from itertools.chain.from_iterable(map(_strings, node.values()))
    elif isinstance(node, list):
        yield from itertools.chain.from_iterable(map(_strings, node))


def data_sets() -> dict[str, list[bytes]]:
    """Returns the texts of each folder under --data_dir, each text once."""
    sets: dict[str, dict[bytes, None]] = {}
    for folder, _, names in sorted(os.walk(FLAGS.data_dir or os.devnull)):
        for name in sorted(names):
            texts = sets.setdefault(os.path.relpath(folder, FLAGS.data_dir), {})
            path = os.path.join(folder, name)
            texts.update((text.encode(), None) for text in read_texts(path))
    return {name: list(texts) for name, texts in sets.items()}


def text_sets() -> Iterator[tuple[str, list[bytes]]]:
    """Yields the rows of the table."""
    rng = random.Random(0)

    def encoded(texts: Iterable[str]) -> list[bytes]:
        return [text.encode() for text in texts]

    yield "code points, alone", encoded(code_points())
    yield (
        "code points, between letters",
        encoded(f"a{char}b" for char in code_points()),
    )
    yield (
        "code points, around a sigma",
        encoded(f"A{c}Σ {c}Σ aΣ{c}a Σ{c}" for c in code_points()),
    )
    number = range(FLAGS.random_strings)
    yield "random strings", encoded(random_text(rng) for _ in number)
    yield "random bytes", [random_bytes(rng) for _ in number]
    yield from data_sets().items()


def texts_per_second(run: Callable[[], object], num_texts: int) -> float:
    """Returns the speed of one run."""
    start = time.perf_counter()
    run()
    return num_texts / (time.perf_counter() - start)


def time_roads(path: str, texts: Sequence[bytes]) -> None:
    """Prints texts per second of FullTokenizer and of the graph."""
    lines = [text.decode("utf-8", "ignore") for text in texts]
    warm = FullTokenizer(path)
    graph = _compiled(TextGraph(warm.vocab, True).tokenize)

    def in_python(tokenizer: FullTokenizer) -> None:
        for line in lines:
            tokenizer.encode(line)

    def in_graph(batch_size: int) -> None:
        for start in range(0, len(texts), batch_size):
            graph(tf.constant(texts[start : start + batch_size]))

    in_python(warm)
    in_graph(32)
    speeds: dict[str, list[float]] = {}
    for _ in range(FLAGS.rounds):
        cold = FullTokenizer(path)
        for name, run, argument in (
            ("FullTokenizer, cold", in_python, cold),
            ("FullTokenizer, warm", in_python, warm),
            *((f"graph, batches of {n}", in_graph, n) for n in (1, 32, 256)),
        ):
            speed = texts_per_second(lambda: run(argument), len(texts))  # noqa: B023
            speeds.setdefault(name, []).append(speed)
    chars = sum(map(len, lines)) / len(lines)
    print(f"\n{len(texts)} texts of {chars:.0f} characters, texts per second:")
    for name, rounds in speeds.items():
        print(f"{name:24} {statistics.median(rounds):10,.0f}")


def main(_: list[str]) -> None:
    """Prints the table."""
    checks = make_checks()
    rows = []
    texts: list[bytes] = []
    for name, texts in text_sets():
        counts = [count_differing(check, texts) for check in checks]
        rows.append((name, len(texts), *counts))
        print(*rows[-1], flush=True)
    print()
    print("| texts | how many |", *(f"{check.name} |" for check in checks))
    print("|---|---" + "|---" * len(checks) + "|")
    for name, *counts in rows:
        print(f"| {name} |", *(f"{count:,} |" for count in counts))
    if FLAGS.timed_texts and FLAGS.uncased_vocab_files:
        rng = random.Random(0)
        count = min(FLAGS.timed_texts, len(texts))
        time_roads(FLAGS.uncased_vocab_files[0], rng.sample(texts, count))


if __name__ == "__main__":
    app.run(main)

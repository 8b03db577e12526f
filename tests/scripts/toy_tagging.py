"""A tagging task that a tiny model learns, for the tests of run_ner.py."""

import random

from bert import run_ner as script
from bert.tasks import finetune
from bert.tasks.tagging.finetuning import Tagging
from tests.scripts import runner
from tests.scripts.runner import config_of

LABEL_OF = {
    "boat": "B-THING",
    "lake": "B-THING",
    "river": "B-THING",
    "of": "I-THING",
    "the": "O",
    "in": "O",
    "and": "O",
    "was": "O",
}
LABELS = ["O", "B-THING", "I-THING"]


def sentences(number, seed, longest):
    """Returns random sentences."""
    rng = random.Random(seed)
    return [
        [rng.choice(list(LABEL_OF)) for _ in range(rng.randint(1, longest))]
        for _ in range(number)
    ]


def conll_text(all_words, with_labels=True):
    """Returns the text of a file of these sentences."""
    blocks = []
    for words in all_words:
        columns = (
            [words, [LABEL_OF[w] for w in words]] if with_labels else [words]
        )
        rows = zip(*columns, strict=True)
        blocks.append("".join(" ".join(row) + "\n" for row in rows))
    return "\n".join(blocks)


def model_flags(golden, output_dir):
    """Returns the flags that every command needs."""
    return [
        *runner.model_flags(golden, output_dir),
        "--max_seq_length=16",
        "--random_seed=1",
    ]


def tag(*args):
    """Does what the script does with these flags, in this process."""
    finetune.run(Tagging(config_of(script, *args)))


def read_blocks(path):
    """Returns each sentence of a CoNLL file as a list of its rows."""
    blocks = path.read_text().split("\n\n")
    return [
        [line.split(" ") for line in block.splitlines()]
        for block in blocks
        if block
    ]

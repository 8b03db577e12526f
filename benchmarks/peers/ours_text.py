"""Our tokenizer: words to ids, line by line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import sizes
import worker

from bert.data.text.tokenization import FullTokenizer


def tokenization(cell):
    """Makes ids of a text that it has met before."""
    tokenizer = FullTokenizer(cell["vocab_file"], do_lower_case=True)
    lines = sizes.text_parts(cell)[0]
    for line in lines:
        tokenizer.encode(line)

    def run(times):
        for _ in range(times):
            ids = [tokenizer.encode(line) for line in lines]
        return {"items": sizes.count_words(lines), "answers": ids[:1000]}

    return run


def tokenization_cold(cell):
    """Makes ids of another MB of text each time, nothing remembered."""
    parts = sizes.text_parts(cell)

    def encode(lines):
        tokenizer = FullTokenizer(cell["vocab_file"], do_lower_case=True)
        return lambda: [tokenizer.encode(line) for line in lines]

    return sizes.cold_job(parts, encode)


WORKS = {"tokenization": tokenization, "tokenization_cold": tokenization_cold}

if __name__ == "__main__":
    worker.serve(WORKS, ())

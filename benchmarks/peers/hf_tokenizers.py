"""HF tokenizers (Rust) with BERT's parts, on one thread.

BENCH_ROAD says how: encode (a line a call), encode_batch, or encode_batch_fast
(without offsets); the lines of a batch are all lines. No special tokens.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import sizes
import tokenizers
import worker


def make_encode(cell):
    """Returns a new tokenizer's way from lines to ids."""
    tokenizer = tokenizers.BertWordPieceTokenizer(
        cell["vocab_file"], lowercase=True
    )
    road = os.environ.get("BENCH_ROAD", "encode_batch")
    if road == "encode":
        return lambda lines: [
            tokenizer.encode(line, add_special_tokens=False).ids
            for line in lines
        ]
    # encode_batch_fast is the Rust tokenizer's own.
    encode = getattr(tokenizer._tokenizer, road)
    return lambda lines: [
        encoding.ids for encoding in encode(lines, add_special_tokens=False)
    ]


def tokenization(cell):
    """Makes ids of a text that it has met before."""
    encode = make_encode(cell)
    lines = sizes.text_parts(cell)[0]
    encode(lines)

    def run(times):
        for _ in range(times):
            ids = encode(lines)
        return {"items": sizes.count_words(lines), "answers": ids[:1000]}

    return run


def tokenization_cold(cell):
    """Makes ids of another MB of text each time, by a new tokenizer."""

    def prepare(lines):
        encode = make_encode(cell)
        return lambda: encode(lines)

    return sizes.cold_job(sizes.text_parts(cell), prepare)


WORKS = {"tokenization": tokenization, "tokenization_cold": tokenization_cold}

if __name__ == "__main__":
    worker.serve(WORKS, ("tokenizers",))

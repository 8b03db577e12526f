"""Learns a WordPiece vocabulary by Hugging Face's trainer (Rust).

python hf_vocabulary.py --input_file=TEXT --output_file=VOCAB --vocab_size=8000
"""

import argparse

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers


def main() -> None:
    """Learns pieces, as BERT's tokenizer makes words."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input_file", required=True)
    parser.add_argument("--output_file", required=True)
    parser.add_argument("--vocab_size", type=int, required=True)
    args = parser.parse_args()
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=args.vocab_size,
        min_frequency=2,
        show_progress=False,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    )
    tokenizer.train([args.input_file], trainer)
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    with open(args.output_file, "w", encoding="utf-8") as file:
        file.writelines(f"{piece}\n" for piece, _ in pieces)


if __name__ == "__main__":
    main()

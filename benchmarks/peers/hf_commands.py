"""Commands on Hugging Face transformers, beside our scripts.

python hf_commands.py fine_tune|features|fill_mask|one_line FLAGS
"""

import argparse
import json
import sys
from pathlib import Path


def main() -> None:
    """Does what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("--model", required=True, help="6x384, or a folder")
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--data_dir")
    parser.add_argument("--max_seq_length", type=int, default=128)
    parser.add_argument("--num_train_epochs", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", default="-1,-2,-3,-4")
    parser.add_argument("--input_file")
    parser.add_argument("--output_file")
    args = parser.parse_args()
    COMMANDS[args.command](args)


def fine_tune(args) -> None:
    """Fine-tunes on MRPC and evaluates."""
    import hf_data

    figures = hf_data.fine_tune(
        args.data_dir,
        args.vocab_file,
        args.model,
        args.max_seq_length,
        args.num_train_epochs,
        args.seed,
    )
    text = "".join(f"{name} = {value}\n" for name, value in figures.items())
    if args.output_file:
        Path(args.output_file).write_text(text)
    else:
        print(text, end="")


def features(args) -> None:
    """Writes layers of each token, as JSON lines."""
    import hf_data
    import sizes
    import torch
    import transformers

    tokenizer = hf_data.make_tokenizer(args.vocab_file)
    config = transformers.BertConfig(**sizes.model(args.model).config())
    model = transformers.BertModel(config).eval()
    with open(args.input_file, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    with open(args.output_file, "w") as file, torch.inference_mode():
        for start in range(0, len(lines), 32):
            batch = tokenizer(
                lines[start : start + 32],
                truncation=True,
                max_length=args.max_seq_length,
                padding=True,
                return_tensors="pt",
            )
            hidden = model(**batch, output_hidden_states=True).hidden_states
            layers = [
                hidden[int(index)].numpy() for index in args.layers.split(",")
            ]
            for row, ids in enumerate(batch["input_ids"].tolist()):
                count = int(batch["attention_mask"][row].sum())
                tokens = tokenizer.convert_ids_to_tokens(ids[:count])
                values = [
                    {
                        "token": token,
                        "layers": [
                            [round(x, 6) for x in layer[row, i].tolist()]
                            for layer in layers
                        ],
                    }
                    for i, token in enumerate(tokens)
                ]
                line = {"linex_index": start + row, "features": values}
                file.write(json.dumps(line) + "\n")


def fill_mask(args) -> None:
    """Writes the five likeliest words of each [MASK], as JSON lines."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    model = transformers.AutoModelForMaskedLM.from_pretrained(args.model)
    with (
        open(args.input_file, encoding="utf-8") as lines,
        open(args.output_file, "w") as file,
        torch.inference_mode(),
    ):
        for line in lines:
            row = tokenizer(line.strip(), return_tensors="pt")
            places = row["input_ids"][0] == tokenizer.mask_token_id
            found = model(**row).logits[0, places].softmax(-1).topk(5)
            masks = []
            values, indices = found.values.tolist(), found.indices.tolist()
            for ids, likely in zip(indices, values, strict=True):
                tokens = tokenizer.convert_ids_to_tokens(ids)
                pairs = zip(tokens, likely, strict=True)
                masks.append(
                    [{"token": one, "probability": p} for one, p in pairs]
                )
            file.write(json.dumps({"masks": masks}) + "\n")


def one_line(args) -> None:
    """Answers a line of standard input."""
    import hf_data
    import torch

    tokenizer = hf_data.make_tokenizer(args.vocab_file)
    model = hf_data.make_model("classification", args.model).eval()
    with torch.inference_mode():
        batch = tokenizer(sys.stdin.readline(), return_tensors="pt")
        print(model(**batch).logits.softmax(-1).tolist())


COMMANDS = {
    "fine_tune": fine_tune,
    "features": features,
    "fill_mask": fill_mask,
    "one_line": one_line,
}

if __name__ == "__main__":
    main()

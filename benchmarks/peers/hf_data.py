"""Hugging Face's way to MRPC and SQuAD: tokenizer, batches, training.

Rows are padded to max_seq_length, as run_glue.py and run_qa.py do by default
(BENCH_PADDING=max_length), or to the longest of the batch (longest).
"""

import csv
import json
import os

import sizes
import torch
import transformers

_ROWS = 32


def make_tokenizer(vocab_file):
    """Returns BERT's tokenizer of a vocabulary file."""
    return transformers.BertTokenizerFast(vocab_file=vocab_file)


def read_mrpc(data_dir, name):
    """Returns sentence pairs and labels (0 in the test set)."""
    path = os.path.join(data_dir, "glue", "MRPC", f"{name}.tsv")
    with open(path, encoding="utf-8-sig") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    pairs = [(row[3], row[4]) for row in rows[1:]]
    labels = [0 if name == "test" else int(row[0]) for row in rows[1:]]
    return pairs, labels


def read_squad(path, limit):
    """Returns questions and their paragraphs."""
    with open(path, encoding="utf-8") as file:
        articles = json.load(file)["data"]
    found = [
        (asked["question"].strip(), paragraph["context"])
        for article in articles
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]
    return found[:: max(1, len(found) // (limit or 10**9))]


def batches(encoded, rows, tokenizer, length, order=None):
    """Yields batches of tensors, padded as BENCH_PADDING says."""
    padding = os.environ.get("BENCH_PADDING", "max_length")
    count = len(encoded["input_ids"])
    order = list(range(count)) if order is None else order
    for start in range(0, count, rows):
        chosen = order[start : start + rows]
        yield tokenizer.pad(
            {
                name: [encoded[name][i] for i in chosen]
                for name in ("input_ids", "attention_mask", "token_type_ids")
            },
            padding=padding,
            max_length=length,
            return_tensors="pt",
        )


def make_model(kind, name, seed=1):
    """Returns a model; kind: classification or squad.

    `name` is a size such as 6x384, for random weights, or the folder of a
    pre-trained model, whose head starts at random.
    """
    torch.manual_seed(seed)
    model = {
        "classification": transformers.BertForSequenceClassification,
        "squad": transformers.BertForQuestionAnswering,
    }[kind]
    if os.path.isdir(name):
        return model.from_pretrained(name, num_labels=sizes.NUM_LABELS)
    config = sizes.model(name).config()
    return model(transformers.BertConfig(**config, num_labels=sizes.NUM_LABELS))


def mrpc(cell):
    """Makes the probabilities of MRPC's test set."""
    tokenizer = make_tokenizer(cell["vocab_file"])
    pairs, _ = read_mrpc(cell["data_dir"], "test")
    encoded = tokenizer(
        *zip(*pairs, strict=True), truncation=True, max_length=cell["length"]
    )
    model = make_model("classification", cell["model"]).eval()
    return _predict(model, encoded, tokenizer, cell, len(pairs))


def squad(cell):
    """Makes the logits of SQuAD's dev set; no answers are chosen."""
    tokenizer = make_tokenizer(cell["vocab_file"])
    path = os.path.join(cell["data_dir"], "squad", "dev-v1.1.json")
    asked = read_squad(path, cell["limit"])
    encoded = tokenizer(
        *zip(*asked, strict=True),
        truncation="only_second",
        max_length=cell["length"],
        stride=128,
        return_overflowing_tokens=True,
    )
    model = make_model("squad", cell["model"]).eval()
    return _predict(model, encoded, tokenizer, cell, len(asked))


def _predict(model, encoded, tokenizer, cell, items):
    def run(times):
        with torch.inference_mode():
            for _ in range(times):
                for batch in batches(
                    encoded, cell["rows"], tokenizer, cell["length"]
                ):
                    outputs = model(**batch)
                    [value.numpy() for value in outputs.to_tuple()]
        return {"items": items}

    return run


def latency(cell):
    """Makes the probabilities of one text."""
    tokenizer = make_tokenizer(cell["vocab_file"])
    model = make_model("classification", cell["model"]).eval()
    texts = sizes.texts(cell)

    def run(times):
        with torch.inference_mode():
            for _ in range(times):
                batch = tokenizer(next(texts), return_tensors="pt")
                model(**batch).logits.softmax(-1).tolist()

    return run


def fine_tune(data_dir, vocab_file, name, length, epochs, seed=1):
    """Fine-tunes on MRPC; returns accuracy and F1 of the dev set.

    As run_glue.py does: batches of 32 in random order, AdamW (fused; biases and
    LayerNorm do not decay), linear decay after a tenth of warm-up, clipping to
    norm 1; batches of 32 for evaluation.
    """
    tokenizer = make_tokenizer(vocab_file)
    sets = {}
    for part in ("train", "dev"):
        pairs, labels = read_mrpc(data_dir, part)
        encoded = tokenizer(
            *zip(*pairs, strict=True), truncation=True, max_length=length
        )
        sets[part] = encoded, torch.tensor(labels)
    encoded, labels = sets["train"]
    steps = int(len(labels) / _ROWS * epochs)
    model = make_model("classification", name, seed).train()
    groups = {True: [], False: []}
    for key, weight in model.named_parameters():
        groups[not key.endswith("bias") and "LayerNorm" not in key].append(
            weight
        )
    optimizer = torch.optim.AdamW(
        [
            {"params": groups[True], "weight_decay": 0.01},
            {"params": groups[False], "weight_decay": 0.0},
        ],
        lr=5e-5,
        fused=True,
    )
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, steps // 10, steps
    )
    done = 0
    while done < steps:
        order = torch.randperm(len(labels)).tolist()
        for start, batch in zip(
            range(0, len(labels), _ROWS),
            batches(encoded, _ROWS, tokenizer, length, order),
            strict=True,
        ):
            if done == steps:
                break
            chosen = labels[order[start : start + _ROWS]]
            model(**batch, labels=chosen).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            done += 1
    encoded, labels = sets["dev"]
    model.eval()
    with torch.inference_mode():
        found = torch.cat(
            [
                model(**batch).logits.argmax(-1)
                for batch in batches(encoded, _ROWS, tokenizer, length)
            ]
        )
    right = found == labels
    both = int((right & (labels == 1)).sum())
    return {
        "eval_accuracy": float(right.float().mean()),
        "f1": 2 * both / max(1, int(found.sum() + labels.sum())),
    }

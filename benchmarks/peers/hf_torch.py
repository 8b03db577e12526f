"""Hugging Face transformers on PyTorch, as its users run it.

Random weights from a configuration, attention as it is by default (sdpa), all
threads. A step: model.train(), forward with labels, backward, clip_grad_norm_,
AdamW (fused, as Trainer's default is) and zero_grad. A forward pass:
model.eval() under inference_mode.
"""

import hf_data
import sizes
import torch
import transformers
import worker

SQUARE = 2048


def make_model(cell):
    """Returns a cell's model with random weights."""
    config = transformers.BertConfig(
        **sizes.model(cell["model"]).config(), num_labels=sizes.NUM_LABELS
    )
    torch.manual_seed(1)
    if cell["head"] == "pretraining":
        return transformers.BertForPreTraining(config)
    return transformers.BertForSequenceClassification(config)


def make_batch(cell):
    """Returns a cell's batch by the model's names."""
    batch = {
        name: torch.from_numpy(values)
        for name, values in sizes.make_batch(cell).items()
    }
    inputs = {
        "input_ids": batch["input_ids"].long(),
        "attention_mask": batch["input_mask"].long(),
        "token_type_ids": batch["segment_ids"].long(),
    }
    if cell["work"] == "forward":
        return inputs
    if cell["head"] == "classifier":
        return inputs | {"labels": batch["label_ids"][:, 0].long()}
    labels = torch.full(inputs["input_ids"].shape, -100)
    labels.scatter_(
        1, batch["masked_lm_positions"].long(), batch["masked_lm_ids"].long()
    )
    return inputs | {
        "labels": labels,
        "next_sentence_label": batch["next_sentence_labels"][:, 0].long(),
    }


def train_step(cell):
    """Makes a training step."""
    model = make_model(cell).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    batch = make_batch(cell)

    def job(times):
        for _ in range(times):
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return {"loss": loss.item()}

    return job


def forward(cell):
    """Makes a forward pass to probabilities."""
    model = make_model(cell).eval()
    batch = make_batch(cell)

    def job(times):
        with torch.inference_mode():
            for _ in range(times):
                model(**batch).logits.softmax(-1).numpy()

    return job


def peak(cell):
    """Makes the product of two large square matrices."""
    del cell
    left, right = torch.randn(2, SQUARE, SQUARE)

    def job(times):
        for _ in range(times):
            torch.matmul(left, right)

    return job


WORKS = {
    "train_step": train_step,
    "forward": forward,
    "peak": peak,
    "predict_mrpc": hf_data.mrpc,
    "predict_squad": hf_data.squad,
    "latency": hf_data.latency,
}

if __name__ == "__main__":
    worker.serve(WORKS, ("torch", "transformers", "tokenizers"))

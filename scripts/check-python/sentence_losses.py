"""Trains the models of DIR with sentence-transformers as cases.json says and compares the loss of every update: `python sentence_losses.py DIR`.

Each case has `model`, `loss` with its options, `rows` of texts and labels, `batchSize` and Bertha's `losses`; no dropout, rows in their order, AdamW with a
linear schedule, decay 0.01 (not of biases and LayerNorm), clipping at 1.
"""
import json
import sys
from pathlib import Path

import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer, losses

transformers.logging.set_verbosity_error()
TOLERANCE = 1e-4  # of a loss, relative to max(1, loss)


def loss_of(model, case):
    options = case["options"]
    kind = {
        "MultipleNegativesRanking": lambda: losses.MultipleNegativesRankingLoss(model, scale=options.get("scale", 20.0)),
        "SimCSE": lambda: losses.MultipleNegativesRankingLoss(model, scale=options.get("scale", 20.0)),
        "CosineSimilarity": lambda: losses.CosineSimilarityLoss(model),
        "CoSENT": lambda: losses.CoSENTLoss(model, scale=options.get("scale", 20.0)),
        "Triplet": lambda: losses.TripletLoss(model, triplet_margin=options.get("margin", 5)),
        "MSE": lambda: losses.MSELoss(model),
    }
    loss = kind[case["loss"]]()
    if "matryoshkaDims" not in options:
        return loss
    return losses.MatryoshkaLoss(model, loss, options["matryoshkaDims"], options.get("matryoshkaWeights"))


failed = 0
for case in json.loads((Path(sys.argv[1]) / "cases.json").read_text()):
    model = SentenceTransformer(case["model"], device="cpu")
    model.train()
    loss = loss_of(model, case)
    names = {name for name, _ in model.named_parameters() if "bias" in name or "LayerNorm" in name}
    groups = [
        {"params": [p for n, p in model.named_parameters() if n not in names], "weight_decay": 0.01},
        {"params": [p for n, p in model.named_parameters() if n in names], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=case["learningRate"])
    steps = len(case["losses"])
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 0, steps)
    size, rows, found = case["batchSize"], case["rows"], []
    for step in range(steps):
        begin = step * size % len(rows)
        batch = rows[begin : begin + size]
        columns = list(zip(*(row["texts"] for row in batch)))
        columns = columns * 2 if case["loss"] == "SimCSE" else columns
        labels = torch.tensor([row["label"] for row in batch]) if "label" in batch[0] else None
        value = loss([model.preprocess(list(column)) for column in columns], labels)
        value.backward()
        found.append(value.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    worst = max(abs(a - b) / max(1, abs(a)) for a, b in zip(found, case["losses"], strict=True))
    failed += worst > TOLERANCE
    print(f"{'ok    ' if worst <= TOLERANCE else 'FAILED'} {case['name']}: {steps} updates, {found[0]:.4f} to {found[-1]:.4f}, losses within {worst:.1e}")
print(f"{failed} failed with sentence-transformers {sentence_transformers.__version__}")
sys.exit(1 if failed else 0)

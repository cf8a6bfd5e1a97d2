"""PyTorch's side of `npm run bench:training`: answers each line of JSON with one.

{"do": "load", "directory": DIR, "task": "text-classification" | "fill-mask",
 "precision": "fp32" | "bf16", "threads": N}                                     -> {"name", "version"}
{"do": "step", "batches": [[[id, ...], ...], ...], "masked": the same shape}     -> {"seconds", "losses"}
{"do": "memory"}                                                                 -> {"peakBytes"}

A step is what a training loop does for one batch: padding to the longest text, forward with dropout, cross entropy, backward, clipping
at 1, AdamW (fused), gradients set to none. bf16 is autocast over float32 weights. Labels are i mod 2; with "masked", positions of each text,
[MASK] takes the place of the tokens there and the model predicts these: transformers computes the vocabulary for every row.
"""

import json
import os
import resource
import sys
import time

import torch
import transformers
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

transformers.logging.set_verbosity_error()
state = {}
MASK = 103


def load(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(0)
    classifies = request["task"] == "text-classification"
    loader, more = (AutoModelForSequenceClassification, {"num_labels": 2}) if classifies else (AutoModelForMaskedLM, {})
    model = loader.from_pretrained(request["directory"], attn_implementation="sdpa", **more)
    model.train()
    state.update(model=model, bf16=request["precision"] == "bf16")
    state["optimizer"] = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.01, fused=True)
    return {"name": "PyTorch", "version": f"{torch.__version__}, transformers {transformers.__version__}"}


def step(request):
    model, optimizer = state["model"], state["optimizer"]
    losses = []
    start = time.perf_counter()
    for at, texts in enumerate(request["batches"]):
        longest = max(map(len, texts))
        ids = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
        mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
        if "masked" in request:
            labels = torch.full_like(ids, -100)
            for i, positions in enumerate(request["masked"][at]):
                labels[i, positions] = ids[i, positions]
                ids[i, positions] = MASK
        else:
            labels = torch.tensor([i % 2 for i in range(len(texts))])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=state["bf16"]):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    return {"seconds": time.perf_counter() - start, "losses": losses}


def memory(_):
    return {"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


os.environ["HF_HUB_OFFLINE"] = "1"
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"load": load, "step": step, "memory": memory}[request["do"]](request)
    except Exception as error:  # the bench prints it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

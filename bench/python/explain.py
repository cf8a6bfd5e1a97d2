"""PyTorch's side of `npm run bench:explain`: answers each line of JSON with one.

{"do": "load", "directory": DIR, "threads": N}              -> {"name", "version"}
{"do": "explain", "ids": [id, ...], "steps": N}             -> {"seconds"}
{"do": "captum", "ids": [id, ...], "steps": N}              -> {"seconds"}, or an error where captum is not installed

Integrated gradients of the second logit with respect to the rows of the word table, Gauss-Legendre nodes, 16 steps a batch, from rows of [PAD]. `captum` is
LayerIntegratedGradients on the word table.
"""

import json
import os
import sys
import time

import numpy as np
import torch
import transformers
from transformers import AutoModelForSequenceClassification

transformers.logging.set_verbosity_error()
state = {}
BATCH = 16


def load(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(request["directory"], attn_implementation="sdpa", num_labels=2)
    model.eval()
    for weight in model.parameters():
        weight.requires_grad_(False)
    state["model"] = model
    return {"name": "PyTorch", "version": f"{torch.__version__}, transformers {transformers.__version__}"}


def baseline(ids):
    other = torch.zeros_like(ids)
    other[:, 0], other[:, -1] = ids[:, 0], ids[:, -1]
    return other


def explain(request):
    model = state["model"]
    table = model.get_input_embeddings()
    ids = torch.tensor([request["ids"]])
    start = time.perf_counter()
    x, other = table(ids), table(baseline(ids))
    nodes, weights = np.polynomial.legendre.leggauss(request["steps"])
    total = torch.zeros_like(x[0], dtype=torch.float64)
    for first in range(0, len(nodes), BATCH):
        part = torch.tensor((nodes[first : first + BATCH] + 1) / 2, dtype=torch.float32)[:, None, None]
        rows = (other + part * (x - other)).requires_grad_(True)
        logits = model(inputs_embeds=rows).logits
        (gradient,) = torch.autograd.grad(logits[:, 1].sum(), rows)
        share = torch.tensor(weights[first : first + BATCH] / 2)[:, None, None]
        total += (share * gradient * (x - other)).sum(0)
    total.sum(-1).tolist()
    return {"seconds": time.perf_counter() - start}


def captum(request):
    from captum.attr import LayerIntegratedGradients

    model = state["model"]
    table = model.get_input_embeddings()
    table.weight.requires_grad_(True)
    ids = torch.tensor([request["ids"]])
    start = time.perf_counter()
    method = LayerIntegratedGradients(lambda given: model(input_ids=given).logits[:, 1], table)
    values = method.attribute(ids, baselines=baseline(ids), n_steps=request["steps"], method="gausslegendre", internal_batch_size=BATCH)
    values.sum(-1).tolist()
    return {"seconds": time.perf_counter() - start}


os.environ["HF_HUB_OFFLINE"] = "1"
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"load": load, "explain": explain, "captum": captum}[request["do"]](request)
    except Exception as error:  # the bench prints it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

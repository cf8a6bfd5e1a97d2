#!/usr/bin/env python3
"""Makes gradients/: d(loss)/d(tensor) of one step of models of tiny/, in float64, dropout off, and what PyTorch's bfloat16 autocast is off by.

    python make_gradients.py                with torch 2.13.0 and transformers 5.24.0
    python make_gradients.py --rounding DIR prints what autocast is off by, for the cases of another folder in the layout of gradients/
"""
import copy
import json
import math
import random
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import BartForConditionalGeneration, BertGenerationDecoder, EncoderDecoderModel, MarianMTModel

here = Path(__file__).parent
classes = {"EncoderDecoderModel": EncoderDecoderModel, "MarianMTModel": MarianMTModel, "BartForConditionalGeneration": BartForConditionalGeneration,
           "BertGenerationDecoder": BertGenerationDecoder}


def load(folder):
    config = json.loads((folder / "config.json").read_text())
    model = classes[config["architectures"][0]].from_pretrained(folder, dtype=torch.float64).eval()
    return model, "decoder" in config or config.get("is_encoder_decoder", False)


def loss_of(model, behind_encoder, case):
    total = 0.0
    for item in case["items"]:
        labels = item["labels"]
        if behind_encoder:
            shifted = [case["decoder_start_token_id"]] + [case["pad_token_id"] if t == -100 else t for t in labels[:-1]]
            logits = model(input_ids=torch.tensor([item["input_ids"]]), decoder_input_ids=torch.tensor([shifted]), use_cache=False).logits[0]
        else:
            logits = model(input_ids=torch.tensor([item["input_ids"]]), use_cache=False).logits[0]
        if logits.dtype == torch.bfloat16:
            logits = logits.float()
        total = total + F.cross_entropy(logits, torch.tensor(labels), ignore_index=-100, label_smoothing=case["label_smoothing"], reduction="sum")
    return total / case["num_items"]


def gradients(model, loss):
    model.zero_grad(set_to_none=True)
    value = loss()
    value.backward()
    return value.item(), {n: p.grad.detach().clone() for n, p in model.named_parameters() if p.grad is not None}


def differences(actual, expected):
    norms = {n: (float((actual[n].double() - e.double()).norm()), float(e.double().norm())) for n, e in expected.items()}
    total = math.hypot(*(norm for _, norm in norms.values()))
    return math.hypot(*(off for off, _ in norms.values())) / total, max(off / (norm + 1e-3 * total) for off, norm in norms.values())


def rounding(model, behind_encoder, case, expected):
    single = copy.deepcopy(model).float()

    def loss():
        with torch.autocast("cpu", torch.bfloat16):
            return loss_of(single, behind_encoder, case)

    value, grads = gradients(single, loss)
    return {"bfloat16_loss": abs(value - case["loss"]), **dict(zip(("bfloat16_global", "bfloat16_worst"), differences(grads, expected)))}


if len(sys.argv) > 1:
    folder = Path(sys.argv[2])
    for case in json.loads((folder / "cases.json").read_text())["cases"]:
        model, behind_encoder = load(folder / case["model"])
        print(case["case"], rounding(model, behind_encoder, case, load_file(folder / f"{case['case']}.safetensors")))
    sys.exit()

out = here / "gradients"
out.mkdir(exist_ok=True)
cases = []
for name, smoothing in (("roberta2roberta", 0.1), ("bert2bert-projected", 0.0), ("marian-separate", 0.1), ("bart", 0.0), ("bertgen-lm", 0.0)):
    model, behind_encoder = load(here / "tiny" / name)
    for table, tensor in model.named_parameters():  # sines, which from_pretrained makes a parameter where they are not stored
        if name.startswith("marian") and "embed_positions" in table:
            tensor.requires_grad_(False)
    config = model.config
    target = config.get_text_config(decoder=True) if name != "bart" else config
    source_vocab = getattr(config, "encoder", config).vocab_size
    vocab = getattr(target, "decoder_vocab_size", None) or target.vocab_size
    pad = config.pad_token_id if config.pad_token_id is not None else target.pad_token_id
    start = getattr(config, "decoder_start_token_id", None)
    rng = random.Random(name)
    items = []
    for source, length in ((9, 6), (1, 3), (20, 1), (4, 17)):
        ids = [rng.randrange(5, source_vocab) for _ in range(source if behind_encoder else length)]
        labels = [rng.randrange(5, vocab) for _ in range(length)] if behind_encoder else [*ids[1:], -100]
        items.append({"input_ids": ids, "labels": labels})
    items[3]["labels"][4] = -100  # does not count; its word is read as the padding token by the next position
    assert start is not None or not behind_encoder, "an id that decoders start with"
    case = {"case": name, "model": f"../tiny/{name}", "task": "seq2seq" if behind_encoder else "causal-lm", "label_smoothing": smoothing,
            "decoder_start_token_id": start, "pad_token_id": pad, "items": items, "num_items": sum(t != -100 for i in items for t in i["labels"])}
    case["loss"], grads = gradients(model, lambda: loss_of(model, behind_encoder, case))
    case["grad_norm"] = math.sqrt(sum(float(g.pow(2).sum()) for g in grads.values()))
    case |= rounding(model, behind_encoder, case, grads)
    save_file({n: g.float().contiguous() for n, g in grads.items()}, out / f"{name}.safetensors")
    cases.append(case)
    print(name, case["loss"], case["grad_norm"], case["bfloat16_global"], case["bfloat16_worst"], len(grads))
(out / "cases.json").write_text(json.dumps({"cases": cases}) + "\n")

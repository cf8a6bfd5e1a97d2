"""How far 16-bit formats alone take the tiny golden models from float64, by what is rounded; all arithmetic is float64.

  python3 scripts/cuda/rounding-floor.py [bf16 | fp16]      needs torch, transformers and safetensors

weights   matrices and tables
operands  the same, and the input of every product
storage   the same, and all that the CUDA backend keeps in 16 bits: query, key and value, sums of residuals, LayerNorm's results
torch     PyTorch's own arithmetic in the format
A line a model: the worst relative error |actual - expected| / |expected| of its texts, and 1 - the least cosine.
"""
import glob
import json
import os
import sys

import torch
import transformers
from transformers import AutoModel

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "tiny")
PROJECTIONS = ("query", "key", "value", "q_lin", "k_lin", "v_lin", "attn.q", "attn.k", "attn.v")


def rounded(x, dtype):
    return x.to(torch.float32).to(dtype).to(torch.float64)


def load(path, dtype=torch.float64):
    return AutoModel.from_pretrained(path, dtype=dtype, attn_implementation="eager").eval()


def round_model(model, dtype, what):
    for name, module in model.named_modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Embedding)):
            module.weight.data = rounded(module.weight.data, dtype)
        round_input = lambda _, inputs: (rounded(inputs[0], dtype), *inputs[1:])
        round_output = lambda _, inputs, output: rounded(output, dtype)
        is_linear, is_norm = isinstance(module, torch.nn.Linear), isinstance(module, torch.nn.LayerNorm)
        if (is_linear and what != "weights") or (is_norm and what == "storage"):
            module.register_forward_pre_hook(round_input)
        if what == "storage" and (is_norm or (is_linear and name.endswith(PROJECTIONS))):
            module.register_forward_hook(round_output)
    return model


def hidden_states(model, sequences):
    with torch.inference_mode():
        for sequence in sequences:
            inputs = {"input_ids": torch.tensor([sequence["input_ids"]])}
            if "token_type_ids" in sequence and model.config.model_type in ("bert", "electra"):
                inputs["token_type_ids"] = torch.tensor([sequence["token_type_ids"]])
            yield model(**inputs).last_hidden_state[0].double().flatten()


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    dtype = torch.float16 if sys.argv[1:] == ["fp16"] else torch.bfloat16
    worst = {}
    for path in sorted(glob.glob(os.path.join(GOLDEN, "*"))):
        with open(os.path.join(path, "cases.json"), encoding="utf8") as file:
            sequences = [sequence for case in json.load(file)["cases"] for sequence in case["sequences"]]
        expected = list(hidden_states(load(path), sequences))
        models = {what: round_model(load(path), dtype, what) for what in ("weights", "operands", "storage")}
        line = []
        for what, model in {**models, "torch": load(path, dtype)}.items():
            pairs = list(zip(hidden_states(model, sequences), expected))
            error = max(float((a - e).norm() / e.norm()) for a, e in pairs)
            cosine = max(1 - float(torch.dot(a, e) / (a.norm() * e.norm())) for a, e in pairs)
            line.append(f"{what} {error:.1e} {cosine:.0e}")
            worst.setdefault(what, []).append(error)
        print(f"{os.path.basename(path):34} {'  '.join(line)}", flush=True)
    for what, errors in worst.items():
        ordered = sorted(errors)
        print(f"{what:9} worst {ordered[-1]:.2e}, median {ordered[len(ordered) // 2]:.2e}, above 1e-2: {sum(e >= 1e-2 for e in errors)} of {len(errors)}")


main()

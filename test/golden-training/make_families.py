#!/usr/bin/env python3
"""Gradients of the families after BERT: a tiny random model of each, by PyTorch in float64, one sequence at a time, without padding.

    python make_families.py --out DIR [--seed N] [--only NAME,...] [--adapters NAME,...]

DIR/gradients and DIR/lora. pip install torch==2.13.0 transformers==5.24.0 safetensors==0.8.0 peft==0.21.0
"""
import argparse
import copy
import json
import math
import random
import string
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.models.deberta import modeling_deberta
from transformers.models.deberta_v2 import modeling_deberta_v2
from transformers.models.gte import modeling_gte
from transformers.models.modernbert import modeling_modernbert
from transformers.models.nomic_bert import modeling_nomic_bert

torch.set_num_threads(1)
F = torch.nn.functional
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(string.ascii_lowercase + string.digits + ".,!?'-")
PAD, CLS, SEP, MASK = 0, 2, 3, 4


def exact_rotary(self, x, position_ids, layer_type=None):
    """Angles in float32, as every library computes them; cosine and sine in float64."""
    inv_freq = getattr(self, f"{layer_type}_inv_freq") if layer_type else self.inv_freq
    angles = (position_ids[..., None].float() * inv_freq.float()).double()
    both = torch.cat((angles, angles), dim=-1)
    return both.cos().to(x.dtype), both.sin().to(x.dtype)


def exact_apply_rotary(q, k, cos, sin, unsqueeze_dim=1):
    cos, sin, rotate = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim), modeling_modernbert.rotate_half
    return q * cos + rotate(q) * sin, k * cos + rotate(k) * sin


def exact_attention(module, query, key, value, attention_mask, scaling, dropout=0.0, **_):
    scores = query @ key.transpose(2, 3) * scaling
    weights = (scores if attention_mask is None else scores + attention_mask).softmax(-1)
    return (weights @ value).transpose(1, 2).contiguous(), weights


class Torch:
    """torch, with a smallest number that bfloat16 can hold too: autocast fills DeBERTa's scores with it."""

    def __getattr__(self, name):
        return getattr(torch, name)

    def finfo(self, _):
        return torch.finfo(torch.bfloat16)


modeling_deberta.torch = Torch()
modeling_modernbert.ModernBertRotaryEmbedding.forward = exact_rotary
modeling_modernbert.apply_rotary_pos_emb = exact_apply_rotary
modeling_modernbert.eager_attention_forward = exact_attention
modeling_nomic_bert.NomicBertRotaryEmbedding.forward = modeling_gte.GteRotaryEmbedding.forward = exact_rotary
modeling_deberta.DebertaLayerNorm.forward = lambda self, x: F.layer_norm(x, (x.shape[-1],), self.weight, self.bias, self.variance_epsilon)
modeling_deberta.scaled_size_sqrt = modeling_deberta_v2.scaled_size_sqrt = lambda q, factor: torch.sqrt(torch.tensor(q.size(-1), dtype=torch.float64) * factor)

COMMON = {"vocab_size": len(VOCAB), "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 21, "max_position_embeddings": 32, "pad_token_id": PAD}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
DEBERTA = {**NO_DROPOUT, "relative_attention": True, "position_biased_input": False, "type_vocab_size": 0, "pos_att_type": ["p2c", "c2p"], "layer_norm_eps": 1e-7}
MODERN = {"attention_dropout": 0.0, "local_attention": 4, "num_hidden_layers": 4, "cls_token_id": CLS, "sep_token_id": SEP, "bos_token_id": CLS, "eos_token_id": SEP}
# name: class, configuration, task
CASES = {
    "roberta-sequence-classification": ("RobertaForSequenceClassification", {**NO_DROPOUT, "type_vocab_size": 1}, "labels"),
    "albert-mlm": ("AlbertForMaskedLM", {**NO_DROPOUT, "embedding_size": 7, "num_hidden_layers": 3}, "masks"),
    "albert-groups": ("AlbertForSequenceClassification", {**NO_DROPOUT, "embedding_size": 7, "num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2, "classifier_dropout_prob": 0.0}, "labels"),
    "modernbert-sequence-classification": ("ModernBertForSequenceClassification", {**MODERN, "classifier_pooling": "mean"}, "labels"),
    "modernbert-mlm": ("ModernBertForMaskedLM", MODERN, "masks"),
    "nomic-sequence-classification": ("NomicBertForSequenceClassification", {**NO_DROPOUT, "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0}}, "labels"),
    "gte-sequence-classification": ("GteForSequenceClassification", {**NO_DROPOUT, "type_vocab_size": 1}, "labels"),
    "deberta-v3-sequence-classification": ("DebertaV2ForSequenceClassification", {**DEBERTA, "position_buckets": 6, "share_att_key": True, "norm_rel_ebd": "layer_norm", "max_relative_positions": 20}, "labels"),
    "deberta-v2-sequence-classification": ("DebertaV2ForSequenceClassification", {**DEBERTA, "share_att_key": False, "max_relative_positions": 8}, "labels"),
    "deberta-v2-conv-mlm": ("DebertaV2ForMaskedLM", {**DEBERTA, "legacy": False, "conv_kernel_size": 3, "conv_act": "gelu", "position_buckets": 4, "pos_att_type": ["p2c"], "position_biased_input": True}, "masks"),
    "deberta-mlm": ("DebertaForMaskedLM", {**DEBERTA, "embedding_size": 7, "type_vocab_size": 2, "pos_att_type": ["c2p"]}, "masks"),
    "deberta-sequence-classification": ("DebertaForSequenceClassification", {**DEBERTA, "max_relative_positions": 8}, "labels"),
}
# Of a case: LoRA of modules that several products of a layer read, or that are read in another order of rows.
ADAPTERS = {"deberta-sequence-classification": ["in_proj"], "deberta-v3-sequence-classification": ["query_proj", "value_proj"]}


def draw(generator, name, shape):
    """Weights that make mistakes visible: uneven attention, biases and norms far from 0 and 1."""
    normal = torch.randn(shape, generator=generator, dtype=torch.float64)
    if len(shape) == 1:
        is_norm = "norm" in name.lower().split(".")[-2] or "emb_ln" in name
        return 1 + 0.2 * normal.clamp(-2, 2) if is_norm and name.endswith("weight") else 0.2 * normal
    return normal * (0.3 if "embeddings" in name else min(0.4, 1.2 / math.sqrt(shape[1])))


def sequences(rng, task):
    made = []
    for length in (1, 3, 13, 19):
        ids = [CLS] + [rng.randrange(5, len(VOCAB)) for _ in range(length - 2)] + [SEP] * (length > 1)
        if length == 13:
            ids[5] = PAD  # a word of the text for all models; RoBERTa does not count it
        each = {"input_ids": ids}
        if task == "masks":
            chosen = {i for i in range(1, length - 1) if rng.random() < 0.4} | ({1} if length > 2 else set())
            each["labels"] = [ids[i] if i in chosen else -100 for i in range(length)]
            each["input_ids"] = [MASK if i in chosen else token for i, token in enumerate(ids)]
        made.append(each)
    return made


def gradients(model, batch, task):
    """The loss, and each parameter's gradient."""
    logits = [model(input_ids=torch.tensor([s["input_ids"]])).logits[0] for s in batch["sequences"]]
    labels = batch["labels"] if task == "labels" else [label for s in batch["sequences"] for label in s["labels"]]
    rows = (torch.stack if task == "labels" else torch.cat)(logits)
    loss = F.cross_entropy(rows.float() if rows.dtype == torch.bfloat16 else rows, torch.tensor(labels))
    loss.backward()
    return loss.item(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def decayed(model):
    arguments = transformers.TrainingArguments(output_dir=tempfile.gettempdir(), report_to="none", use_cpu=True)
    return sorted(transformers.Trainer(model=model, args=arguments).get_decay_parameter_names(model))


def as_stored(model, grads):
    """Gradients under the names of files, and which of these are matrices, to which decay applies."""
    with torch.no_grad():
        for n, parameter in model.named_parameters():
            parameter.copy_(grads[n])
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        stored = load_file(f"{folder}/model.safetensors")
    return stored, sorted(n for n, g in stored.items() if g.dim() > 1)


def make_model(name, seed):
    """The model in float64, and its batch."""
    class_name, extra, task = CASES[name]
    cls = getattr(transformers, class_name)
    config = cls.config_class(**{**COMMON, "attn_implementation": "eager", **extra, **({"num_labels": 3} if task == "labels" else {})})
    model = cls(config).double()
    generator, rng = torch.Generator().manual_seed(seed), random.Random(f"{seed}/{name}")
    with torch.no_grad():
        for n, parameter in sorted(model.named_parameters()):
            parameter.copy_(draw(generator, n, tuple(parameter.shape)).float().double())
    batch = {"sequences": sequences(rng, task)}
    if task == "labels":
        batch["labels"] = [rng.randrange(3) for _ in batch["sequences"]]
    return model, batch


def write_model(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model.float().save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "tokenizer_class": "BertTokenizer", "model_max_length": 30}) + "\n")


def write_case(folder, case):
    (folder / "case.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in case.items()) + "\n}\n")


def norm_of(grads):
    return math.sqrt(sum(g.pow(2).sum().item() for g in grads.values()))


def build_adapter(folder, name, seed):
    from peft import LoraConfig, get_peft_model
    base, batch = make_model(name, seed)
    write_model(copy.deepcopy(base), folder)
    settings = {"r": 2, "lora_alpha": 5, "target_modules": ADAPTERS[name], "modules_to_save": ["classifier", "pooler"]}
    model = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", lora_dropout=0.0, **settings)).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for n, parameter in sorted(model.named_parameters()):
            if "lora_" in n:
                parameter.copy_((0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)).float().double())
    value, grads = gradients(model, batch, "labels")
    logits = torch.stack([model(input_ids=torch.tensor([s["input_ids"]])).logits[0].detach() for s in batch["sequences"]])
    copy.deepcopy(model).float().save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    merged = {n: p for n, p in copy.deepcopy(model).merge_and_unload().named_parameters() if any(f".{m}.weight" in n for m in ADAPTERS[name])}
    tensors = {"logits": logits, **{f"grad.{n}": g for n, g in grads.items()}, **{f"merged.{n}": p.detach() for n, p in merged.items()}}
    save_file({n: t.float().contiguous() for n, t in tensors.items()}, str(folder / "expected.safetensors"))
    write_case(folder, {"case": f"lora-{name}", "class": CASES[name][0], "seed": seed, "lora": settings, "loss": "cross-entropy", "value": value, "grad_norm": norm_of(grads), "trainable": sorted(grads), "batch": batch})
    print(f"lora {name:35s} loss {value:.6f}, {sum(g.numel() for g in grads.values())} trainable", flush=True)


def build(folder, name, seed):
    class_name, _, task = CASES[name]
    model, batch = make_model(name, seed)
    value, grads = gradients(model, batch, task)
    with torch.autocast("cpu", torch.bfloat16):
        half, rounded = gradients(copy.deepcopy(model).float(), batch, task)
    norm = norm_of(grads)
    off = {n: (rounded[n].double() - g).norm().item() for n, g in grads.items()}
    checks = {"bfloat16_global": math.hypot(*off.values()) / norm, "bfloat16_worst": max(d / (grads[n].norm().item() + 1e-3 * norm) for n, d in off.items()), "bfloat16_loss": abs(half - value)}
    write_model(model, folder)
    decay = decayed(model)
    if name.startswith(("nomic", "gte")):  # their files have other names than their parameters: gradients are written as weights are
        grads, decay = as_stored(model, grads)
    save_file({f"grad.{n}": g.float().contiguous() for n, g in grads.items()}, str(folder / "expected.safetensors"))
    variant = {"loss": "cross-entropy" if task == "labels" else "masked-lm", "file": "expected.safetensors", "value": value, "grad_norm": norm, "checks": checks}
    write_case(folder, {"case": name, "class": class_name, "seed": seed, "variants": [variant], "decay": decay, "batch": batch})
    print(f"{name:40s} loss {value:.6f}, {sum(p.numel() for p in model.parameters())} parameters", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--adapters", default=",".join(ADAPTERS))
    options = parser.parse_args()
    for name in filter(None, options.only.split(",")):
        build(options.out / "gradients" / name, name, options.seed)
    for name in filter(None, options.adapters.split(",")):
        build_adapter(options.out / "lora" / name, name, options.seed)

#!/usr/bin/env python3
"""Writes the ONNX graph of a RoBERTa-like or ModernBERT directory, as PyTorch exports it: see export_onnx.py, whose options it has.

    python export_families.py MODEL_DIR --out DIR [--int8]
"""
import numpy as np
from onnx import TensorProto, helper

import export_onnx as base

LOWEST = np.finfo(np.float32).min


def roberta(g, config):
    """XLM-RoBERTa: BERT whose positions count what is not padding, from pad_token_id + 1 on."""
    counted = g.op("Mul", g.op("CumSum", "attention_mask", g.constant(1, np.int64)), "attention_mask")
    positions = g.op("Add", counted, g.constant(config["pad_token_id"], np.int64))
    word = g.op("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids", axis=0)
    kind = g.op("Gather", g.weight("embeddings.token_type_embeddings.weight"), "token_type_ids", axis=0)
    position = g.op("Gather", g.weight("embeddings.position_embeddings.weight"), positions, axis=0)
    heads, hidden, eps = config["num_attention_heads"], config["hidden_size"], config["layer_norm_eps"]
    x = g.layer_norm(g.op("Add", g.op("Add", word, kind), position), "embeddings.LayerNorm", eps)
    bias = base.attention_bias(g)
    for index in range(config["num_hidden_layers"]):
        x = base.layer(g, x, bias, f"encoder.layer.{index}", heads, hidden // heads, eps)
    return x


def product(g, x, name):
    """A linear layer without bias."""
    if g.inline:
        return g.op("MatMul", x, g.constant(g.values(f"{name}.weight").T, np.float32))
    return g.op("MatMul", x, g.op("Transpose", g.weight(f"{name}.weight"), perm=[1, 0]))


def part(g, x, begin, end):
    """Columns begin..end of the last axis."""
    return g.op("Slice", x, *(g.constant([value], np.int64) for value in (begin, end, -1)))


def modernbert(g, config):
    heads, hidden, inner = config["num_attention_heads"], config["hidden_size"], config["intermediate_size"]
    head_dim, eps = hidden // heads, config["norm_eps"]

    def norm(x, name):
        return g.op("LayerNormalization", x, g.weight(f"{name}.weight"), axis=-1, epsilon=eps)

    length = g.op("Gather", g.op("Shape", "input_ids"), g.constant(1, np.int64), axis=0)
    positions = g.op("Range", g.constant(0, np.int64), length, g.constant(1, np.int64))
    column, row = (g.op("Unsqueeze", positions, g.constant([axis], np.int64)) for axis in (1, 0))
    known = g.op("Cast", g.op("Unsqueeze", "attention_mask", g.constant([1, 2], np.int64)), to=TensorProto.BOOL)
    near = g.op("LessOrEqual", g.op("Abs", g.op("Sub", column, row)), g.constant(config["local_attention"] // 2, np.int64))
    zero, lowest = g.constant(0, np.float32), g.constant(LOWEST, np.float32)
    bias = {
        "full_attention": g.op("Where", known, zero, lowest),
        "sliding_attention": g.op("Where", g.op("And", known, near), zero, lowest),
    }
    turns = {}
    for kind, rope in config["rope_parameters"].items():
        frequencies = 1 / rope["rope_theta"] ** (np.arange(0, head_dim, 2, dtype=np.float32) / head_dim)
        angles = g.op("Mul", g.op("Cast", column, to=TensorProto.FLOAT), g.constant([frequencies], np.float32))
        both = g.op("Concat", angles, angles, axis=-1)
        turns[kind] = g.op("Cos", both), g.op("Sin", both)

    def turned(x, kind):
        half = head_dim // 2
        rotated = g.op("Concat", g.op("Neg", part(g, x, half, head_dim)), part(g, x, 0, half), axis=-1)
        return g.op("Add", g.op("Mul", x, turns[kind][0]), g.op("Mul", rotated, turns[kind][1]))

    x = norm(g.op("Gather", g.weight("embeddings.tok_embeddings.weight"), "input_ids", axis=0), "embeddings.norm")
    for index, kind in enumerate(config["layer_types"]):
        name = f"layers.{index}"
        qkv = product(g, x if index == 0 else norm(x, f"{name}.attn_norm"), f"{name}.attn.Wqkv")
        qkv = g.op("Transpose", g.op("Reshape", qkv, g.constant([0, 0, 3, heads, head_dim], np.int64)), perm=[2, 0, 3, 1, 4])
        query, key, value = (g.op("Gather", qkv, g.constant(i, np.int64), axis=0) for i in range(3))
        scores = g.op("MatMul", turned(query, kind), g.op("Transpose", turned(key, kind), perm=[0, 1, 3, 2]))
        scores = g.op("Add", g.op("Div", scores, g.constant(np.sqrt(head_dim), np.float32)), bias[kind])
        context = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), value), perm=[0, 2, 1, 3])
        context = g.op("Reshape", context, g.constant([0, 0, hidden], np.int64))
        x = g.op("Add", x, product(g, context, f"{name}.attn.Wo"))
        both = product(g, norm(x, f"{name}.mlp_norm"), f"{name}.mlp.Wi")
        gated = g.op("Mul", g.gelu(part(g, both, 0, inner)), part(g, both, inner, 2 * inner))
        x = g.op("Add", x, product(g, gated, f"{name}.mlp.Wo"))
    return norm(x, "final_norm")


bodies = {"xlm-roberta": roberta, "modernbert": modernbert}

if __name__ == "__main__":
    base.main(bodies)

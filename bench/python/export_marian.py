#!/usr/bin/env python3
"""Writes the ONNX graphs of a Marian directory in the form that transformers.js runs: encoder_model.onnx and decoder_model_merged.onnx, float32, opset 17,
and each as onnxruntime's dynamic quantization makes it (..._quantized.onnx). The decoder takes the keys and values of earlier steps and gives them back;
those of the source are computed in the first step alone (`use_cache_branch`).

    python export_marian.py MODEL_DIR --out DIR

pip install -r requirements.txt
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, save
from onnxruntime.quantization import QuantType, quantize_dynamic

from export_onnx import IR_VERSION, OPSET, Graph

EPS = 1e-5


class MarianGraph(Graph):
    """The parts that both halves have."""

    def __init__(self, directory, config):
        super().__init__(directory / "model.safetensors", inline=True)
        self.hidden, self.heads = config["d_model"], config["encoder_attention_heads"]
        self.head_dim = self.hidden // self.heads
        self.config = config

    def embed(self, ids, first_position):
        half = (self.hidden + 1) // 2
        steps = np.arange(self.config["max_position_embeddings"])[:, None] / 10000 ** (2 * np.arange(half) / self.hidden)
        table = np.concatenate([np.sin(steps), np.cos(steps)], axis=1)[:, : self.hidden]
        words = self.op("Mul", self.op("Gather", self.words(), ids, axis=0), self.constant(math.sqrt(self.hidden), np.float32))
        length = self.op("Gather", self.op("Shape", ids), self.constant(1, np.int64), axis=0)
        positions = self.op("Range", first_position, self.op("Add", first_position, length), self.constant(1, np.int64))
        return self.op("Add", words, self.op("Gather", self.constant(table, np.float32), positions, axis=0))

    def words(self):
        if not hasattr(self, "word_table"):
            self.word_table = self.constant(self.values("model.shared.weight"), np.float32)
        return self.word_table

    def by_heads(self, x, name):
        """[batch, heads, rows, head_dim]"""
        split = self.op("Reshape", self.linear(x, name), self.constant([0, 0, self.heads, self.head_dim], np.int64))
        return self.op("Transpose", split, perm=[0, 2, 1, 3])

    def attend(self, x, name, key, value, bias=None):
        query = self.op("Mul", self.by_heads(x, f"{name}.q_proj"), self.constant(self.head_dim**-0.5, np.float32))
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        if bias is not None:
            scores = self.op("Add", scores, bias)
        context = self.op("Transpose", self.op("MatMul", self.op("Softmax", scores, axis=-1), value), perm=[0, 2, 1, 3])
        context = self.op("Reshape", context, self.constant([0, 0, self.hidden], np.int64))
        return self.layer_norm(self.op("Add", self.linear(context, f"{name}.out_proj"), x), f"{name}_layer_norm", EPS)

    def feed_forward(self, x, name):
        inner = self.linear(x, f"{name}.fc1")
        inner = self.op("Mul", inner, self.op("Sigmoid", inner))
        return self.layer_norm(self.op("Add", self.linear(inner, f"{name}.fc2"), x), f"{name}.final_layer_norm", EPS)

    def source_bias(self, mask):
        """0 where a token is, the lowest float32 where padding is: [batch, 1, 1, rows]."""
        kept = self.op("Cast", self.op("Unsqueeze", mask, self.constant([1, 2], np.int64)), to=TensorProto.FLOAT)
        lacks = self.op("Sub", self.constant(1, np.float32), kept)
        return self.op("Mul", lacks, self.constant(np.finfo(np.float32).min, np.float32))

    def model(self, name, inputs, outputs):
        for output, (inner, _, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [inner], [output]))
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(key, *what) for key, what in inputs.items()],
            [helper.make_tensor_value_info(key, kind, shape) for key, (_, kind, shape) in outputs.items()],
            list(self.initializers.values()),
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def encoder(directory, config):
    g = MarianGraph(directory, config)
    x, bias = g.embed("input_ids", g.constant(0, np.int64)), g.source_bias("attention_mask")
    for layer in range(config["encoder_layers"]):
        name = f"model.encoder.layers.{layer}"
        attention = f"{name}.self_attn"
        x = g.attend(x, attention, g.by_heads(x, f"{attention}.k_proj"), g.by_heads(x, f"{attention}.v_proj"), bias)
        x = g.feed_forward(x, name)
    shape = ["batch_size", "encoder_sequence_length"]
    inputs = {key: (TensorProto.INT64, shape) for key in ("input_ids", "attention_mask")}
    return g.model("encoder", inputs, {"last_hidden_state": (x, TensorProto.FLOAT, [*shape, g.hidden])})


def either(g, past, states, name):
    """What was given of earlier steps, or, in the first, keys or values of the source."""
    outer = g.nodes
    g.nodes = []
    computed = g.by_heads(states, name)
    shape = ["batch_size", g.heads, "encoder_sequence_length", g.head_dim]
    first = helper.make_graph(g.nodes, f"{name}.first", [], [helper.make_tensor_value_info(computed, TensorProto.FLOAT, shape)])
    kept = f"{past}.kept"
    later = helper.make_graph([helper.make_node("Identity", [past], [kept])], f"{name}.later", [],
                              [helper.make_tensor_value_info(kept, TensorProto.FLOAT, shape)])
    g.nodes = outer
    return g.op("If", "use_cache_branch", then_branch=later, else_branch=first)


def decoder(directory, config):
    g = MarianGraph(directory, config)
    inputs = {
        "encoder_attention_mask": (TensorProto.INT64, ["batch_size", "encoder_sequence_length"]),
        "input_ids": (TensorProto.INT64, ["batch_size", "decoder_sequence_length"]),
        "encoder_hidden_states": (TensorProto.FLOAT, ["batch_size", "encoder_sequence_length", g.hidden]),
    }
    outputs = {"logits": None}
    past_length = g.op("Gather", g.op("Shape", "past_key_values.0.decoder.key"), g.constant(2, np.int64), axis=0)
    x, bias = g.embed("input_ids", past_length), g.source_bias("encoder_attention_mask")
    for layer in range(config["decoder_layers"]):
        name = f"model.decoder.layers.{layer}"
        caches = {}
        for kind in ("decoder", "encoder"):
            attention = f"{name}.{'self' if kind == 'decoder' else 'encoder'}_attn"
            for part in ("key", "value"):
                past, projection = f"past_key_values.{layer}.{kind}.{part}", f"{attention}.{part[0]}_proj"
                length = f"past_{kind}_sequence_length"
                inputs[past] = (TensorProto.FLOAT, ["batch_size", g.heads, length, g.head_dim])
                if kind == "decoder":
                    caches[part] = g.op("Concat", past, g.by_heads(x, projection), axis=2)
                else:
                    caches[part] = either(g, past, "encoder_hidden_states", projection)
                shape = ["batch_size", g.heads, f"{length} + 1", g.head_dim]
                outputs[f"present.{layer}.{kind}.{part}"] = (caches[part], TensorProto.FLOAT, shape)
            # One new token a step: it sees all keys.
            x = g.attend(x, attention, caches["key"], caches["value"], bias if kind == "encoder" else None)
        x = g.feed_forward(x, name)
    matrix = g.constant(g.values("model.shared.weight").T, np.float32)
    logits = g.op("Add", g.op("MatMul", x, matrix), g.weight("final_logits_bias"))
    outputs["logits"] = (logits, TensorProto.FLOAT, ["batch_size", "decoder_sequence_length", config["vocab_size"]])
    inputs["use_cache_branch"] = (TensorProto.BOOL, [1])
    return g.model("decoder", inputs, outputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    config = json.loads((arguments.directory / "config.json").read_text(encoding="utf-8"))
    for name, build in (("encoder_model", encoder), ("decoder_model_merged", decoder)):
        path = arguments.out / f"{name}.onnx"
        save(build(arguments.directory, config), path)
        quantize_dynamic(path, arguments.out / f"{name}_quantized.onnx", per_channel=True, weight_type=QuantType.QInt8)


if __name__ == "__main__":
    main()

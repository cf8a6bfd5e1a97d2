#!/usr/bin/env python3
"""Writes the ONNX graph of a BERT directory, as PyTorch exports it: opset 17, float32, dynamic batch and length.

    python export_onnx.py MODEL_DIR --out DIR [--int8]

The weights stay in model.safetensors, which the graph names as its external data (a copy or link is made when DIR is another folder).
--int8 adds model_quantized.onnx: onnxruntime's dynamic quantization, per channel, reduced range.

pip install -r requirements.txt
"""
import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes and initializers in the order they are needed."""

    def __init__(self, path, inline):
        self.path, self.inline, self.tensors = path, inline, read_header(path)
        self.nodes, self.initializers, self.count = [], {}, 0

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        output = f"{kind}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, values, dtype):
        self.count += 1
        name = f"constant_{self.count}"
        self.initializers[name] = numpy_helper.from_array(np.array(values, dtype, order="C"), name)
        return name

    def values(self, name):
        shape, begin, length = self.tensors[name]
        return np.fromfile(self.path, np.float32, length // 4, offset=begin).reshape(shape)

    def weight(self, name):
        """A tensor whose bytes are those of the safetensors file."""
        if self.inline:
            return self.constant(self.values(name), np.float32)
        shape, begin, length = self.tensors[name]
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", "model.safetensors"), ("offset", begin), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers[name] = tensor
        return name

    def linear(self, x, name):
        """The quantizer wants weights as they are multiplied; onnxruntime itself transposes them once, when it loads."""
        weight = f"{name}.weight"
        if self.inline:
            matrix = self.constant(self.values(weight).T, np.float32)
        else:
            matrix = self.op("Transpose", self.weight(weight), perm=[1, 0])
        return self.op("Add", self.op("MatMul", x, matrix), self.weight(f"{name}.bias"))

    def layer_norm(self, x, name, eps):
        return self.op("LayerNormalization", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), axis=-1, epsilon=eps)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.constant(np.sqrt(2), np.float32)))
        product = self.op("Mul", x, self.op("Add", erf, self.constant(1, np.float32)))
        return self.op("Mul", product, self.constant(0.5, np.float32))


def read_header(path):
    """name -> (shape, offset in the file, bytes) of every float32 tensor."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    floats = {name: entry for name, entry in header.items() if entry["dtype"] == "F32"}
    return {
        name.removeprefix("bert."): (e["shape"], 8 + length + e["data_offsets"][0], e["data_offsets"][1] - e["data_offsets"][0])
        for name, e in floats.items()
    }


def embeddings(g, eps):
    length = g.op("Gather", g.op("Shape", "input_ids"), g.constant(1, np.int64), axis=0)
    positions = g.op("Range", g.constant(0, np.int64), length, g.constant(1, np.int64))
    word = g.op("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids", axis=0)
    kind = g.op("Gather", g.weight("embeddings.token_type_embeddings.weight"), "token_type_ids", axis=0)
    position = g.op("Gather", g.weight("embeddings.position_embeddings.weight"), positions, axis=0)
    return g.layer_norm(g.op("Add", g.op("Add", word, kind), position), "embeddings.LayerNorm", eps)


def attention_bias(g):
    """0 where a token is, the lowest float32 where padding is: [batch, 1, 1, seq]."""
    mask = g.op("Cast", g.op("Unsqueeze", "attention_mask", g.constant([1, 2], np.int64)), to=TensorProto.FLOAT)
    return g.op("Mul", g.op("Sub", g.constant(1, np.float32), mask), g.constant(np.finfo(np.float32).min, np.float32))


def layer(g, x, bias, prefix, heads, head_dim, eps):
    def by_heads(name, perm):
        shape = g.constant([0, 0, heads, head_dim], np.int64)
        return g.op("Transpose", g.op("Reshape", g.linear(x, f"{prefix}.attention.self.{name}"), shape), perm=perm)

    query, key, value = by_heads("query", [0, 2, 1, 3]), by_heads("key", [0, 2, 3, 1]), by_heads("value", [0, 2, 1, 3])
    scores = g.op("Div", g.op("MatMul", query, key), g.constant(np.sqrt(head_dim), np.float32))
    context = g.op("MatMul", g.op("Softmax", g.op("Add", scores, bias), axis=-1), value)
    context = g.op("Reshape", g.op("Transpose", context, perm=[0, 2, 1, 3]), g.constant([0, 0, heads * head_dim], np.int64))
    attended = g.op("Add", g.linear(context, f"{prefix}.attention.output.dense"), x)
    x = g.layer_norm(attended, f"{prefix}.attention.output.LayerNorm", eps)
    inner = g.gelu(g.linear(x, f"{prefix}.intermediate.dense"))
    return g.layer_norm(g.op("Add", g.linear(inner, f"{prefix}.output.dense"), x), f"{prefix}.output.LayerNorm", eps)


def bert(g, config):
    if config["hidden_act"] != "gelu":
        raise SystemExit(f"Expected a BERT with gelu but received {config['hidden_act']}.")
    heads, hidden, eps = config["num_attention_heads"], config["hidden_size"], config["layer_norm_eps"]
    x, bias = embeddings(g, eps), attention_bias(g)
    for index in range(config["num_hidden_layers"]):
        x = layer(g, x, bias, f"encoder.layer.{index}", heads, hidden // heads, eps)
    return x


def build(directory, bodies, inline=False):
    """The graph of a model; `bodies` makes the encoder of a model_type."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] not in bodies:
        raise SystemExit(f"Expected one of {', '.join(bodies)} but received {config['model_type']}.")
    g = Graph(directory / "model.safetensors", inline)
    x = bodies[config["model_type"]](g, config)
    g.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "seq"])
              for name in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "seq", config["hidden_size"]])]
    graph = helper.make_graph(g.nodes, config["model_type"], inputs, outputs, list(g.initializers.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def main(bodies):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--int8", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = arguments.out / "model.safetensors"
    if not weights.exists():
        shutil.copyfile(arguments.directory / "model.safetensors", weights)
    path = arguments.out / "model.onnx"
    save(build(arguments.directory, bodies), path)
    checker.check_model(str(path))
    if arguments.int8:
        from onnxruntime.quantization import QuantType, quantize_dynamic
        quantized = arguments.out / "model_quantized.onnx"
        model = build(arguments.directory, bodies, inline=True)
        quantize_dynamic(model, quantized, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)


if __name__ == "__main__":
    main({"bert": bert})

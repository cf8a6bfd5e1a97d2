#!/usr/bin/env python3
"""Rivals that live in Python, for `npm run bench -- --python PYTHON`: answers each line of JSON on stdin with one on stdout.

    {"do": "list"}                                                         -> {"engines": [{name, precision, version}], "missing": [why]}
    {"do": "load", "engine", "directory", "onnx", "threads"}               -> {}
    {"do": "embed", "engine", "texts", "batchSize", "batching", "keep"}    -> {"ms", "vectors" if keep}
    {"do": "dispose", "engine"}                                            -> {}

`embed` goes from text to vectors of length 1 and is timed here. Each engine gets the settings that are best for it: tokenizers in Rust,
padding to the longest text of a batch, all graph optimisations, the given number of threads.

pip install -r requirements.txt; engines whose packages are missing are listed as such.
"""
import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "true"
import numpy as np

LIMIT = 512


def load_tokenizer(directory):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))
    tokenizer.enable_truncation(LIMIT)
    tokenizer.no_padding()
    return tokenizer


def batches_of(ids, size, batching):
    order = list(range(len(ids)))
    if batching == "sorted":
        order.sort(key=lambda i: -len(ids[i]))
    size = 1 if batching == "one" else size
    return [order[begin:begin + size] for begin in range(0, len(order), size)]


def padded(ids):
    width = max(map(len, ids))
    tokens, mask = np.zeros((len(ids), width), np.int64), np.zeros((len(ids), width), np.int64)
    for row, each in enumerate(ids):
        tokens[row, :len(each)] = each
        mask[row, :len(each)] = 1
    return tokens, mask


def pooled(hidden, mask):
    weights = mask[:, :, None].astype(np.float32)
    vectors = (hidden * weights).sum(1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Encoder:
    """An engine that maps padded token ids to hidden states; tokenizing, batching and pooling are here."""

    def load(self, directory, onnx, threads):
        self.tokenizer = load_tokenizer(directory)
        self.open(directory, onnx, threads)

    def embed(self, texts, size, batching):
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        vectors = [None] * len(texts)
        for indices in batches_of(ids, size, batching):
            rows = self.encode([ids[i] for i in indices])
            for i, row in zip(indices, rows):
                vectors[i] = row
        return vectors


class OpenVino(Encoder):
    package = "openvino"

    def __init__(self, precision):
        self.name, self.precision = f"openvino {precision}", precision

    def open(self, directory, onnx, threads):
        import openvino
        if onnx is None:
            raise ValueError("OpenVINO needs an ONNX graph")
        hint = {"fp32": "f32", "bf16": "bf16"}[self.precision]
        core = openvino.Core()
        if self.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ValueError("this processor has no bf16 arithmetic")
        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint}
        self.request = core.compile_model(core.read_model(onnx), "CPU", options).create_infer_request()

    def encode(self, ids):
        tokens, mask = padded(ids)
        inputs = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        return pooled(self.request.infer(inputs)[0], mask)


class CTranslate2(Encoder):
    package = "ctranslate2"

    def __init__(self, precision):
        self.name, self.precision = f"ctranslate2 {precision}", precision

    def open(self, directory, onnx, threads):
        import ctranslate2
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            target = Path(folder) / "model"
            ctranslate2.converters.TransformersConverter(str(directory)).convert(str(target))
            kind = {"fp32": "float32", "int8": "int8_float32"}[self.precision]
            self.encoder = ctranslate2.Encoder(str(target), device="cpu", compute_type=kind, inter_threads=1, intra_threads=threads)

    def encode(self, ids):
        hidden = np.array(self.encoder.forward_batch(ids).last_hidden_state)
        return pooled(hidden, padded(ids)[1])


class SentenceTransformers:
    package = "sentence-transformers"
    name, precision = "sentence-transformers fp32", "fp32"

    def load(self, directory, onnx, threads):
        import torch
        from sentence_transformers import SentenceTransformer
        torch.set_num_threads(threads)
        with contextlib.redirect_stdout(sys.stderr):
            self.model = SentenceTransformer(str(directory), device="cpu")
        self.model.max_seq_length = LIMIT

    def embed(self, texts, size, batching):
        # It sorts texts by length itself; arrival order is one call a batch, as a program that gets texts one after another makes.
        if batching == "sorted":
            return list(self.model.encode(texts, batch_size=size, normalize_embeddings=True))
        size = 1 if batching == "one" else size
        batches = [texts[begin:begin + size] for begin in range(0, len(texts), size)]
        return [v for batch in batches for v in self.model.encode(batch, batch_size=size, normalize_embeddings=True)]


CANDIDATES = [SentenceTransformers(), OpenVino("fp32"), OpenVino("bf16"), CTranslate2("fp32"), CTranslate2("int8")]


def list_engines():
    engines, missing = [], []
    for engine in CANDIDATES:
        try:
            version = importlib.metadata.version(engine.package)
            engines.append({"name": engine.name, "precision": engine.precision, "version": version})
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"{engine.name}: the package {engine.package} is not installed for PYTHON")
    return {"engines": engines, "missing": missing}


def answer(request, loaded):
    what = request["do"]
    if what == "list":
        return list_engines()
    name = request["engine"]
    if what == "load":
        engine = next(each for each in CANDIDATES if each.name == name)
        engine.load(request["directory"], request["onnx"], request["threads"])
        loaded[name] = engine
        return {}
    if what == "dispose":
        for attribute in ("model", "request", "encoder"):
            vars(loaded[name]).pop(attribute, None)
        del loaded[name]
        return {}
    start = time.perf_counter()
    vectors = loaded[name].embed(request["texts"], request["batchSize"], request["batching"])
    ms = (time.perf_counter() - start) * 1000
    return {"ms": ms, "vectors": [vector.tolist() for vector in vectors]} if request["keep"] else {"ms": ms}


def main():
    loaded = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), loaded)
        except Exception as error:  # whatever a rival throws is for the bench to report
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()

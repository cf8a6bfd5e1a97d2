"""Rivals in Python of `npm run bench:generation`: answers each line of JSON with one.

{"do": "load", "engine": "pytorch" | "ctranslate2", "precision": "fp32" | "int8",
 "directory": DIR, "threads": N}                                                       -> {"version"}
{"do": "run", "sources": [[id, ...], ...], "lengths": [N, ...], "numBeams": N}         -> {"ms"}

A run is one call of the engine's own generate for all sources, which writes the longest of the lengths for each, no less. int8 of PyTorch is its dynamic
quantization of all linears; CTranslate2's is int8 with float32 between.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"


class PyTorch:
    def __init__(self, directory, precision, threads):
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        torch.set_num_threads(threads)
        self.torch = torch
        self.model = transformers.MarianMTModel.from_pretrained(directory).eval()
        if precision == "int8":
            self.model = torch.ao.quantization.quantize_dynamic(self.model, {torch.nn.Linear}, dtype=torch.qint8)
        self.version = f"{torch.__version__}, transformers {transformers.__version__}"

    def run(self, sources, length, beams):
        ids = self.torch.tensor(sources)
        with self.torch.inference_mode():
            written = self.model.generate(
                input_ids=ids, attention_mask=self.torch.ones_like(ids), num_beams=beams, do_sample=False,
                min_new_tokens=length, max_new_tokens=length, max_length=None,
            )
        return written.shape[1] - 1


class CTranslate2:
    def __init__(self, directory, precision, threads):
        import ctranslate2

        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            target = Path(folder) / "model"
            ctranslate2.converters.TransformersConverter(directory).convert(str(target))
            kind = {"fp32": "float32", "int8": "int8_float32"}[precision]
            self.translator = ctranslate2.Translator(str(target), device="cpu", compute_type=kind, inter_threads=1, intra_threads=threads)
        words = json.loads((Path(directory) / "vocab.json").read_text(encoding="utf-8"))
        self.words = {id: word for word, id in words.items()}
        self.version = ctranslate2.__version__

    def run(self, sources, length, beams):
        tokens = [[self.words[id] for id in source] for source in sources]
        results = self.translator.translate_batch(tokens, beam_size=beams, min_decoding_length=length, max_decoding_length=length)
        return min(len(result.hypotheses[0]) for result in results)


def main():
    engine = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "load":
                kind = {"pytorch": PyTorch, "ctranslate2": CTranslate2}[request["engine"]]
                engine = kind(request["directory"], request["precision"], request["threads"])
                reply = {"version": engine.version}
            else:
                length = max(request["lengths"])
                start = time.perf_counter()
                written = engine.run(request["sources"], length, request["numBeams"])
                reply = {"ms": (time.perf_counter() - start) * 1000}
                if written != length:
                    reply = {"error": f"expected {length} tokens but the engine wrote {written}"}
        except Exception as error:  # the bench prints it
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()

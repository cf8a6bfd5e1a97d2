"""Writes the *.json files of this folder: what numpy, sentence-transformers, scikit-learn and scipy answer to seeded inputs.

    python test/golden/vectors/make_fixtures.py

Made with numpy 2.4.6, torch 2.13.0, sentence-transformers 6.2.0, scikit-learn 1.9.1, scipy 1.17.1.
"""
import json
from pathlib import Path

import numpy as np
from sentence_transformers.util import quantize_embeddings

FOLDER = Path(__file__).parent


def save(name, value):
    (FOLDER / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


def quantized(rng):
    """[count, width] vectors, with zeros and negative zeros, and their codes as sentence-transformers packs them."""
    cases = []
    for count, width in [(1, 1), (3, 7), (2, 8), (4, 9), (5, 24), (2, 65)]:
        vectors = rng.integers(-3, 4, (count, width)).astype(np.float32) / 4
        vectors[0, 0] = -0.0
        packed = np.packbits(vectors > 0, axis=-1)
        ubinary = quantize_embeddings(vectors, "ubinary")
        assert (packed == ubinary).all()
        cases.append(
            {
                "vectors": vectors.tolist(),
                "ubinary": ubinary.tolist(),
                "binary": quantize_embeddings(vectors, "binary").tolist(),
            }
        )
    return cases


if __name__ == "__main__":
    save("quantized", quantized(np.random.default_rng(1)))

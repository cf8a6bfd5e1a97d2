"""A WordPiece vocabulary by the Rust trainer (tokenizers): what `scripts/pretraining/wordpiece.ts` compares with.

    RAYON_NUM_THREADS=2 python scripts/pretraining/wordpiece_rival.py TRAIN.txt HELD_OUT.txt VOCAB_SIZE

Prints JSON: seconds of training, and tokens of the held-out text.
"""

import json
import sys
import time

import tokenizers
from tokenizers import BertWordPieceTokenizer

train, held_out, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
tokenizer = BertWordPieceTokenizer(lowercase=True)
begun = time.perf_counter()
tokenizer.train([train], vocab_size=size, min_frequency=2, limit_alphabet=1000, show_progress=False)
seconds = time.perf_counter() - begun
lines = open(held_out, encoding="utf-8").read().split("\n")
tokens = sum(len(tokenizer.encode(line, add_special_tokens=False).ids) for line in lines)
print(json.dumps({"version": tokenizers.__version__, "seconds": seconds, "tokens": tokens}))

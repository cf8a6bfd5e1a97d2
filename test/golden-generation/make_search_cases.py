#!/usr/bin/env python3
"""Makes search.json: what greedy search, beams and sampling write when logits come from a table of random numbers, by generation_reference.py.

    python make_search_cases.py FOLDER      FOLDER: where generation_reference.py is

Row r of the table follows a text when (7 · its last id + its length) mod rows = r. Its numbers are multiples of 1/256, exact in float32, from the
generator mulberry32: x = floor(u · 2048 - 1024) / 256, and -infinity where `holes` is set and the next u is below 1/16."""
import json
import math
import random
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import generation_reference as reference  # noqa: E402
import numpy as np  # noqa: E402

SMALLEST_MARGIN = 3e-4
NEUTRAL = {"min_length": 0, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "encoder_no_repeat_ngram_size": 0, "bad_words_ids": None, "forced_bos_token_id": None,
           "forced_eos_token_id": None, "suppress_tokens": None, "begin_suppress_tokens": None, "renormalize_logits": False, "do_sample": False, "temperature": 1.0, "top_k": 0,
           "top_p": 1.0, "min_p": None, "typical_p": 1.0, "num_beams": 1, "num_return_sequences": 1, "length_penalty": 1.0, "early_stopping": False, "seed": None}
KEPT = {"greedy": 90, "beams": 150, "sampled": 120}


def mulberry32(state):
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        x = (state ^ (state >> 15)) * (state | 1) & 0xFFFFFFFF
        x ^= (x + ((x ^ (x >> 7)) * (x | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
        yield (x ^ (x >> 14)) / 2 ** 32


def table(seed, rows, vocab, holes):
    numbers = mulberry32(seed)
    made = np.empty((rows, vocab))
    for r in range(rows):
        for c in range(vocab):
            made[r, c] = math.floor(next(numbers) * 2048 - 1024) / 256
            if holes and next(numbers) < 1 / 16:
                made[r, c] = -math.inf
    return made


def some(rng, vocab, count):
    return [rng.randrange(vocab) for _ in range(count)]


def settings(rng, kind, vocab, prompt):
    g = {}
    maybe = lambda share: rng.random() < share
    g["eos"] = rng.sample(range(vocab), rng.choice([0, 1, 1, 1, 2, 3]))
    g["max_length"] = prompt + rng.randint(1, 14)
    if maybe(0.25):
        g["min_length"] = rng.randrange(g["max_length"])
    if maybe(0.25):
        g["repetition_penalty"] = rng.choice([0.7, 1.2, 1.9])
    if maybe(0.25):
        g["no_repeat_ngram_size"] = rng.randint(1, 4)
    if maybe(0.2):
        g["encoder_no_repeat_ngram_size"] = rng.randint(1, 3)
    if maybe(0.25):
        g["bad_words_ids"] = [some(rng, vocab, rng.randint(1, 3)) for _ in range(rng.randint(1, 5))]
    if maybe(0.15):
        g["forced_bos_token_id"] = rng.randrange(vocab)
    if maybe(0.15) and g["eos"]:
        g["forced_eos_token_id"] = g["eos"][0]
    if maybe(0.15):
        g["suppress_tokens"] = some(rng, vocab, 2)
    if maybe(0.15):
        g["begin_suppress_tokens"] = some(rng, vocab, 2)
    if maybe(0.3):
        g["renormalize_logits"] = True
    if kind == "beams":
        g["num_beams"] = rng.choice([2, 3, 3, 4, 5, 8])
        g["num_return_sequences"] = rng.randint(1, g["num_beams"])
        g["length_penalty"] = rng.choice([1.0, 1.0, 0.0, 0.6, 2.0, -1.0])
        g["early_stopping"] = rng.choice([False, True, "never"])
    if kind == "sampled":
        g["do_sample"] = True
        g["seed"] = rng.choice([0, 1, 42, 2**32 + 5, 2**53 - 1])
        g["num_return_sequences"] = rng.randint(1, 3)
        if maybe(0.5):
            g["temperature"] = rng.choice([0.4, 0.8, 1.5, 3.0])
        if maybe(0.5):
            g["top_k"] = rng.randint(1, vocab + 3)
        if maybe(0.4):
            g["top_p"] = rng.choice([0.1, 0.5, 0.9, 0.99])
        if maybe(0.3):
            g["min_p"] = rng.choice([0.05, 0.3])
        if maybe(0.3):
            g["typical_p"] = rng.choice([0.3, 0.8])
    return g


def run(kind, logits_of, prompt, g, source):
    if kind == "greedy":
        out, margins = reference.greedy(logits_of, prompt, g, source)
        return [out], margins
    if kind == "beams":
        out, margins = reference.beam(logits_of, prompt, g, source)
        whole = all(out["complete"]) and all(s["score"] > -1e6 for s in out["sequences"])
        return (out["sequences"] if whole else None), margins
    runs = [reference.sample(logits_of, prompt, g, source, None, i) for i in range(g["num_return_sequences"])]
    return [{"ids": r["ids"], "log_probabilities": r["log_probabilities"]} for r, _ in runs], [m for _, margins in runs for m in margins]


def make():
    rng = random.Random(20261128)
    rows, skipped = [], 0
    for kind, wanted in KEPT.items():
        made = 0
        while made < wanted:
            vocab = rng.choice([5, 7, 11, 16, 17, 23, 37, 61, 131])
            case = {"kind": kind, "table": rng.randrange(2**31), "rows": rng.choice([1, 3, 19, 40]), "vocab": vocab, "holes": rng.random() < 0.25}
            prompt, source = some(rng, vocab, rng.choice([1, 1, 2, 5])), some(rng, vocab, rng.randint(1, 9))
            asked = settings(rng, kind, vocab, len(prompt))
            numbers = table(case["table"], case["rows"], vocab, case["holes"])
            logits_of = lambda texts: np.stack([numbers[(7 * ids[-1] + len(ids)) % case["rows"]] for ids in texts])
            with np.errstate(all="ignore"):
                try:
                    sequences, margins = run(kind, logits_of, prompt, {**NEUTRAL, **asked}, source)
                except (ValueError, IndexError):  # every id is banned, or nothing is left to compare a margin with
                    sequences, margins = None, []
            finite = [m for _, m in margins if not math.isnan(m)]
            if sequences is None or len(finite) < len(margins) or min(finite, default=1) < SMALLEST_MARGIN or any(
                    not math.isfinite(x) for s in sequences for x in s.get("log_probabilities", [s.get("score", 0)])):
                skipped += 1
                continue
            rows.append({**case, "prompt": prompt, "source": source, "settings": asked, "sequences": [
                {k: [float(f"{x:.12g}") for x in v] if k == "log_probabilities" else v for k, v in s.items()} for s in sequences]})
            made += 1
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
    Path(__file__).with_name("search.json").write_text('{"cases":[\n' + lines + "\n]}\n")
    print(f"{len(rows)} cases, {skipped} skipped")


make()

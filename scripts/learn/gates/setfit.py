"""SetFit with sentence-transformers and scikit-learn, on the draws that `npm run learn -- --task setfit --python PYTHON` hands it.

    python scripts/learn/gates/setfit.py DATA --model DIR [--threads 2]

As setfit 1.1 does by default: all pairs of a draw's texts, a text with itself too, the rarer kind repeated until there are as many of both; an epoch of
CosineSimilarityLoss in batches of 16 (AdamW, lr 2e-5, a tenth of warm-up, linear schedule, no decay, clipping at 1); then LogisticRegression of its vectors.
Scores go to results.json as "setfit", under "0" those of the untrained body.
"""

import argparse
import itertools
import json
import pathlib
import sys
import time

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer, losses
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from reference import learner, store

BATCH, RATE = 16, 2e-5


def pairs_of(rows):
    """Oversampling: (text, text, 1 for one label) and as many with 0."""
    both = [(a["text"], b["text"], float(a["label"] == b["label"])) for a, b in itertools.combinations_with_replacement(rows, 2)]
    kinds = [[pair for pair in both if pair[2] == kind] for kind in (1.0, 0.0)]
    wanted = max(map(len, kinds))
    return [pair for kind in kinds for pair in itertools.islice(itertools.cycle(kind), wanted)]


def accuracy_of(model, rows, held_out):
    texts, labels = ([row[field] for row in rows] for field in ("text", "label"))
    head = LogisticRegression().fit(model.encode(texts), labels)
    return float(head.score(model.encode([row["text"] for row in held_out]), [row["label"] for row in held_out]))


def run(data, directory, draw):
    torch.manual_seed(draw)
    rows, held_out = data["draws"][draw - 1], data["evalDataset"]
    model = SentenceTransformer(directory, device="cpu")
    before = accuracy_of(model, rows, held_out)
    pairs = pairs_of(rows)
    loss_of = losses.CosineSimilarityLoss(model)
    optimizer, schedule = learner(model, -(-len(pairs) // BATCH), RATE, 0.0)
    start = time.perf_counter()
    model.train()
    order = torch.randperm(len(pairs)).tolist()
    for begin in range(0, len(order), BATCH):
        first, second, labels = zip(*(pairs[i] for i in order[begin : begin + BATCH]))
        loss_of([model.preprocess(list(first)), model.preprocess(list(second))], torch.tensor(labels)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - start
    model.eval()
    scores = {"0": before, "1": accuracy_of(model, rows, held_out)}
    print(f"sentence-transformers, draw {draw}: untrained {scores['0']:.4f}, {scores['1']:.4f} after {len(pairs)} pairs, {seconds:.0f} s", flush=True)
    return {"seed": draw, "scores": scores, "trainSeconds": round(seconds, 1), "sentenceTransformers": sentence_transformers.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = json.loads(options.data.read_text())
    store("setfit", [run(data, options.model, draw) for draw in range(1, len(data["draws"]) + 1)], options.threads)


if __name__ == "__main__":
    main()

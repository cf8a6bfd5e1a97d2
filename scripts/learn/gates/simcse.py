"""SimCSE with sentence-transformers, on the model and sentences that `npm run learn -- --task simcse --keep DIR --python PYTHON` hands it.

    python scripts/learn/gates/simcse.py SENTENCES --model DIR --pairs sts-dev.csv [--seeds 3] [--threads 2]

Each sentence with itself under two masks of dropout: MultipleNegativesRankingLoss; arguments are those of simcse.json. Scores go to results.json as
"simcse": Spearman of STS-B's dev pairs, under "0" before training.
"""

import argparse
import json
import pathlib
import sys
import time

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer, losses

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from reference import learner, read_sts, spearman_of, store

SETTINGS = json.loads((pathlib.Path(__file__).parent / "simcse.json").read_text())


def run(sentences, options, pairs, seed):
    torch.manual_seed(seed)
    model = SentenceTransformer(options.model, device="cpu")
    model.max_seq_length = SETTINGS["maxLength"]
    loss_of = losses.MultipleNegativesRankingLoss(model, scale=SETTINGS["scale"])
    size, epochs = SETTINGS["batchSize"], SETTINGS["epochs"]
    optimizer, schedule = learner(
        model, epochs * -(-len(sentences) // size), SETTINGS["learningRate"], SETTINGS["weightDecay"], SETTINGS["warmup"]
    )
    scores, start = {"0": spearman_of(model, pairs)}, time.perf_counter()
    for epoch in range(1, epochs + 1):
        model.train()
        order = torch.randperm(len(sentences)).tolist()
        for begin in range(0, len(order), size):
            batch = [sentences[i] for i in order[begin : begin + size]]
            loss_of([model.preprocess(batch), model.preprocess(batch)], None).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        scores[str(epoch)] = spearman_of(model, pairs)
    seconds = time.perf_counter() - start
    print(f"sentence-transformers, seed {seed}: {scores}, {seconds:.0f} s", flush=True)
    return {"seed": seed, "scores": scores, "trainSeconds": round(seconds, 1), "sentenceTransformers": sentence_transformers.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sentences, pairs = json.loads(options.sentences.read_text()), read_sts(options.pairs)
    store("simcse", [run(sentences, options, pairs, seed) for seed in range(1, options.seeds + 1)], options.threads)


if __name__ == "__main__":
    main()

"""The tasks of tasks.json with transformers and PyTorch: what `npm run learn` compares with.

    python scripts/learn/reference.py --data DIR --model DIR [--start DIR] [--task NAME ...] [--seeds 3] [--threads 2]

DIR of --data holds cls/, ner/, sts/ and zh/ as tasks.json names them; --model is the encoder, --start the directory that
`npm run learn -- --write-start DIR` writes: the small Chinese BERT, so that both sides start from the same numbers.
Batches of 32, AdamW (lr 1e-4, decay 0.01), linear schedule with a tenth of warm-up, clipping at 1, dropout of the config; texts cut at 128 tokens.
Results go to results.json beside this file, with versions and the processor; a task that is there already is replaced.
"""

import argparse
import csv
import json
import math
import pathlib
import platform
import time

import numpy
import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

HERE = pathlib.Path(__file__).parent
TASKS = json.loads((HERE / "tasks.json").read_text())
BATCH, RATE, DECAY, WARMUP, MAX_LENGTH = 32, 1e-4, 0.01, 0.1, 128


def read_label_first(path):
    rows = [line.rstrip("\n").split(" ", 1) for line in open(path, encoding="utf-8", errors="replace")]
    return [((text,), int(label)) for label, text in rows]


def read_sts(path):
    rows = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
    return [((row[5], row[6]), float(row[4]) / 5) for row in rows]


def read_conll(path):
    sentences, words, tags = [], [], []
    for line in [*open(path, encoding="utf-8"), ""]:
        fields = line.split()
        if fields:
            words.append(fields[0])
            tags.append(fields[-1])
        elif words:
            sentences.append((words, tags))
            words, tags = [], []
    return sentences


def read_waimai(path):
    """Every tenth review is held out."""
    rows = [((row["review"],), int(row["label"])) for row in csv.DictReader(open(path, encoding="utf-8"))]
    return [row for i, row in enumerate(rows) if i % 10 != 9], rows[9::10]


def load(task, data):
    if task["format"] == "waimai":
        return read_waimai(data / task["train"])
    read = {"label-first": read_label_first, "sts": read_sts, "conll": read_conll}[task["format"]]
    return read(data / task["train"]), read(data / task["eval"])


def encode(task, tokenizer, rows, labels):
    """One dictionary of lists a row, never padded."""
    encoded = []
    for texts, target in rows:
        if task["task"] != "token-classification":
            row = tokenizer(*texts, truncation=True, max_length=MAX_LENGTH)
            encoded.append({**row, "labels": target})
            continue
        row = tokenizer(texts, is_split_into_words=True, truncation=True, max_length=MAX_LENGTH)
        words = row.word_ids()
        firsts = [w is not None and (i == 0 or words[i - 1] != w) for i, w in enumerate(words)]
        encoded.append({**row, "labels": [labels.index(target[w]) if first else -100 for w, first in zip(words, firsts)]})
    return encoded


def batch_of(tokenizer, rows, floats):
    labels = [row["labels"] for row in rows]
    batch = tokenizer.pad([{k: v for k, v in row.items() if k != "labels"} for row in rows], return_tensors="pt")
    if isinstance(labels[0], list):
        width = batch["input_ids"].shape[1]
        labels = [row + [-100] * (width - len(row)) for row in labels]
    return batch, torch.tensor(labels, dtype=torch.float32 if floats else torch.long)


def entities(tags):
    """Spans of IOB2 tags: (kind, first, last)."""
    spans, start, kind = set(), None, None
    for i, tag in enumerate([*tags, "O"]):
        if start is not None and (tag[0] != "I" or tag[2:] != kind):
            spans.add((kind, start, i - 1))
            start = None
        if tag[0] == "B" or (tag[0] == "I" and start is None):
            start, kind = i, tag[2:]
    return spans


def score(task, outputs, rows, labels):
    if task["metric"] == "accuracy":
        return float(numpy.mean([o.argmax() == row["labels"] for o, row in zip(outputs, rows)]))
    if task["metric"] == "pearson":
        return float(numpy.corrcoef([o[0] for o in outputs], [row["labels"] for row in rows])[0, 1])
    found = expected = right = 0
    for logits, row in zip(outputs, rows):
        kept = [i for i, label in enumerate(row["labels"]) if label != -100]
        got, want = (entities([labels[x] for x in tags]) for tags in ([int(logits[i].argmax()) for i in kept], [row["labels"][i] for i in kept]))
        found, expected, right = found + len(got), expected + len(want), right + len(got & want)
    return 2 * right / max(1, found + expected)


@torch.no_grad()
def predict(model, tokenizer, rows, floats):
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    outputs = [None] * len(rows)
    for begin in range(0, len(order), 64):
        part = order[begin : begin + 64]
        batch, _ = batch_of(tokenizer, [rows[i] for i in part], floats)
        for i, logits in zip(part, model(**batch).logits):
            outputs[i] = logits.numpy()
    return outputs


def embed(model, texts, parts=4):
    """Vectors that learn, in the order of the texts; computed in parts of like length, which need less padding."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    size = math.ceil(len(order) / parts)
    chunks = [order[begin : begin + size] for begin in range(0, len(order), size)]
    rows = [model(model.preprocess([texts[i] for i in chunk]))["sentence_embedding"] for chunk in chunks]
    return torch.cat(rows)[torch.argsort(torch.tensor(order))]


def run_pairs(name, task, options, seed):
    """Sentence embeddings, with sentence-transformers' model and loss; Spearman of cosines."""
    import sentence_transformers
    from sentence_transformers import SentenceTransformer, losses

    torch.manual_seed(seed)
    model = SentenceTransformer(options.model, device="cpu")
    model.max_seq_length = min(model.max_seq_length, MAX_LENGTH)
    loss_of = {"CoSENT": losses.CoSENTLoss, "CosineSimilarity": losses.CosineSimilarityLoss}[task["loss"]](model)
    train, held_out = load(task, pathlib.Path(options.data))
    optimizer, schedule = learner(model, task["epochs"] * math.ceil(len(train) / BATCH))
    scores, seconds = {}, 0.0
    for epoch in range(1, task["epochs"] + 1):
        model.train()
        start = time.perf_counter()
        order = torch.randperm(len(train)).tolist()
        for begin in range(0, len(order), BATCH):
            if begin % (32 * BATCH) == 0:
                print(f"{name} seed {seed} epoch {epoch}: {begin} of {len(order)} pairs, {time.perf_counter() - start:.0f} s", flush=True)
            rows = [train[i] for i in order[begin : begin + BATCH]]
            columns = embed(model, [texts[i] for i in range(2) for texts, _ in rows]).chunk(2)
            loss_of.compute_loss_from_embeddings(list(columns), torch.tensor([score for _, score in rows])).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        seconds += time.perf_counter() - start
        scores[epoch] = spearman_of(model, held_out)
        print(f"{name} seed {seed} epoch {epoch}: spearman {scores[epoch]:.4f}, {seconds:.0f} s", flush=True)
    return {"seed": seed, "scores": scores, "trainSeconds": round(seconds, 1), "sentenceTransformers": sentence_transformers.__version__}


def spearman_of(model, pairs):
    """How cosines of a sentence model rank pairs with scores."""
    import scipy.stats

    model.eval()
    a, b = (model.encode([texts[i] for texts, _ in pairs], batch_size=64, normalize_embeddings=True) for i in range(2))
    return float(scipy.stats.spearmanr([score for _, score in pairs], (a * b).sum(1)).statistic)


def learner(model, steps, rate=RATE, decay=DECAY, warmup=WARMUP):
    """AdamW without decay of biases and norms, a linear schedule with warm-up."""
    names = {name for name, _ in model.named_parameters() if "bias" in name or "LayerNorm" in name}
    groups = [
        {"params": [p for n, p in model.named_parameters() if n not in names], "weight_decay": decay},
        {"params": [p for n, p in model.named_parameters() if n in names], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, fused=True)
    return optimizer, transformers.get_linear_schedule_with_warmup(optimizer, math.ceil(warmup * steps), steps)


def run(name, task, options, seed):
    if task["task"] == "sentence-embedding":
        return run_pairs(name, task, options, seed)
    torch.manual_seed(seed)
    directory = options.start if "start" in task else options.model
    if directory is None:
        raise SystemExit(f"Expected --start for {name}: the directory that `npm run learn -- --write-start DIR` writes.")
    tokenizer = AutoTokenizer.from_pretrained(directory)
    train, held_out = load(task, pathlib.Path(options.data))
    labels = sorted({tag for _, tags in train for tag in tags}) if task["format"] == "conll" else None
    floats = task["metric"] == "pearson"
    kind = AutoModelForTokenClassification if labels else AutoModelForSequenceClassification
    model = kind.from_pretrained(directory, num_labels=len(labels) if labels else task["numLabels"])
    train, held_out = (encode(task, tokenizer, rows, labels) for rows in (train, held_out))

    optimizer, schedule = learner(model, task["epochs"] * math.ceil(len(train) / BATCH))
    scores, seconds = {}, 0.0
    for epoch in range(1, task["epochs"] + 1):
        model.train()
        start = time.perf_counter()
        order = torch.randperm(len(train)).tolist()
        for begin in range(0, len(order), BATCH):
            batch, targets = batch_of(tokenizer, [train[i] for i in order[begin : begin + BATCH]], floats)
            loss = model(**batch, labels=targets).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        seconds += time.perf_counter() - start
        if epoch in task["metricAt"]:
            scores[epoch] = score(task, predict(model, tokenizer, held_out, floats), held_out, labels)
            print(f"{name} seed {seed} epoch {epoch}: {task['metric']} {scores[epoch]:.4f}, {seconds:.0f} s", flush=True)
    return {"seed": seed, "scores": scores, "trainSeconds": round(seconds, 1)}


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def store(name, runs, threads):
    """Puts the runs of a task into results.json."""
    file = HERE / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    results[name] = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "processor": processor(),
        "threads": threads,
        "runs": runs,
    }
    file.write_text(json.dumps(results, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--start")
    parser.add_argument("--task", nargs="*", default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.task:
        store(name, [run(name, TASKS[name], options, seed) for seed in range(1, options.seeds + 1)], options.threads)


if __name__ == "__main__":
    main()

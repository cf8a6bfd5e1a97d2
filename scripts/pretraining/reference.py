"""A tiny BERT with transformers and PyTorch on the batches that `npm run learn -- --task pretrain` wrote: the same ids, masks, labels and order.

    python scripts/pretraining/reference.py FOLDER --digest DIGEST [--threads 2] [--steps N] [--masked-rows]

FOLDER holds start/ (the weights before the first step), batches.bin and held-out.bin (scripts/pretraining/batch-file.ts). Arguments are those of arguments.json.
AdamW, linear schedule with warm-up, clipping at 1, BertForPreTraining's own loss, dropout 0. With --steps only the first N are done: their losses and the time of one.
--masked-rows lets the decoder compute the rows that are predicted alone, as the labels of all others are -100: loss and gradients are the same, the time is not transformers' own
and is not kept. The result goes to results.json beside this file, as "transformers"; what is there of the same batches stays.
"""

import argparse
import json
import math
import pathlib
import statistics
import time

import numpy
import torch
import transformers

HERE = pathlib.Path(__file__).parent
SETTINGS = json.loads((HERE / "arguments.json").read_text())
CURVE_STEPS = 50


def batches_of(path):
    """Padded batches: ids, types, mask, labels (-100 where nothing is predicted), pairs."""
    numbers = numpy.fromfile(path, dtype=numpy.int32)
    at = 0
    while at < len(numbers):
        rows, tokens, selected = numbers[at : at + 3]
        sizes = [rows + 1, tokens, tokens, selected, selected, rows]
        bounds = at + 3 + numpy.cumsum([0, *sizes])
        ends, ids, types, places, labels, pairs = (numbers[a:b] for a, b in zip(bounds, bounds[1:]))
        at = bounds[-1]
        lengths = numpy.diff(ends)
        width = lengths.max()
        flat = numpy.full(tokens, -100)
        flat[places] = labels
        padded = numpy.zeros((3, rows, width), dtype=numpy.int64)
        targets = numpy.full((rows, width), -100, dtype=numpy.int64)
        for row, (begin, length) in enumerate(zip(ends, lengths)):
            span = slice(begin, begin + length)
            padded[0, row, :length], padded[1, row, :length], padded[2, row, :length] = ids[span], types[span], 1
            targets[row, :length] = flat[span]
        tensors = [torch.from_numpy(part) for part in (*padded, targets, pairs.astype(numpy.int64))]
        yield dict(zip(["input_ids", "token_type_ids", "attention_mask", "labels", "next_sentence_label"], tensors))


def loss_of_masked_rows(model, batch):
    """BertForPreTraining's loss, its decoder on the rows alone that have a label."""
    labels, expected = batch.pop("labels"), batch.pop("next_sentence_label")
    output = model.bert(**batch)
    rows = labels != -100
    words = torch.nn.functional.cross_entropy(model.cls.predictions(output.last_hidden_state[rows]), labels[rows])
    return words + torch.nn.functional.cross_entropy(model.cls.seq_relationship(output.pooler_output), expected)


@torch.no_grad()
def evaluate(model, path):
    model.eval()
    loss = words = right = pairs = 0
    for batch in batches_of(path):
        labels, expected = batch.pop("labels"), batch.pop("next_sentence_label")
        output = model(**batch)
        loss += torch.nn.functional.cross_entropy(output.prediction_logits.flatten(0, 1), labels.flatten(), reduction="sum").item()
        words += (labels != -100).sum().item()
        right += (output.seq_relationship_logits.argmax(-1) == expected).sum().item()
        pairs += len(expected)
    return {"mlmLoss": loss / words, "pairAccuracy": right / pairs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="only so many: the curve and the time of a step")
    parser.add_argument("--masked-rows", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = transformers.BertForPreTraining.from_pretrained(options.folder / "start")
    plain = [(name, p) for name, p in model.named_parameters() if "bias" in name or "LayerNorm" in name]
    names = {name for name, _ in plain}
    groups = [
        {"params": [p for name, p in model.named_parameters() if name not in names], "weight_decay": SETTINGS["weightDecay"]},
        {"params": [p for _, p in plain], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=SETTINGS["learningRate"], fused=True)
    steps = sum(1 for _ in batches_of(options.folder / "batches.bin"))
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, math.ceil(SETTINGS["warmup"] * steps), steps)
    model.train()
    curve, times = [], []
    begun = time.perf_counter()
    for step, batch in enumerate(batches_of(options.folder / "batches.bin")):
        if step == options.steps:
            break
        start = time.perf_counter()
        loss = loss_of_masked_rows(model, batch) if options.masked_rows else model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - start)
        if step < CURVE_STEPS:
            curve.append(loss.item())
        if step % 100 == 99:
            print(f"transformers: step {step + 1} of {steps}, loss {loss.item():.3f}, {time.perf_counter() - begun:.0f} s", flush=True)
    file = HERE / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    known = results.get("transformers", {})
    result = known if known.get("digest") == options.digest else {}
    result |= {"torch": torch.__version__, "transformers": transformers.__version__, "digest": options.digest}
    if len(curve) >= len(result.get("curve", [])):
        result["curve"] = curve
    if options.steps is None:
        result["heldOut"] = evaluate(model, options.folder / "held-out.bin")
    if not options.masked_rows:
        result |= {"threads": options.threads, "stepSeconds": round(statistics.median(times), 4)}
        print(f"transformers: {result['stepSeconds']:.3f} s a step on {options.threads} threads", flush=True)
    file.write_text(json.dumps({**results, "transformers": result}, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Compares bench.jsonl (test/native/cuda/bench.cc) with PyTorch on the same GPU and prints the targets met and missed.

  python3 scripts/gpu-targets.py BENCH_JSONL OUTPUT_JSON [--device cpu]

Baselines: torch.mm of the same shapes, scaled_dot_product_attention, and transformers' BertModel, eager and compiled. What is not installed is
left out, and so are the targets that need it. Compiled models are timed in bf16, where they have targets: a compilation takes minutes.
--device cpu only shows that this program runs.
"""
import json
import sys
import time

LAYERS = {"minilm": (6, 384, 12), "base": (12, 768, 12), "large": (24, 1024, 16)}


def median_us(torch, device, run, launches):
    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    times = []
    for repeat in range(23 if device == "cuda" else 1):
        wait()
        begin = time.perf_counter()
        for _ in range(launches):
            run()
        wait()
        times.append((time.perf_counter() - begin) / launches * 1e6)
    return sorted(times[3:] or times)[len(times[3:] or times) // 2]


def time_baselines(entry, torch, device):
    """Microseconds of each baseline for one line of the bench, by name."""
    half = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[entry["type"]]
    launches = 20 if device == "cuda" else 1
    random = lambda *shape: torch.randn(*shape, device=device, dtype=half)
    if entry["what"].startswith("linear"):
        a, w = random(entry["m"], entry["k"]), random(entry["n"], entry["k"])
        return {"torch.mm": median_us(torch, device, lambda: torch.mm(a, w.t()), launches)}
    if entry["what"] == "attention":
        shape = (entry["batch_size"], entry["heads"], entry["seq_len"], entry["dim"])
        q, k, v = random(*shape), random(*shape), random(*shape)
        attend = torch.nn.functional.scaled_dot_product_attention
        return {"sdpa": median_us(torch, device, lambda: attend(q, k, v), launches)}
    try:
        from transformers import BertConfig, BertModel
    except ImportError:
        return {}
    if entry["model"] not in LAYERS:
        return {}
    layers, hidden, heads = LAYERS[entry["model"]]
    config = BertConfig(num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=heads, intermediate_size=4 * hidden)
    model = BertModel(config, add_pooling_layer=False).eval().to(device=device, dtype=half)
    ids = torch.randint(0, 30000, (entry["batch_size"], entry["seq_len"]), device=device)
    result = {}
    with torch.inference_mode():
        result["eager"] = median_us(torch, device, lambda: model(input_ids=ids), 1)
        if entry["type"] == "bf16":
            torch.compiler.reset()  # or the ninth shape would silently run eager
            compiled = torch.compile(model, mode="max-autotune", dynamic=False)
            compiled(input_ids=ids)
            result["compiled"] = median_us(torch, device, lambda: compiled(input_ids=ids), 1)
    return result


def targets_of(entry):
    """(what, baseline, floor, target): baseline's time / ours, or tokens per second where there is no baseline."""
    what = entry["what"]
    if what == "linear" and entry["m"] >= 4224:
        return [("product as fast as torch.mm", "torch.mm", 0.90, 1.00)]
    if what == "linear_gelu" and entry["m"] >= 4224:
        return [("product with GELU against bare torch.mm", "torch.mm", 0.80, 0.93)]
    if what == "attention":
        return [("attention against SDPA", "sdpa", *((1.2, 2.0) if entry["seq_len"] <= 128 else (0.9, 1.1)))]
    if what == "model" and entry["type"] == "bf16":
        if entry["batch_size"] == 1:
            return [("one text against eager", "eager", 8, 12), ("one text against compiled", "compiled", 1.3, 2.0)]
        if entry["model"] == "minilm":
            return [("many texts against eager", "eager", 1.4, 2.0), ("many texts against compiled", "compiled", 1.2, 1.5)]
        return [("many texts against eager", "eager", 1.2, 1.4), ("many texts against compiled", "compiled", 1.05, 1.2)]
    return []


def main():
    source, output = sys.argv[1:3]
    device = "cpu" if "--device" in sys.argv and sys.argv[-1] == "cpu" else "cuda"
    with open(source, encoding="utf8") as file:
        entries = [json.loads(line) for line in file if line.startswith("{")]
    try:
        import torch
    except ImportError:
        torch = None
        print("PyTorch is not installed: nothing to compare with")
    counts = {"met": 0, "floor": 0, "missed": 0}
    for entry in entries:
        if torch is None:
            break
        entry["baselines_us"] = time_baselines(entry, torch, device)
        entry["targets"] = []
        for what, baseline, floor, target in targets_of(entry):
            if baseline not in entry["baselines_us"]:
                continue
            ratio = entry["baselines_us"][baseline] / entry["us"]
            verdict = "met" if ratio >= target else "floor" if ratio >= floor else "missed"
            counts[verdict] += 1
            entry["targets"].append({"what": what, "ratio": ratio, "floor": floor, "target": target, "verdict": verdict})
            size = " ".join(f"{key}={value}" for key, value in entry.items() if key not in ("what", "us", "tflops", "baselines_us", "targets"))
            print(f"{verdict:7} {what:42} {size:60} {ratio:6.2f} (floor {floor}, target {target})")
    with open(output, "w", encoding="utf8") as file:
        json.dump({"bench": entries, "targets": counts}, file, indent=1)
    print(f"targets: {counts['met']} met, {counts['floor']} at least the floor, {counts['missed']} missed; {len(entries)} measurements")


main()

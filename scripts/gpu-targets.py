"""Compares the bench's lines (test/native/cuda/bench.cc) with PyTorch on the same GPU and prints the targets met and missed.

  python3 scripts/gpu-targets.py BENCH_LINES OUTPUT_JSON [--device cpu] [--seconds S] [--compiled]

Baselines: torch.mm of the same shapes; each back end of scaled_dot_product_attention; transformers' BertModel, eager and the same replayed from
a CUDA graph, which has no launch cost and nothing to compile. With --compiled, on top of what OUTPUT_JSON holds: torch.compile, 128 tokens
first. OUTPUT_JSON is rewritten after every measurement, and none begins after --seconds. What is not installed is left out, and so are the
targets that need it. --device cpu only shows that this program runs.
"""
import argparse
import json
import os
import signal
import sys
import time

LAYERS = {"minilm": (6, 384, 12), "base": (12, 768, 12), "large": (24, 1024, 16)}
SDPA = ("sdpa_flash", "sdpa_cudnn", "sdpa_efficient")
# Of an H100, without a rival: tokens per second of many texts of 128 tokens, us of one text of 16.
GOALS = {"minilm": 8e6, "base": 1.5e6}
GOAL_US = {"minilm": 200.0}


class Timer:
    """Median microseconds; of kernels by CUDA events, of whole calls by the clock."""

    def __init__(self, torch, device):
        self.torch, self.is_gpu = torch, device == "cuda"

    def wait(self):
        if self.is_gpu:
            self.torch.cuda.synchronize()

    def call(self, run):
        times = []
        for repeat in range(23 if self.is_gpu else 1):
            self.wait()
            begin = time.perf_counter()
            run()
            self.wait()
            times.append((time.perf_counter() - begin) * 1e6)
        return sorted(times[3:] or times)[len(times[3:] or times) // 2]

    def kernel(self, run):
        if not self.is_gpu:
            return self.call(run)
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))

        def measure(launches):
            begin.record()
            for _ in range(launches):
                run()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) * 1e3 / launches

        measure(3)
        launches = max(1, min(1000, int(2000 / max(0.5, measure(3)))))
        return sorted(measure(launches) for _ in range(20))[10]


class Baselines:
    def __init__(self, torch, device):
        self.torch, self.device, self.timer = torch, device, Timer(torch, device)
        self.loaded, self.model = None, None

    def half(self, entry):
        return {"bf16": self.torch.bfloat16, "fp16": self.torch.float16, "fp32": self.torch.float32}[entry["type"]]

    def random(self, entry, *shape):
        return self.torch.randn(*shape, device=self.device, dtype=self.half(entry))

    def bert(self, entry):
        """The model of this name and type, drawn on the device; the last one is kept."""
        from transformers import BertConfig, BertModel

        wanted = (entry["model"], entry["type"])
        if self.loaded != wanted:
            self.loaded = self.model = None
            layers, hidden, heads = LAYERS[entry["model"]]
            config = BertConfig(num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=heads, intermediate_size=4 * hidden)
            with self.torch.device(self.device):
                self.model = BertModel(config, add_pooling_layer=False).eval().to(self.half(entry))
            self.loaded = wanted
        return self.model

    def ids(self, entry):
        return self.torch.randint(0, 30000, (entry["batch_size"], entry["seq_len"]), device=self.device)

    def of(self, entry):
        """Yields (name, a function that measures it) for one line of the bench."""
        torch = self.torch
        if entry["what"].startswith("linear"):
            a, w = self.random(entry, entry["m"], entry["k"]), self.random(entry, entry["n"], entry["k"])
            yield "torch.mm", lambda: self.timer.kernel(lambda: torch.mm(a, w.t()))
        if entry["what"] == "attention":
            from torch.nn.attention import SDPBackend, sdpa_kernel

            shape = (entry["batch_size"], entry["heads"], entry["seq_len"], entry["dim"])
            q, k, v = (self.random(entry, *shape) for _ in range(3))
            for name, backend in zip(SDPA, (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION)):

                def attend(backend=backend):
                    with sdpa_kernel(backend):
                        return self.timer.kernel(lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v))

                yield name, attend
        if entry["what"] == "model" and entry["model"] in LAYERS:
            model, ids = self.bert(entry), self.ids(entry)
            yield "eager", lambda: self.timer.call(lambda: model(input_ids=ids))
            if self.device == "cuda":
                yield "graph", lambda: self.timer.call(self.graph(model, ids).replay)

    def graph(self, model, ids):
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                model(input_ids=ids)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            model(input_ids=ids)
        return graph

    def compiled(self, entry):
        torch = self.torch
        torch.compiler.reset()  # or the ninth shape would silently run eager
        model, ids = torch.compile(self.bert(entry), mode="reduce-overhead", dynamic=False), self.ids(entry)
        for _ in range(3):
            model(input_ids=ids)
        return self.timer.call(lambda: model(input_ids=ids))


def targets_of(entry):
    """(what, baselines of which the fastest counts, floor, target): baseline's time / ours."""
    what = entry["what"]
    if what == "linear" and entry["m"] >= 4224:
        return [("product as fast as torch.mm", ("torch.mm",), 0.90, 1.00)]
    if what == "linear_gelu" and entry["m"] >= 4224:
        return [("product with GELU against bare torch.mm", ("torch.mm",), 0.80, 0.93)]
    if what == "attention":
        return [("attention against SDPA's fastest", SDPA, *((1.0, 2.0) if entry["seq_len"] <= 128 else (0.9, 1.1)))]
    if what != "model" or entry["type"] != "bf16" or entry["model"] not in LAYERS:
        return []
    if entry["batch_size"] == 1:
        limits = {"eager": (8, 12), "graph": (1.3, 2.0), "compiled": (1.3, 2.0)}
    elif entry["model"] == "minilm":
        limits = {"eager": (1.4, 2.0), "graph": (1.4, 2.0), "compiled": (1.2, 1.5)}
    else:
        limits = {"eager": (1.2, 1.4), "graph": (1.2, 1.4), "compiled": (1.05, 1.2)}
    texts = "one text" if entry["batch_size"] == 1 else "many texts"
    return [(f"{texts} against {name}", (name,), *pair) for name, pair in limits.items()]


def judge(entry):
    """The targets of an entry, from the baselines that it has so far, and the goals that need none."""
    results = []
    baselines = entry.get("baselines_us", {})
    for what, names, floor, target in targets_of(entry):
        known = [baselines[name] for name in names if name in baselines]
        if known:
            results.append((what, min(known) / entry["us"], floor, target))
    if entry["what"] == "model" and entry["type"] == "bf16":
        rate = entry["batch_size"] * entry["seq_len"] / entry["us"] * 1e6
        if entry["batch_size"] > 1 and entry["seq_len"] == 128 and entry["model"] in GOALS:
            results.append(("tokens per second against the goal", rate / GOALS[entry["model"]], 1.0, 1.0))
        if entry["batch_size"] == 1 and entry["seq_len"] == 16 and entry["model"] in GOAL_US:
            results.append(("one short text against the goal", GOAL_US[entry["model"]] / entry["us"], 1.0, 1.0))
    entry["targets"] = [
        {"what": what, "ratio": ratio, "floor": floor, "target": target, "verdict": "met" if ratio >= target else "floor" if ratio >= floor else "missed"}
        for what, ratio, floor, target in results
    ]


def save(entries, output):
    verdicts = [target["verdict"] for entry in entries for target in entry.get("targets", [])]
    counts = {verdict: verdicts.count(verdict) for verdict in ("met", "floor", "missed")}
    with open(output + ".new", "w", encoding="utf8") as file:
        json.dump({"bench": entries, "targets": counts}, file, indent=1)
    os.replace(output + ".new", output)
    return counts


def read_entries(path):
    entries = []
    with open(path, encoding="utf8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and "what" in entry and "us" in entry:
                entries.append(entry)
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench")
    parser.add_argument("output")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--compiled", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    if options.compiled and os.path.exists(options.output):
        with open(options.output, encoding="utf8") as file:
            entries = json.load(file)["bench"]
    else:
        entries = read_entries(options.bench)
    for entry in entries:
        judge(entry)
    save(entries, options.output)
    try:
        import torch
    except ImportError:
        torch = None
        print("PyTorch is not installed: nothing to compare with")
    left_out = 0

    def measure(entry, name, run):
        nonlocal left_out
        if time.monotonic() >= end:
            left_out += 1
            return
        try:
            entry.setdefault("baselines_us", {})[name] = run()
        except TimeoutError:
            left_out += 1
        except Exception as error:  # a back end that does not take the shape, a model that cannot be captured
            print(f"left out: {name} of {describe(entry)}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        judge(entry)
        save(entries, options.output)

    if torch is not None:
        baselines = Baselines(torch, options.device)
        with torch.inference_mode():
            if options.compiled:
                models = [each for each in entries if each["what"] == "model" and each["type"] == "bf16" and each["model"] in LAYERS]
                signal.signal(signal.SIGALRM, stop)
                signal.setitimer(signal.ITIMER_REAL, max(0.1, min(options.seconds, 1e6)))
                for entry in sorted(models, key=lambda each: each["seq_len"] != 128):
                    measure(entry, "compiled", lambda: baselines.compiled(entry))
                signal.setitimer(signal.ITIMER_REAL, 0)
            else:
                for entry in entries:
                    try:
                        for name, run in baselines.of(entry):
                            measure(entry, name, run)
                    except Exception as error:  # no transformers, or no memory for the operands
                        print(f"left out: {describe(entry)}: {type(error).__name__}: {error}")
    for entry in entries:
        for each in entry["targets"]:
            print(f"{each['verdict']:7} {each['what']:42} {describe(entry):60} {each['ratio']:6.2f} (floor {each['floor']}, target {each['target']})")
    if left_out > 0:
        print(f"time is out: {left_out} measurements were left out")
    counts = save(entries, options.output)
    print(f"targets: {counts['met']} met, {counts['floor']} at least the floor, {counts['missed']} missed; {len(entries)} measurements")
    sys.stdout.flush()
    os._exit(0)  # the compiler's workers would keep the process


def describe(entry):
    return " ".join(f"{key}={value}" for key, value in entry.items() if key not in ("us", "tflops", "baselines_us", "targets"))


def stop(*_):
    raise TimeoutError("time is out")


main()

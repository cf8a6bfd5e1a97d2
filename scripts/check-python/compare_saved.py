"""Loads models that Bertha saved with transformers, sentence-transformers and peft and compares predictions: `python compare_saved.py DIR`.

DIR holds folders with `expected.json`: `class`, `batch` (input_ids and token_type_ids of each sequence) and `outputs`, numbers in row-major order.
One of the class AutoModelForSeq2SeqLM has `sources` (ids) and `written` (ids and text of a greedy search of 8 new tokens at most); `scored`
has the BLEU of texts that four beams write.
A folder with `base` in expected.json is an adapter of that base; one of the class SentenceTransformer has `texts` for its batch, and `maxSeqLength`.
"""
import json
import sys
from pathlib import Path

import torch
import transformers

transformers.logging.set_verbosity_error()
failed = 0


def report(name, found, outputs, faults):
    worst = max(abs(a - e) / max(1, abs(e)) for a, e in zip(found, outputs, strict=True))
    ok = worst <= 1e-5 and not faults
    print(f"{'ok    ' if ok else 'FAILED'} {name}: {worst:.1e}" + "".join(f", {fault}" for fault in faults))
    return not ok


def compare_bleu(model, tokenizer, sources, references, bleu):
    """sacrebleu's BLEU of what transformers writes by four beams."""
    try:
        import sacrebleu
    except ImportError:
        print("skipped: sacrebleu is missing, by which BLEU is compared")
        return []
    written = []
    for source in sources:
        with torch.no_grad():
            ids = model.generate(input_ids=torch.tensor([source]), attention_mask=torch.ones(1, len(source), dtype=torch.long), num_beams=4, max_new_tokens=24)
        written.append(tokenizer.decode(ids[0], skip_special_tokens=True))
    theirs = sacrebleu.corpus_bleu(written, [references]).score
    print(f"BLEU {bleu:.4f}, of transformers {theirs:.4f} on {len(sources)} texts")
    return [] if abs(theirs - bleu) <= 0.1 else [f"BLEU {bleu} for {theirs}"]


def compare_writer(folder, expected):
    model, info = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, output_loading_info=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    # An encoder's pooler and an untied head's second bias are never read; Marian's positions are computed.
    unread = ("pooler.dense.weight", "pooler.dense.bias", "cls.predictions.bias", "embed_positions.weight")
    faults = sorted(key for key in info["missing_keys"] if not key.endswith(unread))
    settings = {"num_beams": 1, "do_sample": False, "max_new_tokens": 8, "min_length": 0, "no_repeat_ngram_size": 0}
    for source, written in zip(expected["sources"], expected["written"], strict=True):
        with torch.no_grad():
            ids = model.eval().generate(input_ids=torch.tensor([source]), attention_mask=torch.ones(1, len(source), dtype=torch.long), **settings)[0][1:]
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if ids.tolist() != written["ids"] or text.strip() != written["text"].strip():
            faults.append(f"{text!r} for {written['text']!r}")
    if "scored" in expected:
        faults += compare_bleu(model.eval(), tokenizer, **expected["scored"])
    print(f"{'FAILED' if faults else 'ok    '} {folder.name}: {len(expected['written'])} texts" + "".join(f", {fault}" for fault in faults))
    return bool(faults)


for file in sorted(Path(sys.argv[1]).glob("*/expected.json")):
    expected = json.loads(file.read_text())
    if expected["class"] == "SentenceTransformer":
        from sentence_transformers import SentenceTransformer
        model = SentenceTransformer(str(file.parent), device="cpu")
        found = model.encode(expected["texts"]).reshape(-1).tolist()
        length = model.max_seq_length
        faults = [] if length == expected["maxSeqLength"] else [f"a length of {length} for {expected['maxSeqLength']}"]
        failed += report(file.parent.name, found, expected["outputs"], faults)
        continue
    if expected["class"] == "AutoModelForSeq2SeqLM":
        failed += compare_writer(file.parent, expected)
        continue
    source = expected.get("base", str(file.parent))
    cls = getattr(transformers, expected["class"])
    model, info = cls.from_pretrained(source, output_loading_info=True)
    # Untied, transformers has this parameter and never reads it.
    missing = sorted(set(info["missing_keys"]) - {"cls.predictions.bias"})
    if "base" in expected:
        from peft import PeftModel
        model = PeftModel.from_pretrained(model, str(file.parent))
    model = model.float().eval()
    found = []
    with torch.no_grad():
        for sequence in expected["batch"]:
            inputs = {"input_ids": torch.tensor([sequence["input_ids"]])}
            if model.config.model_type in ("bert", "electra"):
                inputs["token_type_ids"] = torch.tensor([sequence["token_type_ids"]])
            if "MultipleChoice" in expected["class"]:
                inputs = {key: value[None] for key, value in inputs.items()}
            out = model(**inputs)
            if "QuestionAnswering" in expected["class"]:
                row = torch.stack([out.start_logits[0], out.end_logits[0]], 1)
            elif "logits" in out:
                row = out.logits[0]
            else:
                row = out.last_hidden_state[0].mean(0)
            found += row.reshape(-1).tolist()
    failed += report(file.parent.name, found, expected["outputs"], [f"missing {missing}"] if missing else [])
print(f"{failed} failed with transformers {transformers.__version__}")
sys.exit(1 if failed else 0)

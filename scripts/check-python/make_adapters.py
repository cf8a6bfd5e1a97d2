"""Makes LoRA adapters of many kinds with peft on tiny models, and what peft computes with them: `python make_adapters.py BASES DIR [SEED]`.

BASES holds model directories (test/golden/tiny). DIR/NAME gets the adapter as peft saves it and `expected.json`: `base` (a folder of BASES), `class`,
`batch` (input_ids and token_type_ids of each sequence) and `outputs`, numbers in row-major order, of the adapter loaded anew by peft.
Branches, biases and saved modules get random numbers, as if they had been trained. `refused` names kinds that are more than branches of low rank.
"""
import json

import sys
import zlib
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

transformers.logging.set_verbosity_error()
bases, target = Path(sys.argv[1]), Path(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
CLASSIFIER, TOKENS, ANSWERS = "bert-nli", "bert-token-classification", "bert-question-answering"
CHOICES, WORDS, SENTENCES, NEXT = "bert-multiple-choice", "bert-mlm", "bert-base-noprefix", "bert-nsp"
QV = ["query", "value"]
CLASSES = {CLASSIFIER: "BertForSequenceClassification", TOKENS: "BertForTokenClassification", ANSWERS: "BertForQuestionAnswering",
           CHOICES: "BertForMultipleChoice", WORDS: "BertForMaskedLM", SENTENCES: "BertModel", NEXT: "BertForNextSentencePrediction",
           "distilbert-sequence-classification": "DistilBertForSequenceClassification", "distilbert-token-classification": "DistilBertForTokenClassification",
           "distilbert-question-answering": "DistilBertForQuestionAnswering", "electra-sequence-classification": "ElectraForSequenceClassification",
           "electra-discriminator": "ElectraForPreTraining", "mpnet-base": "MPNetModel", "bert-cross-encoder": "BertForSequenceClassification",
           "bert-multi-label": "BertForSequenceClassification", "bert-bf16": "BertModel", "bert-mlm-gamma-beta": "BertForMaskedLM",
           "bert-sharded": "BertModel"}

# name: base, fields of LoraConfig; `saved`: dtype of the adapter's numbers.
CASES = {
    "default": (CLASSIFIER, dict(task_type="SEQ_CLS")),
    "query-value": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, lora_alpha=12, target_modules=QV)),
    "all-linear-rslora": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, lora_alpha=16, target_modules="all-linear", use_rslora=True)),
    "rank-and-alpha-patterns": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=[*QV, "key", "dense"], rank_pattern={"query": 2, r"layer\.1\..*\.value": 7, "^bert.encoder.layer.0.output.dense": 3},
                                alpha_pattern={"value": 3, r"encoder\.layer\.1\.attention\.self\.(query|key)": 20, "intermediate.dense": 1})),
    "rslora-patterns": (CLASSIFIER, dict(task_type="SEQ_CLS", r=3, lora_alpha=5, target_modules=["key", "value"], use_rslora=True, rank_pattern={"key": 6}, alpha_pattern={"layer.0.attention.self.value": 2.5})),
    "bias-all": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=[*QV, "intermediate.dense"], bias="all")),
    "bias-lora-only": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=["query", "output.dense"], bias="lora_only")),
    "regex": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=r".*layer\.1\..*(query|dense)")),
    "layers-to-transform": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=[*QV, "dense"], layers_to_transform=[1], layers_pattern="layer")),
    "exclude-modules": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=[*QV, "dense"], exclude_modules=r".*layer\.0\.attention.*|.*pooler.*")),
    "fan-in-fan-out": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, fan_in_fan_out=True)),
    "pooler-saved": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, modules_to_save=["classifier", "pooler"])),
    "rank-1": (CLASSIFIER, dict(task_type="SEQ_CLS", r=1, target_modules=["query", "key", "value"])),
    "rank-above-width": (CLASSIFIER, dict(task_type="SEQ_CLS", r=70, target_modules=["value", "intermediate.dense"])),
    "no-task-type": (CLASSIFIER, dict(r=4, target_modules=["query", "classifier"])),
    "gaussian": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, init_lora_weights="gaussian")),
    "half": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, saved="float16")),
    "bfloat16": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, saved="bfloat16")),
    "multi-label": ("bert-multi-label", dict(task_type="SEQ_CLS", r=4, target_modules=QV)),
    "cross-encoder": ("bert-cross-encoder", dict(task_type="SEQ_CLS", r=4, target_modules="all-linear")),
    "tokens": (TOKENS, dict(task_type="TOKEN_CLS", r=4, target_modules=[*QV, "dense"])),
    "answers": (ANSWERS, dict(task_type="QUESTION_ANS", r=4, target_modules=[*QV, "dense"])),
    "choices": (CHOICES, dict(r=4, target_modules=QV, modules_to_save=["classifier"])),
    "next-sentence": (NEXT, dict(r=4, target_modules=[*QV, "pooler.dense"], modules_to_save=["cls"])),
    "masked-words": (WORDS, dict(r=4, target_modules=[*QV, "transform.dense"])),
    "masked-words-gamma-beta": ("bert-mlm-gamma-beta", dict(r=4, target_modules=QV, bias="all")),
    "sentences": (SENTENCES, dict(task_type="FEATURE_EXTRACTION", r=4, target_modules=[*QV, "dense"])),
    "sharded": ("bert-sharded", dict(task_type="FEATURE_EXTRACTION", r=4, target_modules="all-linear")),
    "base-bf16": ("bert-bf16", dict(task_type="FEATURE_EXTRACTION", r=4, target_modules=QV)),
    "distilbert": ("distilbert-sequence-classification", dict(task_type="SEQ_CLS", r=4, target_modules=["q_lin", "v_lin", "lin1", "lin2"])),
    "distilbert-tokens": ("distilbert-token-classification", dict(task_type="TOKEN_CLS", r=4, target_modules=["q_lin", "out_lin"], bias="all")),
    "distilbert-answers": ("distilbert-question-answering", dict(task_type="QUESTION_ANS", r=4, target_modules=["k_lin"])),
    "electra": ("electra-sequence-classification", dict(task_type="SEQ_CLS", r=4, target_modules="all-linear")),
    "electra-discriminator": ("electra-discriminator", dict(r=4, target_modules=[*QV, "discriminator_predictions.dense"])),
    "mpnet": ("mpnet-base", dict(task_type="FEATURE_EXTRACTION", r=4, target_modules=["q", "v", "o", "dense"])),
    # More than branches of linear layers, or changes of the base's own weights.
    "pissa": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, init_lora_weights="pissa", refused=True)),
    "olora": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, init_lora_weights="olora", refused=True)),
    "orthogonal": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, init_lora_weights="orthogonal")),
    "mica": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, init_lora_weights="mica")),
    "dora": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, use_dora=True, refused=True)),
    "lora-bias": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, lora_bias=True, refused=True)),
    "embeddings": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=["word_embeddings", "query"], refused=True)),
    "trainable-tokens": (CLASSIFIER, dict(task_type="SEQ_CLS", r=4, target_modules=QV, trainable_token_indices=[1, 2], refused=True)),
}

def batch_of(config, generator, name):
    count = 2 if name == "choices" else 3
    sequences = []
    for length in (5, 9, 3)[:count]:
        ids = torch.randint(5, config.vocab_size, (length,), generator=generator).tolist()
        types = [int(i > length // 2) for i in range(length)]
        sequences.append({"input_ids": ids, "token_type_ids": types if getattr(config, "type_vocab_size", 0) > 1 else [0] * length})
    return sequences

def outputs_of(model, batch, cls):
    rows = []
    # peft's own wrapper for question answering loses token_type_ids.
    model = getattr(model, "base_model", model) if isinstance(model, PeftModel) else model
    with torch.no_grad():
        for sequence in batch:
            inputs = {"input_ids": torch.tensor([sequence["input_ids"]])}
            if model.config.model_type in ("bert", "electra"):
                inputs["token_type_ids"] = torch.tensor([sequence["token_type_ids"]])
            if "MultipleChoice" in cls:
                inputs = {key: value[None] for key, value in inputs.items()}
            out = model(**inputs)
            if "QuestionAnswering" in cls:
                row = torch.stack([out.start_logits[0], out.end_logits[0]], 1)
            elif "logits" in out:
                row = out.logits[0][:, :64] if "MaskedLM" in cls else out.logits[0]
            else:
                row = out.last_hidden_state[0]
            rows += row.reshape(-1).tolist()
    return rows

for name, (base, fields) in CASES.items():
    fields = dict(fields)
    saved, refused = fields.pop("saved", None), fields.pop("refused", False)
    generator = torch.Generator().manual_seed(SEED + zlib.crc32(name.encode()) % 100000)
    torch.manual_seed(SEED)
    cls = getattr(transformers, CLASSES[base])
    load = lambda: cls.from_pretrained(bases / base).float().eval()
    model = get_peft_model(load(), LoraConfig(lora_dropout=0.1, **fields))
    model.peft_config["default"].base_model_name_or_path = base
    for key, parameter in model.named_parameters():
        if parameter.requires_grad:
            spread = 0.3 / parameter.shape[-1] ** 0.5 if "lora_A" in key else 0.1
            parameter.data += spread * torch.randn(parameter.shape, generator=generator)
    if saved:
        model = model.to(getattr(torch, saved))
    model.save_pretrained(target / name)
    (target / name / "README.md").unlink(missing_ok=True)
    loaded = PeftModel.from_pretrained(load(), str(target / name)).float().eval()
    batch = batch_of(loaded.config, generator, name)
    outputs = outputs_of(loaded, batch, CLASSES[base])
    merged = outputs_of(loaded.merge_and_unload(), batch, CLASSES[base]) if not refused else outputs
    expected = {"base": base, "class": CLASSES[base], "batch": batch, "outputs": outputs, "refused": refused,
                "merged_differs": max(abs(a - b) for a, b in zip(outputs, merged)), "peft": peft.__version__}
    (target / name / "expected.json").write_text(json.dumps(expected))
    print(f"{name}: {len(outputs)} numbers, merged differs by {expected['merged_differs']:.1e}")

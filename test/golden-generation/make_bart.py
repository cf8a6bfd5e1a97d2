#!/usr/bin/env python3
"""Makes tiny/bart: a small random BART and what its decoder computes on given ids, in float64, one text at a time.

    python make_bart.py        with torch 2.13.0 and transformers 5.24.0; the tokenizer is that of tiny/roberta2roberta
"""
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BartConfig, BartForConditionalGeneration

here = Path(__file__).parent
folder = here / "tiny" / "bart"
folder.mkdir(exist_ok=True)
for name in ("tokenizer.json", "tokenizer_config.json"):
    shutil.copy(here / "tiny" / "roberta2roberta" / name, folder / name)
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

torch.manual_seed(20261128)
config = BartConfig(vocab_size=399, d_model=24, encoder_layers=2, decoder_layers=3, encoder_attention_heads=3, decoder_attention_heads=2,
                    encoder_ffn_dim=37, decoder_ffn_dim=45, max_position_embeddings=48, scale_embedding=True, decoder_start_token_id=2)
model = BartForConditionalGeneration(config).eval()
for name, tensor in model.named_parameters():
    noise = torch.randn_like(tensor)
    tensor.data = 1 + 0.1 * noise if "norm" in name and name.endswith("weight") else (0.1 if name.endswith("bias") else 0.3) * noise
model.final_logits_bias.normal_(0, 0.3)
tensors = {k: v.detach().clone() for k, v in model.state_dict().items() if k not in (
    "lm_head.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")}
save_file(tensors, folder / "model.safetensors", {"format": "pt"})
raw = json.loads(config.to_json_string(use_diff=False))
keep = ("activation_function", "d_model", "decoder_attention_heads", "decoder_ffn_dim", "decoder_layers", "encoder_attention_heads", "encoder_ffn_dim",
        "encoder_layers", "is_encoder_decoder", "max_position_embeddings", "model_type", "scale_embedding", "vocab_size", "pad_token_id", "bos_token_id",
        "eos_token_id", "decoder_start_token_id", "forced_eos_token_id")
(folder / "config.json").write_text(json.dumps({"architectures": ["BartForConditionalGeneration"], **{k: raw[k] for k in keep if k in raw}}) + "\n")

model = model.double()
cases, expected = [], {}
for i, (text, answer) in enumerate([("The quick brown fox jumps over the lazy dog.", "A fox jumps."), ("It rains.", "Water falls on the stage."), ("Yes!", "No")]):
    ids, own = tokenizer.encode(text).ids, [2, *tokenizer.encode(answer).ids]
    cases.append({"id": str(i), "text": text, "input_ids": ids, "decoder_input_ids": own})
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([own]), use_cache=False, output_hidden_states=i == 0)
    expected[f"logits.{i}"] = out.logits[0]
    expected[f"encoder_last_hidden_state.{i}"] = out.encoder_last_hidden_state[0].float()
    if i == 0:
        expected |= {f"hidden.0.{layer}": state[0].float() for layer, state in enumerate(out.decoder_hidden_states)}
        model.set_attn_implementation("eager")
        with torch.no_grad():
            out = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([own]), use_cache=False, output_attentions=True)
        expected |= {f"attention.0.{layer}": p[0].float() for layer, p in enumerate(out.decoder_attentions)}
        expected |= {f"cross_attention.0.{layer}": p[0].float() for layer, p in enumerate(out.cross_attentions)}
save_file({k: v.contiguous().clone() for k, v in expected.items()}, folder / "expected.safetensors")
(folder / "cases.json").write_text(json.dumps({"model": "bart", "class": "BartForConditionalGeneration", "cases": cases, "generation": []}) + "\n")

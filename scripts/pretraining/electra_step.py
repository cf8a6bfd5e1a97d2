"""One step of ELECTRA's two models together with PyTorch in float64, the drawn words given: what test/pretraining/electra.test.ts compares with.

    node --import tsx scripts/pretraining/electra-step.ts FOLDER
    python scripts/pretraining/electra_step.py FOLDER > test/pretraining/electra-step.json

Losses are the mean cross entropy of masked words and 50 times the mean binary cross entropy over all tokens of the step; embeddings are one set of parameters; gradients are
clipped together. Of each tensor: the norm of its exp_avg after the step, and its first numbers.
"""

import json
import pathlib
import sys

import torch
import transformers

folder = pathlib.Path(sys.argv[1])
step = json.loads((folder / "step.json").read_text())
update = step["update"]
discriminator = transformers.ElectraForPreTraining.from_pretrained(folder / "model", attn_implementation="eager").double().train()
generator = transformers.ElectraForMaskedLM.from_pretrained(folder / "model" / "generator", attn_implementation="eager").double().train()
generator.electra.embeddings = discriminator.electra.embeddings
generator.generator_lm_head.weight = discriminator.electra.embeddings.word_embeddings.weight

sequences = sum(len(batch["cuSeqlens"]) - 1 for batch in step["batches"])
tokens = sum(len(batch["inputIds"]) for batch in step["batches"])
selected = sum(len(batch["selected"]) for batch in step["batches"])
words_loss = replaced_loss = 0
for batch in step["batches"]:
    for row in range(len(batch["cuSeqlens"]) - 1):
        ids = torch.tensor(batch["inputIds"][batch["cuSeqlens"][row] : batch["cuSeqlens"][row + 1]])
        part = slice(batch["cuSelected"][row], batch["cuSelected"][row + 1])
        places, labels, words = (torch.tensor(batch[name][part]) for name in ("selected", "labels", "words"))
        logits = generator(input_ids=ids[None]).logits[0, places]
        words_loss = words_loss + torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
        replaced = ids.clone()
        replaced[places] = words
        targets = torch.zeros(len(ids), dtype=torch.float64)
        targets[places] = (words != labels).double()
        scores = discriminator(input_ids=replaced[None]).logits[0]
        replaced_loss = replaced_loss + torch.nn.functional.binary_cross_entropy_with_logits(scores, targets, reduction="sum")
loss = words_loss / selected + 50 * replaced_loss / tokens
loss.backward()
named = {}
for prefix, model in (("discriminator", discriminator), ("generator", generator)):
    named.update({f"{prefix}.{name}": p for name, p in model.named_parameters(remove_duplicate=False) if "decoder" not in name})
parameters = list({id(p): p for p in named.values()}.values())
norm = torch.nn.utils.clip_grad_norm_(parameters, update["maxGradNorm"])
moments = {}
for name, parameter in named.items():
    if name.endswith("generator_lm_head.weight"):
        continue
    exp_avg = (1 - update["beta1"]) * parameter.grad
    moments[name] = {"norm": exp_avg.norm().item(), "first": exp_avg.flatten()[:6].tolist()}
words = [batch["words"] for batch in step["batches"]]
print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "words": words, "loss": loss.item(), "gradNorm": norm.item(), "expAvg": moments}))

"""What transformers' own preprocessing makes of rows: python collators.py SEED COUNT TOKENIZER > cases.json

The functions are those of transformers' examples (run_qa.py, run_ner.py, run_swag.py, run_glue.py), over a fast tokenizer. Rows are drawn at random.
"""
import json
import os
import random
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import tokenizers  # noqa: E402
import transformers  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

WORDS = (
    "the a Alice met Bob in Amsterdam Übermäßig naïve café 北京 很好 😀 👩‍🚀 don't state-of-the-art 3.14 U.S. #tag x "
    "extraordinarily untokenizable … — ‘quoted’ (brackets) e\u0301clair ﬁnal İstanbul \u200d Zürich-West 1,000 ??? antidisestablishmentarianism"
).split(" ")
LABELS = ["O", "B-LOC", "B-PER", "I-LOC", "I-PER"]


def text_of(rng, low, high):
    return "".join(rng.choice(WORDS) + rng.choice([" ", " ", " ", "  ", ", "]) for _ in range(rng.randint(low, high))).strip()


def utf16(text, index):
    return len(text[:index].encode("utf-16-le")) // 2


def question_answering(rng, tokenizer):
    max_length = rng.choice([24, 32, 48, 72])
    stride = rng.choice([0, 4, 8])
    question = rng.choice(["", " "]) + text_of(rng, 1, 4)
    context = text_of(rng, 1, 80)
    has_answer = rng.random() < 0.8
    places = [i for i, c in enumerate(context) if not c.isspace()]
    start = rng.choice(places)
    end = rng.choice([i + 1 for i in places if start <= i < start + 40])
    if rng.random() < 0.5:  # whole words, as data sets have them
        while start > 0 and not context[start - 1].isspace():
            start -= 1
        while end < len(context) and not context[end].isspace():
            end += 1
    if has_answer and "\u200d" in (context[start], context[end - 1]):  # no token holds it: run_qa.py points at the token before
        return None
    answers = {"text": [context[start:end]], "answer_start": [start]} if has_answer else {"text": [], "answer_start": []}
    try:
        encoded = tokenizer(
            question.lstrip(), context, truncation="only_second", max_length=max_length, stride=stride,
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )
    except BaseException:  # the question alone is too long: tokenizers panics
        return None
    expected = []
    for i, offsets in enumerate(encoded["offset_mapping"]):
        ids, sequence_ids = encoded["input_ids"][i], encoded.sequence_ids(i)
        span = [0, 0]
        if has_answer and 1 in sequence_ids:
            first = sequence_ids.index(1)
            last = len(ids) - 1
            while sequence_ids[last] != 1:
                last -= 1
            if offsets[first][0] <= start and offsets[last][1] >= end:
                while first < len(offsets) and sequence_ids[first] == 1 and offsets[first][0] <= start:
                    first += 1
                while offsets[last][1] >= end:
                    last -= 1
                span = [first - 1, last + 1]
        expected.append({"ids": ids, "typeIds": encoded["token_type_ids"][i], "span": span})
    given = {**answers, "answer_start": [utf16(context, each) for each in answers["answer_start"]]}
    row = {"question": question, "context": context, "answers": given}
    return {"task": "question-answering", "options": {"maxLength": max_length, "docStride": stride}, "row": row, "expected": expected}


def token_classification(rng, tokenizer):
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 40))]
    tags = [rng.randrange(len(LABELS)) for _ in words]
    label_all = rng.random() < 0.5
    max_length = rng.choice([8, 32, 80])
    encoded = tokenizer(words, is_split_into_words=True, truncation=True, max_length=max_length)
    inside = [LABELS.index("I-" + name[2:]) if name.startswith("B-") else i for i, name in enumerate(LABELS)]
    labels, previous = [], None
    for word in encoded.word_ids():
        if word is None:
            labels.append(-100)
        elif word != previous:
            labels.append(tags[word])
        else:
            labels.append(inside[tags[word]] if label_all else -100)
        previous = word
    row = {"tokens": words, "tags": [LABELS[tag] for tag in tags]}
    options = {"maxLength": max_length, "labelAllTokens": label_all}
    return {"task": "token-classification", "options": options, "row": row, "expected": [{"ids": encoded["input_ids"], "labels": labels}]}


def multiple_choice(rng, tokenizer):
    row = {"sent1": text_of(rng, 1, 20), "sent2": text_of(rng, 1, 3), "label": rng.randrange(4)}
    row.update({f"ending{i}": text_of(rng, 1, 20) for i in range(4)})
    max_length = rng.choice([16, 64])
    firsts = [row["sent1"]] * 4
    seconds = [f"{row['sent2']} {row[f'ending{i}']}" for i in range(4)]
    encoded = tokenizer(firsts, seconds, truncation=True, max_length=max_length)
    expected = [{"ids": ids, "typeIds": types} for ids, types in zip(encoded["input_ids"], encoded["token_type_ids"])]
    options = {"maxLength": max_length, "numChoices": 4}
    return {"task": "multiple-choice", "options": options, "row": row, "expected": expected, "label": row["label"]}


def text_classification(rng, tokenizer):
    max_length = rng.choice([8, 16, 64])
    row = {"sentence1": text_of(rng, 1, 30), "sentence2": text_of(rng, 1, 30)}
    encoded = tokenizer(row["sentence1"], row["sentence2"], truncation=True, max_length=max_length)
    expected = [{"ids": encoded["input_ids"], "typeIds": encoded["token_type_ids"]}]
    return {"task": "text-classification", "options": {"maxLength": max_length}, "row": row, "expected": expected}


def main():
    seed, count, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    rng = random.Random(seed)
    makers = [question_answering, token_classification, multiple_choice, text_classification]
    cases = [case for case in (makers[i % 4](rng, tokenizer) for i in range(count)) if case is not None]
    made = {"script": "scripts/check-python/collators.py", "seed": seed, "transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    json.dump({"made": made, "labels": LABELS, "cases": cases}, sys.stdout, ensure_ascii=False, separators=(",", ":"))


main()

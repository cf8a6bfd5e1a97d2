"""Answers requests for times of gensim, one JSON line each: {"kind", "corpus", "threads"} or {"kind": "load", "file"}
or {"kind": "logistic", "file", "type", "columns", "classes"}: rows of that type, the class of row i is i % classes."""
import json
import sys
import time

from gensim.models import FastText, KeyedVectors, Word2Vec

SETTINGS = dict(vector_size=100, window=5, negative=5, sample=1e-3, epochs=1, min_count=5)


def measure(request):
    kind = request["kind"]
    if kind == "load":
        begin, cpu = time.perf_counter(), time.process_time()
        KeyedVectors.load_word2vec_format(request["file"])
        return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    if kind == "logistic":
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        x = np.fromfile(request["file"], request["type"]).reshape(-1, request["columns"])
        y = np.arange(len(x)) % request["classes"]
        begin, cpu = time.perf_counter(), time.process_time()
        fitted = LogisticRegression().fit(x, y)
        return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "words": int(fitted.n_iter_[0])}
    model = (FastText if kind.startswith("fasttext") else Word2Vec)(
        sg=0 if kind.endswith("cbow") else 1, workers=request["threads"], **SETTINGS
    )
    model.build_vocab(corpus_file=request["corpus"])
    begin, cpu = time.perf_counter(), time.process_time()
    model.train(corpus_file=request["corpus"], total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=1)
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "words": model.corpus_total_words}


for line in sys.stdin:
    print(json.dumps(measure(json.loads(line))), flush=True)

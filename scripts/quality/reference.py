"""Trains skip-gram vectors with n-grams and writes them as a word2vec text: PyPI's fasttext (or fasttext-wheel), the authors' program, else gensim.

  python reference.py CORPUS OUTPUT '{"threads": 2, "epochs": 15, "alpha": 0.025}'

CORPUS is a plain text. Prints the program and its version.
"""
import json
import sys
from importlib.metadata import PackageNotFoundError, version

corpus, output, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
threads, epochs, alpha = settings["threads"], settings["epochs"], settings["alpha"]

try:
    import fasttext
except ImportError:
    fasttext = None

if fasttext is not None:
    model = fasttext.train_unsupervised(
        corpus, model="skipgram", lr=alpha, dim=100, ws=5, epoch=epochs, minCount=5, minn=3, maxn=6, neg=5, loss="ns", bucket=2_000_000, t=1e-3, thread=threads, verbose=0
    )
    words = model.get_words()
    with open(output, "w", encoding="utf-8") as file:
        file.write(f"{len(words)} 100\n")
        for word in words:
            file.write(word + " " + " ".join(repr(float(x)) for x in model.get_word_vector(word)) + "\n")
    name = "fasttext"
    for package in ("fasttext", "fasttext-wheel"):
        try:
            name = f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    print(name)
else:
    from gensim.models import FastText

    model = FastText(sg=1, vector_size=100, window=5, negative=5, sample=1e-3, alpha=alpha, min_count=5, min_n=3, max_n=6, bucket=2_000_000, workers=threads)
    model.build_vocab(corpus_file=corpus)
    model.train(corpus_file=corpus, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=epochs)
    model.wv.save_word2vec_format(output)
    print(f"gensim {version('gensim')}")

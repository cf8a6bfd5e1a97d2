"""Writes the *.json files of this folder: what numpy, sentence-transformers, scikit-learn and scipy answer to seeded inputs.

    python test/golden/vectors/make_fixtures.py

Made with numpy 2.4.6, torch 2.13.0, sentence-transformers 6.2.0, scikit-learn 1.9.1, scipy 1.17.1.
"""
import json
from pathlib import Path

import numpy as np
from sentence_transformers.util import quantize_embeddings

FOLDER = Path(__file__).parent


def save(name, value):
    (FOLDER / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


def quantized(rng):
    """[count, width] vectors, with zeros and negative zeros, and their codes as sentence-transformers packs them."""
    cases = []
    for count, width in [(1, 1), (3, 7), (2, 8), (4, 9), (5, 24), (2, 65)]:
        vectors = rng.integers(-3, 4, (count, width)).astype(np.float32) / 4
        vectors[0, 0] = -0.0
        packed = np.packbits(vectors > 0, axis=-1)
        ubinary = quantize_embeddings(vectors, "ubinary")
        assert (packed == ubinary).all()
        cases.append(
            {
                "vectors": vectors.tolist(),
                "ubinary": ubinary.tolist(),
                "binary": quantize_embeddings(vectors, "binary").tolist(),
            }
        )
    return cases


def metric_cases(rng):
    """Calls of scikit-learn and scipy with their answers."""
    from scipy import stats
    from sklearn import metrics as sk

    cases = []

    def plain(x):
        if isinstance(x, (tuple, list, np.ndarray)):
            return [plain(v) for v in x]
        if x is None:
            return None
        x = float(x)
        return x if np.isfinite(x) else {True: "nan"}.get(bool(np.isnan(x)), "inf" if x > 0 else "-inf")

    def add(kind, call, **inputs):
        cases.append({"kind": kind, **inputs, "result": plain(call())})

    import warnings

    warnings.simplefilter("ignore")
    for n, classes in [(1, 1), (6, 3), (9, 2), (25, 4)]:
        true = rng.integers(0, classes, n).tolist()
        pred = rng.integers(0, classes + 1, n).tolist()
        io = {"yTrue": true, "yPred": pred}
        add("confusionMatrix", lambda: sk.confusion_matrix(true, pred, normalize="pred"), **io, options={"normalize": "pred"})
        add("accuracy", lambda: sk.accuracy_score(true, pred), **io)
        add("balancedAccuracy", lambda: sk.balanced_accuracy_score(true, pred), **io)
        add("matthews", lambda: sk.matthews_corrcoef(true, pred), **io)
        add("cohenKappa", lambda: sk.cohen_kappa_score(true, pred), **io)
        for average in ["micro", "macro", "weighted", None]:
            scored = lambda: sk.precision_recall_fscore_support(true, pred, average=average, zero_division=0)
            add("precisionRecallF1", scored, **io, options={"average": average})
        fbeta = lambda: sk.fbeta_score(true, pred, beta=0.5, average="weighted", zero_division=0)
        add("fBeta", fbeta, **io, options={"beta": 0.5, "average": "weighted"})
    for n in [4, 12, 30]:
        true = [0, 1] + rng.integers(0, 2, n - 2).tolist()
        scores = np.round(rng.random(n), 1).clip(0.01, 0.99).tolist()
        weights = np.round(rng.random(n) + 0.1, 2).tolist()
        io = {"yTrue": true, "scores": scores}
        add("rocAuc", lambda: sk.roc_auc_score(true, scores), **io)
        add("rocAuc", lambda: sk.roc_auc_score(true, scores, sample_weight=weights), **io, options={"sampleWeight": weights})
        add("rocCurve", lambda: sk.roc_curve(true, scores), **io)
        add("averagePrecision", lambda: sk.average_precision_score(true, scores), **io)
        add("precisionRecallCurve", lambda: sk.precision_recall_curve(true, scores), **io)
        add("brier", lambda: sk.brier_score_loss(true, scores), **io)
        add("logLoss", lambda: sk.log_loss(true, scores), **io)
        a, b = np.round(rng.normal(size=n), 1).tolist(), np.round(rng.normal(size=n), 1).tolist()
        for kind, call in [
            ("pearson", lambda: stats.pearsonr(a, b)[0]),
            ("spearman", lambda: stats.spearmanr(a, b)[0]),
            ("kendall", lambda: stats.kendalltau(a, b)[0]),
            ("meanSquaredError", lambda: sk.mean_squared_error(a, b)),
            ("meanAbsoluteError", lambda: sk.mean_absolute_error(a, b)),
            ("r2", lambda: sk.r2_score(a, b)),
        ]:
            add(kind, call, a=a, b=b)
    rows = np.round(rng.dirichlet(np.ones(3), 20), 2)
    rows[:, 2] = 1 - rows[:, 0] - rows[:, 1]
    true = [0, 1, 2] + rng.integers(0, 3, 17).tolist()
    for multi in ["ovr", "ovo"]:
        for average in ["macro", "weighted"]:
            auc = lambda: sk.roc_auc_score(true, rows, multi_class=multi, average=average)
            add("rocAuc", auc, yTrue=true, scores=rows.tolist(), options={"multiClass": multi, "average": average})
    add("topKAccuracy", lambda: sk.top_k_accuracy_score(true, rows, k=2), yTrue=true, scores=rows.tolist(), options={"k": 2})
    x, clusters = rng.normal(size=(12, 3)), rng.integers(0, 3, 12)
    for metric in ["euclidean", "cosine"]:
        call = lambda: sk.silhouette_score(x, clusters, metric=metric)
        add("silhouette", call, x=x.tolist(), labels=clusters.tolist(), options={"metric": metric})
    return {"cases": cases}


class Table:
    """A model that looks its vectors up."""

    similarity_fn_name = "cosine"

    def __init__(self, texts, rng):
        self.vectors = {text: rng.normal(size=6) for text in texts}
        self.model_card_data = self

    def set_evaluation_metrics(self, *_, **__):
        pass

    def encode(self, texts, **_):
        one = isinstance(texts, str)
        rows = np.array([self.vectors[text] for text in ([texts] if one else texts)])
        return rows[0] if one else rows

    encode_query = encode_document = encode

    def similarity(self, a, b):
        from sentence_transformers.util import cos_sim

        return cos_sim(a, b)


def utilities(rng):
    """Communities, pairs and evaluations by sentence-transformers, on vectors in float64."""
    import torch
    from sentence_transformers import util
    from sentence_transformers.sentence_transformer import evaluation as ev

    centres = rng.normal(size=(6, 8))
    vectors = np.round(centres[rng.integers(0, 6, 70)] + rng.normal(size=(70, 8)) * 0.6, 3)
    tensor = torch.tensor(vectors, dtype=torch.float64)
    communities = [
        {"threshold": t, "minCommunitySize": m, "result": util.community_detection(tensor, threshold=t, min_community_size=m)}
        for t, m in [(0.75, 10), (0.6, 3), (0.9, 2), (0.3, 1), (0.5, 5)]
    ]
    pairs = [
        {"topK": k, "maxPairs": m, "result": util.paraphrase_mining_embeddings(tensor, top_k=k, max_pairs=m)}
        for k, m in [(100, 40), (2, 500000), (5, 17)]
    ]
    texts = [f"text {i}" for i in range(40)]
    table = Table(texts, rng)
    pick = lambda n: [texts[i] for i in rng.integers(0, 40, n)]
    first, second, third = pick(30), pick(30), pick(30)
    gold = np.round(rng.random(30), 1).tolist()
    labels = rng.integers(0, 2, 30).tolist()
    queries = {f"q{i}": texts[i] for i in range(8)}
    corpus = {f"d{i:02}": texts[i] for i in range(8, 40)}
    relevant = {q: sorted({f"d{i:02}" for i in rng.integers(8, 40, 1 + n % 4)}) for n, q in enumerate(queries)}
    samples = [{"query": texts[i], "positive": pick(1 + i % 3), "negative": pick(4)} for i in range(9)]
    plain = lambda scores: {k: float(v) for k, v in scores.items()}
    return {
        "vectors": vectors.tolist(),
        "communities": communities,
        "pairs": pairs,
        "table": {text: row.tolist() for text, row in table.vectors.items()},
        "first": first,
        "second": second,
        "third": third,
        "gold": gold,
        "labels": labels,
        "queries": queries,
        "corpus": corpus,
        "relevant": relevant,
        "samples": samples,
        "similarity": plain(ev.EmbeddingSimilarityEvaluator(first, second, gold, similarity_fn_names=["cosine", "euclidean", "manhattan", "dot"])(table)),
        "binary": plain(ev.BinaryClassificationEvaluator(first, second, labels, similarity_fn_names=["cosine", "euclidean"])(table)),
        "triplets": plain(ev.TripletEvaluator(first, second, third, similarity_fn_names=["cosine", "manhattan"])(table)),
        "retrieval": plain(ev.InformationRetrievalEvaluator(queries, corpus, {k: set(v) for k, v in relevant.items()})(table)),
        "reranking": plain(ev.RerankingEvaluator(samples)(table)),
    }


if __name__ == "__main__":
    save("quantized", quantized(np.random.default_rng(1)))
    save("metrics", metric_cases(np.random.default_rng(2)))
    save("utilities", utilities(np.random.default_rng(3)))

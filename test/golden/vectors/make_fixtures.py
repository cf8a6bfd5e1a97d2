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


if __name__ == "__main__":
    save("quantized", quantized(np.random.default_rng(1)))
    save("metrics", metric_cases(np.random.default_rng(2)))

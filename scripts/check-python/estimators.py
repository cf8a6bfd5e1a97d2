"""Reads every saved estimator of bertha-encoder/learn into scikit-learn, compares what both make of the same rows, and writes it back:
estimators.py READ FOLDER | estimators.py WRITE FOLDER. docs/learn.md has the functions."""
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler

kinds = {each.__name__: each for each in (CountVectorizer, KMeans, KNeighborsClassifier, LogisticRegression, OneHotEncoder, PCA, StandardScaler, TfidfVectorizer)}
fitted = {"StandardScaler": ("mean", "var", "scale"), "PCA": ("components", "mean", "explained_variance", "explained_variance_ratio", "singular_values"), "LogisticRegression": ("coef", "intercept")}


def read(folder, stem):
    saved = json.loads(Path(folder, stem + ".json").read_text())
    tensors = load_file(Path(folder, stem + ".safetensors")) if Path(folder, stem + ".safetensors").exists() else {}
    name, params = saved["type"], {key: value for key, value in saved["params"].items() if value is not None}
    if "ngram_range" in params: params["ngram_range"] = tuple(params["ngram_range"])
    if isinstance(params.get("class_weight"), list): params["class_weight"] = dict(map(tuple, params["class_weight"]))
    if name == "TfidfVectorizer" and saved["params"].get("norm", "l2") is None: params["norm"] = None
    if name in ("CountVectorizer", "TfidfVectorizer"): params["vocabulary"] = saved["vocabulary"]
    model = kinds[name](**params)
    for key in fitted.get(name, ()):
        if key in tensors: setattr(model, key + "_", tensors[key])
    if name == "StandardScaler": model.n_features_in_, model.n_samples_seen_ = saved["n_features_in"], 1
    if name == "LogisticRegression": model.classes_, model.n_features_in_ = np.array(saved["classes"]), tensors["coef"].shape[1]
    if name == "PCA": model.n_components_, model.noise_variance_, model.n_features_in_ = *tensors["components"].shape[:1], saved["noise_variance"], tensors["mean"].size
    if name == "KMeans":
        model.set_params(init=tensors["cluster_centers"], n_init=1, max_iter=1)
        model.fit(tensors["cluster_centers"])
    if name == "KNeighborsClassifier": model.fit(tensors["rows"], np.array(saved["classes"])[tensors["targets"]])
    if name == "OneHotEncoder":
        model.set_params(categories=[np.array(each) for each in saved["categories"]], min_frequency=None, max_categories=None)
        model.fit([[each[0] for each in saved["categories"]]])
    if name == "TfidfVectorizer" and "idf" in tensors: model.idf_ = tensors["idf"]
    return model


def check(folder):
    failures = 0
    for case in json.loads(Path(folder, "cases.json").read_text()):
        model = read(Path(folder, case["folder"]), case["stem"])
        rows = case["texts"] if "texts" in case else case["table"] if "table" in case else np.array(case["x"])
        got = getattr(model, case["call"])(rows)
        got = got.toarray() if hasattr(got, "toarray") else np.asarray(got)
        expected = np.array(case["expected"])
        same = got.shape == expected.shape and (np.allclose(got, expected, atol=1e-6) if got.dtype.kind == "f" else (got == expected).all())
        failures += not same
        print(("ok  " if same else "FAIL"), case["folder"], "" if same else f"{got} {expected}")
    return failures


def write(folder):
    """What scikit-learn fitted, as Bertha reads it, with its answers."""
    x = np.random.default_rng(7).normal(size=(40, 5))
    y = np.where(x[:, 0] > 0, "up", "down")
    cases = []

    def save(model, stem, call, tensors, state=None, params=None):
        name = type(model).__name__
        out = Path(folder, "py-" + name)
        out.mkdir()
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, out / (stem + ".safetensors"))
        saved = {"format": "bertha-learn", "version": 1, "type": name, "params": params or {}, **(state or {})}
        (out / (stem + ".json")).write_text(json.dumps(saved))
        cases.append({"folder": out.name, "type": name, "call": call, "x": x.tolist(), "expected": getattr(model, call)(x).tolist()})

    scaler = StandardScaler().fit(x)
    save(scaler, "scaler", "transform", {"mean": scaler.mean_, "var": scaler.var_, "scale": scaler.scale_}, {"n_features_in": 5}, {"with_mean": True, "with_std": True})
    pca = PCA(3).fit(x)
    save(pca, "pca", "transform", {key: getattr(pca, key + "_") for key in fitted["PCA"]}, {"noise_variance": float(pca.noise_variance_)}, {"n_components": 3, "whiten": False})
    neighbors = KNeighborsClassifier(3, metric="cosine").fit(x, y)
    save(neighbors, "classifier", "predict", {"rows": x, "targets": (y == "up").astype(np.int32)}, {"classes": ["down", "up"]}, {"n_neighbors": 3, "weights": "uniform", "metric": "cosine"})
    logistic = LogisticRegression().fit(x, y)
    save(logistic, "classifier", "predict", {"coef": logistic.coef_, "intercept": logistic.intercept_}, {"classes": ["down", "up"], "n_iter": int(logistic.n_iter_[0]), "converged": True}, {"C": 1.0, "fit_intercept": True})
    Path(folder, "py-cases.json").write_text(json.dumps(cases))
    return 0


sys.exit({"READ": check, "WRITE": write}[sys.argv[1]](sys.argv[2]))

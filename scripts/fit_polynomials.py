"""Fits the polynomials of native/cpu/math-inl.h and prints them as C++ tables, with their error in float32 arithmetic.

    python3 scripts/fit_polynomials.py        needs numpy and scipy

GELU(x) = x Phi(x) = 0.5 x + |x| p(|x|) with p(t) = Phi(t) - 0.5, fitted on 8 equal segments of [0, 5.6], degree 5, in the
local coordinate t - centre. From 5.6 on p rounds to 0.5 in float32.
tanh(x) = x + x^3 q(x^2) on [0, 0.625], degree 4 in x^2.
"""

import numpy as np
from scipy.special import erf, log_ndtr


def minimax(function, low, high, degree, weight=lambda t: np.ones_like(t), rounds=60):
    """Weighted Chebyshev fit by Lawson's iteration on a dense grid; close enough to minimax for float32."""
    t = np.cos(np.linspace(0, np.pi, 4001)) * (high - low) / 2 + (high + low) / 2
    v = np.vander(t, degree + 1, increasing=True)
    w = np.ones_like(t)
    best = None
    for _ in range(rounds):
        scale = np.sqrt(w) * weight(t)
        coefficients = np.linalg.lstsq(v * scale[:, None], function(t) * scale, rcond=None)[0]
        error = np.abs((v @ coefficients - function(t)) * weight(t))
        if best is None or error.max() < best[0]:
            best = (error.max(), coefficients)
        w *= error / error.max() + 1e-12
        w /= w.mean()
    return best


def gelu_table(limit=5.6, segments=8, degree=5):
    width = limit / segments
    rows = []
    for s in range(segments):
        centre = (s + 0.5) * width
        error, coefficients = minimax(lambda t: erf((t + centre) / np.sqrt(2)) / 2, -width / 2, width / 2, degree)
        rows.append(coefficients)
    table = np.array(rows).astype(np.float32).T
    print(f"// p(t) on 8 segments of {width}; row = power, column = segment")
    for power, row in enumerate(table):
        print("{" + ", ".join(f"{value:.9e}f" for value in row) + "},  // t^" + str(power))
    f = np.float32
    x = np.linspace(-8, 8, 4_000_001).astype(f)
    a = np.abs(x)
    index = np.minimum((a * f(1 / width)).astype(np.int32), segments - 1)
    t = a - (index.astype(f) + f(0.5)) * f(width)
    p = table[degree][index]
    for power in range(degree - 1, -1, -1):
        p = (p.astype(np.float64) * t + table[power][index]).astype(f)
    p = np.where(a >= f(limit), f(0.5), p)
    y = (a.astype(np.float64) * p + f(0.5) * x).astype(f)
    exact = x.astype(np.float64) * np.exp(log_ndtr(x.astype(np.float64)))
    print("// largest absolute error of gelu in float32:", np.abs(y - exact).max())


def tanh_polynomial(limit=0.625, degree=4):
    function = lambda u: np.where(u < 1e-9, -1 / 3, (np.tanh(np.sqrt(u)) - np.sqrt(u)) / np.maximum(u, 1e-9) ** 1.5)
    error, coefficients = minimax(function, 1e-6, limit * limit, degree, weight=lambda u: u)
    print("// tanh: q(x^2), increasing powers:", ", ".join(f"{value:.9e}f" for value in coefficients.astype(np.float32)))
    f = np.float32
    x = np.linspace(0, limit, 1_000_001).astype(f)
    u = x * x
    q = np.zeros_like(x)
    for value in coefficients.astype(f)[::-1]:
        q = (q.astype(np.float64) * u + value).astype(f)
    y = ((x * u).astype(np.float64) * q + x).astype(f)
    exact = np.tanh(x.astype(np.float64))
    print("// largest relative error of tanh below", limit, ":", (np.abs(y - exact)[1:] / exact[1:]).max())


if __name__ == "__main__":
    gelu_table()
    tanh_polynomial()

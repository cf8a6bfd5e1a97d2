"""Fits the polynomials of native/cpu/kernels/math-inl.h and native/cuda/device/gelu.cuh and prints them as C++ tables, with their error in float32 arithmetic.

    python3 scripts/fit_polynomials.py        needs numpy and scipy

GELU(x) = x Phi(x) = 0.5 x + |x| p(|x|) with p(t) = Phi(t) - 0.5. For 8 lanes: 8 equal segments of [0, 5.6], degree 5, in the
local coordinate t - centre; from 5.6 on p rounds to 0.5 in float32. For 16 lanes: 16 segments around the multiples of 5.6 / 15,
degree 4, in the local coordinate 15 t / 5.6 - segment; the last one is the constant 0.5. The same with
degree 2, for results that are rounded to 8 bits or bf16.
2^x on [-0.5, 0.5], degree 3, for probabilities that are rounded to bf16.
tanh(x) = x + x^3 q(x^2) on [0, 0.625], degree 4 in x^2.
GELU on CUDA, for 16-bit results: x Phi(x) = max(x, 0) - t exp(-t^2 / 2) Q(t) with t = |x| and Q(t) = erfcx(t / sqrt(2)) / 2, which
falls from 0.5 to 0.067 on [0, 5.75]: degree 9 in t - 3. In powers of t itself, sums of large terms of both signs would cost 1.3 bits.
"""

import numpy as np
from scipy.special import erf, erfc, erfcx, log_ndtr


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


def gelu_table_16(limit=5.6, segments=16, degree=4):
    step = limit / (segments - 1)
    rows = [
        minimax(lambda u: erf((u + s) * step / np.sqrt(2)) / 2, -0.5, 0.5, degree)[1] for s in range(segments)
    ]
    table = np.array(rows)
    table[0, 0::2] = 0  # p is odd
    table[-1] = [0.5] + [0] * degree
    table = table.astype(np.float32).T
    print(f"// p on 16 segments around the multiples of {step}; row = power, column = segment")
    for power, row in enumerate(table):
        print("{" + ", ".join(f"{value:.9e}f" for value in row) + "},  // u^" + str(power))
    f = np.float32
    x = np.linspace(-8, 8, 4_000_001).astype(f)
    a = np.abs(x)
    scaled = np.minimum(a, f(limit)).astype(np.float64) * f(1 / step)
    index = np.rint(scaled).astype(np.int32)
    u = (scaled - index).astype(f)
    p = table[degree][index]
    for power in range(degree - 1, -1, -1):
        p = (p.astype(np.float64) * u + table[power][index]).astype(f)
    y = (a.astype(np.float64) * p + f(0.5) * x).astype(f)
    exact = x.astype(np.float64) * np.exp(log_ndtr(x.astype(np.float64)))
    print("// largest absolute error of gelu in float32:", np.abs(y - exact).max())


def exp2_polynomial(degree=3):
    error, coefficients = minimax(np.exp2, -0.5, 0.5, degree, weight=lambda t: np.exp2(-t))
    print("// 2^x, increasing powers:", ", ".join(f"{value:.9e}f" for value in coefficients.astype(np.float32)))
    print("// largest relative error:", error)


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


def gelu_tail(limit=5.75, centre=3.0, degree=9):
    tail = lambda u: erfcx((u + centre) / np.sqrt(2)) / 2
    error, coefficients = minimax(tail, -centre, limit - centre, degree, weight=lambda u: 1 / tail(u), rounds=300)
    f = np.float32
    coefficients = coefficients.astype(f)
    print("// Q(t), increasing powers of t - 3:", ", ".join(f"{value:.9e}f" for value in coefficients))
    t = np.linspace(0, limit, 2_000_001).astype(f)
    u = t - f(centre)
    q = np.full_like(t, coefficients[-1])
    for value in coefficients[-2::-1]:
        q = (q.astype(np.float64) * u + np.float64(value)).astype(f)
    power = np.exp2((t * (t * f(-0.5 * np.log2(np.e)))).astype(np.float64)).astype(f)
    y = (t * power).astype(f).astype(np.float64) * q
    exact = t.astype(np.float64) * erfc(t.astype(np.float64) / np.sqrt(2)) / 2
    print(f"// relative error of the tail: 2^{np.log2(error):.2f} exact, 2^{np.log2(np.abs(y[1:] / exact[1:] - 1).max()):.2f} in float32")


if __name__ == "__main__":
    gelu_table()
    gelu_table_16()
    gelu_table_16(degree=2)
    exp2_polynomial()
    tanh_polynomial()
    gelu_tail()

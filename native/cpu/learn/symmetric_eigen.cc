#include "cpu/learn/symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/check.h"

namespace bertha::cpu {
namespace {

constexpr int kMostSteps = 60;

// √(a² + b²) without overflow. std::hypot is one of glibc 2.35, beyond what the addon may need.
double length_of(double a, double b) {
    const double longer = std::max(std::fabs(a), std::fabs(b)),
                 shorter = std::min(std::fabs(a), std::fabs(b));
    if (longer == 0.0) return 0.0;
    const double ratio = shorter / longer;
    return longer * std::sqrt(1.0 + ratio * ratio);
}

double dot(const double* a, const double* b, int64_t count) {
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int j = 0; j < 4; j++) sums[j] += a[i + j] * b[i + j];
    for (; i < count; i++) sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// A symmetric matrix as Q T Qᵀ: T has `diagonal` [size] and `beside` [size - 1]; rows of `basis` are Q's
// columns.
struct Tridiagonal {
    int64_t size;
    std::vector<double> diagonal, beside, basis;
};

double* row_of(std::vector<double>& matrix, int64_t size, int64_t row) { return matrix.data() + row * size; }

Tridiagonal reduce(std::vector<double> a, int64_t size) {
    Tridiagonal result{size, std::vector<double>(static_cast<size_t>(size)),
                       std::vector<double>(static_cast<size_t>(size), 0.0),
                       std::vector<double>(static_cast<size_t>(size * size), 0.0)};
    std::vector<double> factors(static_cast<size_t>(size), 0.0), product(static_cast<size_t>(size));
    for (int64_t k = 0; k + 2 < size; k++) {
        // The reflection v that clears row k beyond its neighbour of the diagonal; kept in that row.
        double* v = row_of(a, size, k) + k + 1;
        const int64_t rest = size - k - 1;
        const double length = std::sqrt(dot(v, v, rest));
        const double target = v[0] > 0 ? -length : length;
        result.beside[static_cast<size_t>(k)] = target;
        if (dot(v + 1, v + 1, rest - 1) == 0.0) {
            result.beside[static_cast<size_t>(k)] = v[0];
            continue;
        }
        v[0] -= target;
        const double factor = 2.0 / dot(v, v, rest);
        factors[static_cast<size_t>(k)] = factor;
        for (int64_t i = 0; i < rest; i++)
            product[static_cast<size_t>(i)] = factor * dot(row_of(a, size, k + 1 + i) + k + 1, v, rest);
        const double half = 0.5 * factor * dot(product.data(), v, rest);
        for (int64_t i = 0; i < rest; i++) product[static_cast<size_t>(i)] -= half * v[i];
        for (int64_t i = 0; i < rest; i++) {
            double* row = row_of(a, size, k + 1 + i) + k + 1;
            const double own = v[i], w = product[static_cast<size_t>(i)];
            for (int64_t j = 0; j < rest; j++) row[j] -= own * product[static_cast<size_t>(j)] + w * v[j];
        }
    }
    if (size > 1) result.beside[static_cast<size_t>(size - 2)] = row_of(a, size, size - 2)[size - 1];
    for (int64_t i = 0; i < size; i++) {
        result.diagonal[static_cast<size_t>(i)] = row_of(a, size, i)[i];
        row_of(result.basis, size, i)[i] = 1.0;
    }
    // Qᵀ is the product of the reflections, the last one first: applied to the rows of the basis from the
    // right.
    for (int64_t k = size - 3; k >= 0; k--) {
        const double factor = factors[static_cast<size_t>(k)];
        if (factor == 0.0) continue;
        const double* v = row_of(a, size, k) + k + 1;
        const int64_t rest = size - k - 1;
        for (int64_t i = k + 1; i < size; i++) {
            double* row = row_of(result.basis, size, i) + k + 1;
            const double along = factor * dot(row, v, rest);
            for (int64_t j = 0; j < rest; j++) row[j] -= along * v[j];
        }
    }
    return result;
}

void rotate(double* upper, double* lower, double sine, double cosine, int64_t size) {
    for (int64_t k = 0; k < size; k++) {
        const double u = upper[k], w = lower[k];
        lower[k] = sine * u + cosine * w;
        upper[k] = cosine * u - sine * w;
    }
}

// One QL step on rows first to last of T, with Wilkinson's shift.
void ql_step(Tridiagonal& t, int64_t first, int64_t last) {
    double* d = t.diagonal.data();
    double* e = t.beside.data();
    const double lead = (d[first + 1] - d[first]) / (2.0 * e[first]);
    double g = d[last] - d[first] + e[first] / (lead + std::copysign(length_of(lead, 1.0), lead));
    double sine = 1.0, cosine = 1.0, moved = 0.0;
    for (int64_t i = last - 1; i >= first; i--) {
        const double f = sine * e[i], b = cosine * e[i];
        const double r = length_of(f, g);
        e[i + 1] = r;
        if (r == 0.0) {
            d[i + 1] -= moved;
            e[last] = 0.0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - moved;
        const double s = (d[i] - g) * sine + 2.0 * cosine * b;
        moved = sine * s;
        d[i + 1] = g + moved;
        g = cosine * s - b;
        rotate(row_of(t.basis, t.size, i), row_of(t.basis, t.size, i + 1), sine, cosine, t.size);
    }
    d[first] -= moved;
    e[first] = g;
    e[last] = 0.0;
}

// What an element of T may be and count as 0. It is of the whole and not of the neighbours on the diagonal: a
// matrix of low rank has neighbours that are rounding errors, below which nothing falls.
double negligible(const Tridiagonal& t) {
    double largest = 0.0;
    for (const std::vector<double>* values : {&t.diagonal, &t.beside})
        for (const double value : *values) largest = std::max(largest, std::fabs(value));
    return std::numeric_limits<double>::epsilon() * largest;
}

// The last row of the block that begins at `first`: beyond it T falls apart.
int64_t block_end(const Tridiagonal& t, int64_t first, double least) {
    for (int64_t i = first; i + 1 < t.size; i++)
        if (std::fabs(t.beside[static_cast<size_t>(i)]) <= least) return i;
    return t.size - 1;
}

}  // namespace

SymmetricEigen symmetric_eigen(std::vector<double> matrix, int64_t size) {
    for (double value : matrix)
        BERTHA_CHECK(std::isfinite(value), "NON_FINITE", "expected a matrix of finite numbers");
    Tridiagonal t = reduce(std::move(matrix), size);
    const double least = negligible(t);
    for (int64_t first = 0; first < size; first++) {
        for (int step = 0;; step++) {
            const int64_t last = block_end(t, first, least);
            if (last == first) break;
            BERTHA_CHECK(step < kMostSteps, "INTERNAL", "expected eigenvalues within %d steps", kMostSteps);
            ql_step(t, first, last);
        }
    }
    std::vector<int64_t> order(static_cast<size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return t.diagonal[static_cast<size_t>(a)] > t.diagonal[static_cast<size_t>(b)];
    });
    SymmetricEigen result;
    for (int64_t place : order) {
        result.values.push_back(t.diagonal[static_cast<size_t>(place)]);
        const double* vector = row_of(t.basis, size, place);
        result.vectors.insert(result.vectors.end(), vector, vector + size);
    }
    return result;
}

}  // namespace bertha::cpu

// Steps of word vectors over one set of lanes: included once per instruction set, inside its namespace and
// target pragma. A step of a window is two passes over few rows that stay in the L1 cache: products with as
// many targets at once as hide the latency of an FMA, then both updates while a slice of all targets is in
// registers: 2 N + 2 of them for N targets, of AVX2's 16.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"  // of math-inl.h the sigmoid alone is used here
#endif
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/words/glove-inl.h"

// Of a block of products and of updates. Seven targets are two centre words with five negatives.
constexpr int kMostProducts = kLanes >= 16 ? 8 : 6, kMostTargets = kLanes >= 16 ? 8 : 7;

// The addresses of N rows in local variables, which no store can change: loops keep them in registers.
template <int N>
struct RowPointers {
    explicit RowPointers(float* const* rows) {
        for (int j = 0; j < N; j++) row[j] = rows[j];
    }
    float* row[N];
};

// The products of M inputs with N targets as vectors of partial sums, [M, stride] of them; copies of the
// inputs, [M, width], too where those are wanted. Two inputs at once load each target once for both.
template <int M, int N>
inline void partial_products(const float* const* inputs, float* const* targets, int64_t width, float* partial,
                             int64_t stride, float* copies) {
    const RowPointers<N> rows(targets);
    const float* const first = inputs[0];
    const float* const second = inputs[M - 1];
    VecF sums[M][N];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) sums[i][j] = zero();
    const auto add_products = [&](int64_t z, VecF(&x)[M]) {
        x[0] = load(first + z);
        if (M > 1) x[M - 1] = load(second + z);
        for (int j = 0; j < N; j++) {
            VecF target = load(rows.row[j] + z);
            BERTHA_KEEP_IN_REGISTER(target);
            for (int i = 0; i < M; i++) sums[i][j] = fma(x[i], target, sums[i][j]);
        }
    };
    VecF x[M];
    if (copies == nullptr) {
        for (int64_t z = 0; z < width; z += kLanes) add_products(z, x);
    } else {
        for (int64_t z = 0; z < width; z += kLanes) {
            add_products(z, x);
            for (int i = 0; i < M; i++) store(copies + i * width + z, x[i]);
        }
    }
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) store(partial + (i * stride + j) * kLanes, sums[i][j]);
}

// errors[i] = −rate · sigmoid(Σ partial[i]) for the first `count`, and whatever for those that fill the last
// vector. Of its sums the first kSums are needed.
template <int64_t kSums = kLanes>
inline void negative_errors(const float* partial, int64_t count, float rate, float* errors) {
    for (int64_t i = 0; i < count; i += kLanes)
        store(errors + i, mul(set(-rate), sigmoid(lane_sums<kSums>(partial + i * kLanes))));
}

// inputs += errors · targets, deltas = errorsᵀ · old, for N targets. The deltas are added to the targets at
// once, or kept where a later block still needs the targets as they were.
template <int N>
void update_block(const WindowStep& step, int64_t first, const float* errors, const float* old,
                  float* deltas) {
    const RowPointers<N> rows(step.targets + first);
    float* const* const inputs = step.inputs;
    const int64_t num_inputs = step.num_inputs, num_targets = step.num_targets, width = step.width;
    for (int64_t z = 0; z < width; z += kLanes) {
        VecF targets[N], sums[N];
        for (int j = 0; j < N; j++) {
            targets[j] = load(rows.row[j] + z);
            sums[j] = zero();
        }
        const float* own = errors + first;
        const float* before = old + z;
        for (int64_t i = 0; i < num_inputs; i++, own += num_targets, before += width) {
            float* const input = inputs[i] + z;
            VecF x = load(input);
            const VecF old_x = load(before);
            for (int j = 0; j < N; j++) {
                const VecF error = set(own[j]);
                x = fma(error, targets[j], x);
                sums[j] = fma(error, old_x, sums[j]);
            }
            store(input, x);
        }
        // A target may stand twice: it is loaded again.
        for (int j = 0; j < N; j++) {
            float* place = deltas == nullptr ? rows.row[j] + z : deltas + (first + j) * width + z;
            store(place, deltas == nullptr ? add(load(place), sums[j]) : sums[j]);
        }
    }
}

// `num_inputs` is 1 or 2, `num_targets` up to kMostProducts.
template <int... N>
inline void products_of(int64_t num_inputs, int64_t num_targets, const float* const* inputs,
                        float* const* targets, int64_t width, float* partial, int64_t stride, float* copies,
                        std::integer_sequence<int, N...>) {
    using Function = void (*)(const float* const*, float* const*, int64_t, float*, int64_t, float*);
    constexpr Function functions[][sizeof...(N)] = {{&partial_products<1, N + 1>...},
                                                    {&partial_products<2, N + 1>...}};
    functions[num_inputs - 1][num_targets - 1](inputs, targets, width, partial, stride, copies);
}

template <int... N>
inline void update_of(int64_t count, const WindowStep& step, int64_t first, const float* errors,
                      const float* old, float* deltas, std::integer_sequence<int, N...>) {
    using Function = void (*)(const WindowStep&, int64_t, const float*, const float*, float*);
    constexpr Function functions[] = {&update_block<N + 1>...};
    functions[count - 1](step, first, errors, old, deltas);
}

using ProductCounts = std::make_integer_sequence<int, kMostProducts>;
using TargetCounts = std::make_integer_sequence<int, kMostTargets>;

inline int64_t block_of(int64_t left, int64_t most) { return left < most ? left : most; }

// errors *= times, for the vectors that `count` numbers fill.
inline void multiply_errors(const float* times, int64_t count, float* errors) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(errors + i, mul(load(errors + i), load(times + i)));
    if (i < count) store(errors + i, mul(load(errors + i), load_first(times + i, count - i)));
}

void window_step(const WindowStep& step) {
    const int64_t m = step.num_inputs, t = step.num_targets, width = step.width;
    const int64_t products = (m * t + kScratchLanes) / kScratchLanes * kScratchLanes;
    float* errors = step.scratch;
    float* partial = errors + products + kScratchLanes;
    float* old = partial + (products + kScratchLanes) * kScratchLanes;
    float* deltas = t <= kMostTargets ? nullptr : old + m * width;
    for (int64_t i = 0; i < m; i += 2)
        for (int64_t first = 0; first < t; first += kMostProducts) {
            products_of(m - i < 2 ? 1 : 2, block_of(t - first, kMostProducts), step.inputs + i,
                        step.targets + first, width, partial + (i * t + first) * kLanes, t,
                        first == 0 ? old + i * width : nullptr, ProductCounts());
        }
    negative_errors(partial, m * t, step.rate, errors);
    for (int64_t j = 0; j < t; j++)
        if (step.labels[j] != 0.0f)
            for (int64_t i = 0; i < m; i++) errors[i * t + j] += step.rate * step.labels[j];
    if (step.times != nullptr) multiply_errors(step.times, m * t, errors);
    for (int64_t i = 0; step.leaves_gradients && i < m; i++)
        for (int64_t z = 0; z < width; z += kLanes) store(step.inputs[i] + z, zero());
    for (int64_t first = 0; first < t; first += kMostTargets)
        update_of(block_of(t - first, kMostTargets), step, first, errors, old, deltas, TargetCounts());
    if (deltas == nullptr) return;
    for (int64_t j = 0; j < t; j++)
        for (int64_t z = 0; z < width; z += kLanes)
            store(step.targets[j] + z, add(load(step.targets[j] + z), load(deltas + j * width + z)));
}

// As many targets from the front as differ from each other.
inline int64_t distinct_targets(float* const* targets, int64_t count) {
    const int64_t most = block_of(count, kMostProducts);
    for (int64_t j = 1; j < most; j++)
        for (int64_t i = 0; i < j; i++)
            if (targets[i] == targets[j]) return j;
    return most;
}

// The step of N targets that differ. The gradient begins anew where `is_begin`, and is added to the hidden
// vector where `is_end`.
template <int N>
void hidden_block(const HiddenStep& step, int64_t first, bool is_begin, bool is_end) {
    constexpr int kSums = kLanes < 8 ? kLanes : 8;
    constexpr int kVectors = (N + kSums - 1) / kSums * kSums;
    alignas(64) float partial[kVectors * kLanes], errors[kVectors * kLanes / kSums];
    float* const hidden = step.hidden;
    float* const* const targets = step.targets + first;
    const int64_t width = step.width;
    partial_products<1, N>(&hidden, targets, width, partial, N, nullptr);
    for (int j = N; j < kVectors; j++) store(partial + j * kLanes, zero());
    negative_errors<kSums>(partial, N, step.rate, errors);
    VecF error[N];
    for (int j = 0; j < N; j++) {
        step.errors[first + j] = errors[j] + step.rate * step.labels[first + j];
        error[j] = set(step.errors[first + j]);
    }
    const RowPointers<N> rows(targets);
    float* const sums = step.gradient;
    for (int64_t z = 0; z < width; z += kLanes) {
        VecF gradient = is_begin ? zero() : load(sums + z);
        const VecF x = load(hidden + z);
        for (int j = 0; j < N; j++) {
            const VecF target = load(rows.row[j] + z);
            gradient = fma(error[j], target, gradient);
            store(rows.row[j] + z, fma(error[j], x, target));
        }
        store(sums + z, gradient);
        if (is_end) store(hidden + z, add(x, gradient));
    }
}

template <int... N>
inline void hidden_block_of(int64_t count, const HiddenStep& step, int64_t first, bool is_begin, bool is_end,
                            std::integer_sequence<int, N...>) {
    using Function = void (*)(const HiddenStep&, int64_t, bool, bool);
    constexpr Function functions[] = {&hidden_block<N + 1>...};
    functions[count - 1](step, first, is_begin, is_end);
}

void hidden_step(const HiddenStep& step) {
    const bool has_groups = step.num_groups > 0;
    int64_t first = 0;
    for (int64_t group = 0; first < step.num_targets; group++) {
        const int64_t begin = first, end = has_groups ? step.group_ends[group] : step.num_targets;
        while (first < end) {
            const int64_t count = distinct_targets(step.targets + first, end - first);
            hidden_block_of(count, step, first, first == begin, has_groups && first + count == end,
                            ProductCounts());
            first += count;
        }
    }
}

constexpr int64_t kSliceVectors = 8;

// V vectors from z on of the scaled sum, in registers: each row is read once.
template <int V>
void gather_slice(const float* const* rows, int64_t count, int64_t z, float scale, float* out) {
    VecF sums[V];
    for (int v = 0; v < V; v++) sums[v] = zero();
    for (int64_t i = 0; i < count; i++)
        for (int v = 0; v < V; v++) sums[v] = add(sums[v], load(rows[i] + z + v * kLanes));
    for (int v = 0; v < V; v++) store(out + z + v * kLanes, mul(set(scale), sums[v]));
}

template <int... V>
inline void gather_slices(const float* const* rows, int64_t count, int64_t width, float scale, float* out,
                          std::integer_sequence<int, V...>) {
    using Function = void (*)(const float* const*, int64_t, int64_t, float, float*);
    constexpr Function functions[] = {&gather_slice<V + 1>...};
    for (int64_t z = 0; z < width; z += kSliceVectors * kLanes) {
        const int64_t left = (width - z) / kLanes;
        functions[(left < kSliceVectors ? left : kSliceVectors) - 1](rows, count, z, scale, out);
    }
}

void gather_rows(const float* const* rows, int64_t count, int64_t width, float scale, float* out) {
    gather_slices(rows, count, width, scale, out, std::make_integer_sequence<int, kSliceVectors>());
}

void scatter_rows(const float* addend, int64_t width, float scale, float* const* rows, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        float* const row = rows[i];
        for (int64_t z = 0; z < width; z += kLanes)
            store(row + z, fma(set(scale), load(addend + z), load(row + z)));
    }
}

void row_products(const float* query, const float* rows, int64_t count, int64_t width, int64_t stride,
                  float* out) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        VecF sums[4] = {zero(), zero(), zero(), zero()};
        const float* row = rows + i * stride;
        for (int64_t z = 0; z < width; z += kLanes) {
            const VecF x = load(query + z);
            for (int j = 0; j < 4; j++) sums[j] = fma(x, load(row + j * stride + z), sums[j]);
        }
        for (int j = 0; j < 4; j++) out[i + j] = sum(sums[j]);
    }
    for (; i < count; i++) {
        VecF sums = zero();
        for (int64_t z = 0; z < width; z += kLanes)
            sums = fma(load(query + z), load(rows + i * stride + z), sums);
        out[i] = sum(sums);
    }
}

constexpr WordKernels make_word_table() {
    return {window_step, hidden_step, gather_rows, scatter_rows, glove_steps, row_products};
}

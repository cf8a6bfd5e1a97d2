// Steps of word vectors over one set of lanes: included once per instruction set, inside its namespace and
// target pragma. A step of a window is two passes over few rows that stay in the L1 cache: products with as
// many targets at once as hide the latency of an FMA, then both updates while a slice of all targets is in
// registers: 2 N + 2 of them for N targets, of AVX2's 16.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"  // of math-inl.h the sigmoid alone is used here
#endif
#include "cpu/kernels/math-inl.h"

constexpr int kMostTargets = 6;

// The products of a with N rows as N vectors of partial sums; a copy of `a` too where one is wanted.
template <int N>
inline void partial_products(const float* a, float* const* rows, int64_t width, float* partial, float* copy) {
    VecF sums[N];
    for (int j = 0; j < N; j++) sums[j] = zero();
    for (int64_t z = 0; z < width; z += kLanes) {
        const VecF x = load(a + z);
        if (copy != nullptr) store(copy + z, x);
        for (int j = 0; j < N; j++) sums[j] = fma(x, load(rows[j] + z), sums[j]);
    }
    for (int j = 0; j < N; j++) store(partial + j * kLanes, sums[j]);
}

// errors[i] = −rate · sigmoid(Σ partial[i]) for the first `count`, and whatever for those that fill the last
// vector.
inline void negative_errors(const float* partial, int64_t count, float rate, float* errors) {
    for (int64_t i = 0; i < count; i += kLanes)
        store(errors + i, mul(set(-rate), sigmoid(lane_sums(partial + i * kLanes))));
}

// inputs += errors · targets, deltas = errorsᵀ · old, for N targets. The deltas are added to the targets at
// once, or kept where a later block still needs the targets as they were.
template <int N>
void update_block(const WindowStep& step, int64_t first, const float* errors, const float* old,
                  float* deltas) {
    for (int64_t z = 0; z < step.width; z += kLanes) {
        VecF targets[N], sums[N];
        for (int j = 0; j < N; j++) {
            targets[j] = load(step.targets[first + j] + z);
            sums[j] = zero();
        }
        for (int64_t i = 0; i < step.num_inputs; i++) {
            const float* own = errors + i * step.num_targets + first;
            VecF x = load(step.inputs[i] + z);
            const VecF before = load(old + i * step.width + z);
            for (int j = 0; j < N; j++) {
                const VecF error = set(own[j]);
                x = fma(error, targets[j], x);
                sums[j] = fma(error, before, sums[j]);
            }
            store(step.inputs[i] + z, x);
        }
        for (int j = 0; j < N; j++) {
            float* place = deltas == nullptr ? step.targets[first + j] + z
                                             : deltas + (first + j) * step.width + z;
            store(place, deltas == nullptr ? add(load(place), sums[j]) : sums[j]);
        }
    }
}

template <int... N>
inline void products_of(int64_t count, const float* a, float* const* rows, int64_t width, float* partial,
                        float* copy, std::integer_sequence<int, N...>) {
    using Function = void (*)(const float*, float* const*, int64_t, float*, float*);
    constexpr Function functions[] = {&partial_products<N + 1>...};
    functions[count - 1](a, rows, width, partial, copy);
}

template <int... N>
inline void update_of(int64_t count, const WindowStep& step, int64_t first, const float* errors,
                      const float* old, float* deltas, std::integer_sequence<int, N...>) {
    using Function = void (*)(const WindowStep&, int64_t, const float*, const float*, float*);
    constexpr Function functions[] = {&update_block<N + 1>...};
    functions[count - 1](step, first, errors, old, deltas);
}

using TargetCounts = std::make_integer_sequence<int, kMostTargets>;

inline int64_t block_of(int64_t left) { return left < kMostTargets ? left : kMostTargets; }

void window_step(const WindowStep& step) {
    const int64_t m = step.num_inputs, t = step.num_targets, width = step.width;
    const int64_t products = (m * t + kScratchLanes) / kScratchLanes * kScratchLanes;
    float* errors = step.scratch;
    float* partial = errors + products + kScratchLanes;
    float* old = partial + (products + kScratchLanes) * kScratchLanes;
    float* deltas = t <= kMostTargets ? nullptr : old + m * width;
    for (int64_t i = 0; i < m; i++)
        for (int64_t first = 0; first < t; first += kMostTargets)
            products_of(block_of(t - first), step.inputs[i], step.targets + first, width,
                        partial + (i * t + first) * kLanes, first == 0 ? old + i * width : nullptr,
                        TargetCounts());
    negative_errors(partial, m * t, step.rate, errors);
    for (int64_t j = 0; j < t; j++)
        if (step.labels[j] != 0.0f)
            for (int64_t i = 0; i < m; i++) errors[i * t + j] += step.rate * step.labels[j];
    for (int64_t first = 0; first < t; first += kMostTargets)
        update_of(block_of(t - first), step, first, errors, old, deltas, TargetCounts());
    if (deltas == nullptr) return;
    for (int64_t j = 0; j < t; j++)
        for (int64_t z = 0; z < width; z += kLanes)
            store(step.targets[j] + z, add(load(step.targets[j] + z), load(deltas + j * width + z)));
}

// As many targets from the front as differ from each other.
inline int64_t distinct_targets(float* const* targets, int64_t count) {
    const int64_t most = block_of(count);
    for (int64_t j = 1; j < most; j++)
        for (int64_t i = 0; i < j; i++)
            if (targets[i] == targets[j]) return j;
    return most;
}

template <int N>
void push_block(const HiddenStep& step, int64_t first, const float* errors) {
    VecF error[N];
    for (int j = 0; j < N; j++) error[j] = set(errors[j]);
    float* const* targets = step.targets + first;
    for (int64_t z = 0; z < step.width; z += kLanes) {
        VecF gradient = load(step.gradient + z);
        const VecF hidden = load(step.hidden + z);
        for (int j = 0; j < N; j++) {
            const VecF target = load(targets[j] + z);
            gradient = fma(error[j], target, gradient);
            store(targets[j] + z, fma(error[j], hidden, target));
        }
        store(step.gradient + z, gradient);
    }
}

template <int... N>
inline void push_of(int64_t count, const HiddenStep& step, int64_t first, const float* errors,
                    std::integer_sequence<int, N...>) {
    using Function = void (*)(const HiddenStep&, int64_t, const float*);
    constexpr Function functions[] = {&push_block<N + 1>...};
    functions[count - 1](step, first, errors);
}

void hidden_step(const HiddenStep& step) {
    alignas(64) float partial[kScratchLanes * kLanes] = {}, errors[kScratchLanes];
    for (int64_t first = 0; first < step.num_targets;) {
        const int64_t count = distinct_targets(step.targets + first, step.num_targets - first);
        products_of(count, step.hidden, step.targets + first, step.width, partial, nullptr, TargetCounts());
        negative_errors(partial, count, step.rate, errors);
        for (int64_t j = 0; j < count; j++) {
            errors[j] += step.rate * step.labels[first + j];
            step.errors[first + j] = errors[j];
        }
        push_of(count, step, first, errors, TargetCounts());
        first += count;
    }
}

template <int V>
inline void gather_slice(const float* const* rows, int64_t count, int64_t z, float scale, float* out) {
    VecF sums[V];
    for (int v = 0; v < V; v++) sums[v] = zero();
    for (int64_t i = 0; i < count; i++)
        for (int v = 0; v < V; v++) sums[v] = add(sums[v], load(rows[i] + z + v * kLanes));
    for (int v = 0; v < V; v++) store(out + z + v * kLanes, mul(set(scale), sums[v]));
}

void gather_rows(const float* const* rows, int64_t count, int64_t width, float scale, float* out) {
    int64_t z = 0;
    for (; z + 4 * kLanes <= width; z += 4 * kLanes) gather_slice<4>(rows, count, z, scale, out);
    for (; z < width; z += kLanes) gather_slice<1>(rows, count, z, scale, out);
}

void scatter_rows(const float* addend, int64_t width, float scale, float* const* rows, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        for (int64_t z = 0; z < width; z += kLanes)
            store(rows[i] + z, fma(set(scale), load(addend + z), load(rows[i] + z)));
}

inline VecF clipped(VecF x, float limit) { return max(set(-limit), min(set(limit), x)); }

// Each element learns with eta · its gradient cut at ±clip, divided by the root of its sum of squares as it
// was before; the biases alike, without the cut.
inline void glove_bias(float* row, float* sums, int64_t bias, float before, float gradient) {
    row[bias] = before - gradient / __builtin_sqrtf(sums[bias]);
    sums[bias] += gradient * gradient;
}

float glove_step(const GloveStep& step) {
    const float word_bias = step.word[step.bias], context_bias = step.context[step.bias];
    step.word[step.bias] = 0.0f;
    step.context[step.bias] = 0.0f;
    VecF products[2] = {zero(), zero()};
    int64_t z = 0;
    for (; z + 2 * kLanes <= step.width; z += 2 * kLanes)
        for (int v = 0; v < 2; v++)
            products[v] = fma(load(step.word + z + v * kLanes), load(step.context + z + v * kLanes),
                              products[v]);
    for (; z < step.width; z += kLanes)
        products[0] = fma(load(step.word + z), load(step.context + z), products[0]);
    const float difference = sum(add(products[0], products[1])) + word_bias + context_bias - step.log_count;
    const float weighted = step.weight * difference;
    const VecF factor = set(weighted), eta = set(step.eta), most = set(step.clip), least = set(-step.clip);
    for (z = 0; z < step.width; z += kLanes) {
        const VecF word = load(step.word + z), context = load(step.context + z);
        const VecF word_sums = load(step.word_sums + z), context_sums = load(step.context_sums + z);
        const VecF to_word = mul(eta, max(least, min(most, mul(factor, context)))),
                   to_context = mul(eta, max(least, min(most, mul(factor, word))));
        store(step.word + z, sub(word, mul(to_word, inverse_sqrt(word_sums))));
        store(step.context + z, sub(context, mul(to_context, inverse_sqrt(context_sums))));
        store(step.word_sums + z, fma(to_word, to_word, word_sums));
        store(step.context_sums + z, fma(to_context, to_context, context_sums));
    }
    glove_bias(step.word, step.word_sums, step.bias, word_bias, step.eta * weighted);
    glove_bias(step.context, step.context_sums, step.bias, context_bias, step.eta * weighted);
    return weighted * difference;
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
    return {window_step, hidden_step, gather_rows, scatter_rows, glove_step, row_products};
}

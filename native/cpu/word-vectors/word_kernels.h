// The steps of word vectors as one table of functions per instruction set. Rows are fp32 and padded with
// zeros to `width`, a multiple of kRowFloats; `rate · (label − sigmoid(product))` is exact to 2e-7 and
// saturates. Other threads may write to the same rows meanwhile (hogwild.h): each call then sees a mixture,
// no more.
#pragma once

#include <cstdint>

#include "cpu/kernels.h"

namespace bertha::cpu {

constexpr int64_t kRowFloats = 16;  // a cache line: rows of two words never share one

inline int64_t row_width(int64_t dimensions) {
    return (dimensions + kRowFloats - 1) / kRowFloats * kRowFloats;
}

// Every input row with every target row; all products are from before the step. A row that stands twice
// among the inputs or targets gets both updates.
struct WindowStep {
    float* const* inputs = nullptr;   // [num_inputs] rows
    float* const* targets = nullptr;  // [num_targets] rows
    const float* labels = nullptr;    // [num_targets] 0 or 1
    int64_t num_inputs = 0, num_targets = 0, width = 0;
    float rate = 0.0f;
    float* scratch = nullptr;  // window_scratch(…) floats; begins with the gradients [num_inputs,
                               // num_targets]
    // How often an input meets a target [num_inputs, num_targets], 0 for those that have no part in each
    // other's step; null: 1 everywhere.
    const float* times = nullptr;
    bool leaves_gradients = false;  // of the inputs in their place
};
constexpr int64_t kScratchLanes = 16;  // of the widest instruction set
inline int64_t window_scratch(int64_t inputs, int64_t targets, int64_t width) {
    const int64_t products = (inputs * targets + kScratchLanes) / kScratchLanes * kScratchLanes +
                             kScratchLanes;
    return products * (kScratchLanes + 1) + (inputs + targets) * width;
}

// One hidden vector with targets, one after the other: a target that stands twice is seen as the first time
// left it. With groups the hidden vector follows its gradient behind each of them, and is what is left.
struct HiddenStep {
    float* hidden = nullptr;          // [width]
    float* const* targets = nullptr;  // [num_targets] rows
    const float* labels = nullptr;    // [num_targets]
    int64_t num_targets = 0, width = 0;
    float rate = 0.0f;
    float* gradient = nullptr;            // [width], of the hidden vector; with groups the last one's
    float* errors = nullptr;              // [num_targets] rate · (label − sigmoid)
    const int32_t* group_ends = nullptr;  // [num_groups], rising to num_targets
    int64_t num_groups = 0;
};

// Co-occurrences of GloVe, one after the other. Rows are [width]: the vector, then its bias, then zeros, in
// the last kRowFloats; sums of squares alike.
struct GloveRecord {
    uint16_t word, context;
    float log_count, weight;
};
struct GloveSteps {
    float *words, *word_sums, *contexts, *context_sums;  // of the rows that a record's 0 means
    const GloveRecord* records = nullptr;
    int64_t count = 0, width = 0;
    int64_t bias = 0;  // index of the bias in a row
    float eta = 0.0f, clip = 100.0f;
};

struct WordKernels {
    void (*window_step)(const WindowStep& step);
    void (*hidden_step)(const HiddenStep& step);
    // out = scale · Σ rows
    void (*gather_rows)(const float* const* rows, int64_t count, int64_t width, float scale, float* out);
    // row += scale · addend, for each row in turn
    void (*scatter_rows)(const float* addend, int64_t width, float scale, float* const* rows, int64_t count);
    // Returns Σ weight · difference².
    double (*glove_steps)(const GloveSteps& steps);
    // out[i] = query · rows[i], rows `stride` apart
    void (*row_products)(const float* query, const float* rows, int64_t count, int64_t width, int64_t stride,
                         float* out);
};

const WordKernels* scalar_word_kernels();
const WordKernels* avx2_word_kernels();    // null where they were not compiled
const WordKernels* avx512_word_kernels();  // null where they were not compiled
const WordKernels* neon_word_kernels();    // null where they were not compiled

}  // namespace bertha::cpu

#include "cpu/training/losses/losses.h"

#include <algorithm>
#include <cmath>

#include "cpu/isa/isa.h"

namespace bertha::cpu {
namespace {

// Cross entropy of column `column` of rows [rows, 2] with the row `label`; writes that column of grad.
double column_cross_entropy(const float* logits, int64_t rows, int64_t column, int64_t label, double scale,
                            float* grad) {
    double peak = logits[column], sum = 0.0;
    for (int64_t row = 1; row < rows; row++)
        peak = std::max(peak, static_cast<double>(logits[row * 2 + column]));
    for (int64_t row = 0; row < rows; row++) sum += std::exp(logits[row * 2 + column] - peak);
    const double loss = peak - logits[label * 2 + column] + std::log(sum);
    for (int64_t row = 0; row < rows; row++) {
        const double probability = std::exp(logits[row * 2 + column] - peak) / sum;
        grad[row * 2 + column] = static_cast<float>(scale * (probability - (row == label ? 1.0 : 0.0)));
    }
    return loss;
}

}  // namespace

double choice_cross_entropy(const float* logits, const int32_t* labels, int64_t groups, int64_t choices,
                            float scale, float* grad) {
    const TrainingKernels& kernels = training_kernels();
    CrossEntropyArgs args;
    args.rows = 1;
    args.width = choices;
    args.scale = scale;
    double loss = 0.0;
    for (int64_t group = 0; group < groups; group++) {
        args.logits = logits + group * choices;
        args.labels = labels + group * choices;
        args.grad = grad + group * choices;
        loss += kernels.cross_entropy(args);
    }
    return loss;
}

double span_cross_entropy(const float* logits, const int32_t* spans, const int32_t* offsets,
                          int64_t sequences, float scale, float* grad) {
    double loss = 0.0;
    for (int64_t sequence = 0; sequence < sequences; sequence++) {
        const int64_t begin = offsets[sequence], rows = offsets[sequence + 1] - begin;
        for (int64_t column = 0; column < 2; column++) {
            const int64_t label = spans[sequence * 2 + column];
            float* out = grad + begin * 2;
            if (label >= 0 && label < rows) {
                loss += 0.5 * column_cross_entropy(logits + begin * 2, rows, column, label, 0.5 * scale, out);
            } else {
                for (int64_t row = 0; row < rows; row++) out[row * 2 + column] = 0.0f;
            }
        }
    }
    return loss;
}

}  // namespace bertha::cpu

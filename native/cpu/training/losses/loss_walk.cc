#include "cpu/training/losses/loss_walk.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/isa/isa.h"
#include "cpu/training/losses/losses.h"
#include "cpu/training/losses/sentence_losses.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kUnitFloats = 16384;

const int32_t* required(const Batch& batch, int32_t input, const char* op) {
    const int32_t* numbers = batch.input(input);
    BERTHA_CHECK(numbers != nullptr, "INVALID_ARG", "expected labels or targets for loss %s, got none", op);
    return numbers;
}
const float* required_floats(const Batch& batch, int32_t input, const char* op) {
    return reinterpret_cast<const float*>(required(batch, input, op));
}

// Adds up loss(first row, rows) over blocks of rows, in their order.
template <typename Loss>
double sum_of_rows(const LossValues& values, Team& team, Loss&& loss) {
    const int64_t step = std::max<int64_t>(1, kUnitFloats / std::max<int64_t>(1, values.width));
    std::vector<double> sums(static_cast<size_t>((values.rows + step - 1) / step));
    team.run(static_cast<int64_t>(sums.size()), [&](int64_t unit, int) {
        const int64_t begin = unit * step;
        sums[static_cast<size_t>(unit)] = loss(begin, std::min(step, values.rows - begin));
    });
    double total = 0.0;
    for (const double sum : sums) total += sum;
    return total;
}

CrossEntropyArgs cross_entropy_args(const LossValues& values, const int32_t* labels, int64_t begin,
                                    int64_t count) {
    CrossEntropyArgs args;
    args.logits = values.value + begin * values.width;
    args.labels = labels + begin;
    args.grad = values.grad + begin * values.width;
    args.rows = count;
    args.width = values.width;
    args.scale = values.scale;
    return args;
}

template <typename Kernel>
double element_loss(const LossValues& values, const float* targets, Team& team, Kernel kernel) {
    return sum_of_rows(values, team, [&](int64_t begin, int64_t count) {
        ElementLossArgs args;
        args.logits = values.value + begin * values.width;
        args.targets = targets + begin * values.width;
        args.grad = values.grad + begin * values.width;
        args.rows = count;
        args.width = values.width;
        args.scale = values.scale;
        return kernel(args);
    });
}

SentenceLossArgs sentence_args(const LossValues& values, int64_t columns, const char* op) {
    BERTHA_CHECK(values.rows % columns == 0, "INVALID_ARG",
                 "expected a number of texts that %lld columns divide for loss %s, got %lld",
                 static_cast<long long>(columns), op, static_cast<long long>(values.rows));
    SentenceLossArgs args;
    args.embeddings = values.value;
    args.grad = values.grad;
    args.columns = columns;
    args.count = values.rows / columns;
    args.width = values.width;
    args.scale = values.scale;
    return args;
}

}  // namespace

double run_loss(const ops::CrossEntropy& op, const LossValues& values, const Batch& batch, Team& team) {
    const int32_t* labels = required(batch, op.labels, op.kName);
    return sum_of_rows(values, team, [&](int64_t begin, int64_t count) {
        CrossEntropyArgs args = cross_entropy_args(values, labels, begin, count);
        args.class_weights = op.class_weights.empty() ? nullptr : op.class_weights.data();
        args.label_smoothing = op.label_smoothing;
        return training_kernels().cross_entropy(args);
    });
}

double run_loss(const ops::Distill& op, const LossValues& values, const Batch& batch, Team& team) {
    const int32_t* labels = required(batch, op.labels, op.kName);
    const float* teacher = required_floats(batch, op.teacher, op.kName);
    return sum_of_rows(values, team, [&](int64_t begin, int64_t count) {
        DistillArgs args;
        args.hard = cross_entropy_args(values, labels, begin, count);
        args.teacher = teacher + begin * values.width;
        args.alpha = op.alpha;
        args.temperature = op.temperature;
        return training_kernels().distill(args);
    });
}

double run_loss(const ops::ChoiceCrossEntropy& op, const LossValues& values, const Batch& batch, Team&) {
    BERTHA_CHECK(values.rows % op.choices == 0, "INVALID_ARG",
                 "expected a number of texts that %d choices divide, got %lld", static_cast<int>(op.choices),
                 static_cast<long long>(values.rows));
    return choice_cross_entropy(values.value, required(batch, op.labels, op.kName), values.rows / op.choices,
                                op.choices, values.scale, values.grad);
}

double run_loss(const ops::SpanCrossEntropy& op, const LossValues& values, const Batch& batch, Team&) {
    return span_cross_entropy(values.value, required(batch, op.spans, op.kName),
                              batch.rows(kTokenDomain).offsets, batch.batch_size, values.scale, values.grad);
}

double run_loss(const ops::BinaryCrossEntropy& op, const LossValues& values, const Batch& batch, Team& team) {
    return element_loss(values, required_floats(batch, op.targets, op.kName), team,
                        training_kernels().binary_cross_entropy);
}

double run_loss(const ops::MeanSquaredError& op, const LossValues& values, const Batch& batch, Team& team) {
    return element_loss(values, required_floats(batch, op.targets, op.kName), team,
                        training_kernels().mean_squared_error);
}

double run_loss(const ops::InBatchSoftmax& op, const LossValues& values, const Batch&, Team& team) {
    return in_batch_softmax(sentence_args(values, op.columns, op.kName), op.scale, team);
}

double run_loss(const ops::CosineSimilarity& op, const LossValues& values, const Batch& batch, Team&) {
    return cosine_similarity(sentence_args(values, 2, op.kName), required_floats(batch, op.scores, op.kName));
}

double run_loss(const ops::Cosent& op, const LossValues& values, const Batch& batch, Team&) {
    return cosent(sentence_args(values, 2, op.kName), required_floats(batch, op.scores, op.kName), op.scale);
}

double run_loss(const ops::Triplet& op, const LossValues& values, const Batch&, Team&) {
    return triplet(sentence_args(values, 3, op.kName), op.margin);
}

double run_loss(const ops::Given& op, const LossValues& values, const Batch& batch, Team&) {
    std::memcpy(values.grad, required_floats(batch, op.gradient, op.kName),
                static_cast<size_t>(values.rows * values.width) * sizeof(float));
    return 0.0;
}

}  // namespace bertha::cpu

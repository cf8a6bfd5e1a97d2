#include "cpu/learn/linear_problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "cpu/isa/isa.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

// Chunks are whole blocks of rows.
constexpr int64_t kBlockRows = 64;
// Rows whose scores and gradient are computed while they are in the L1 cache: a multiple of so many, with at
// most so many numbers. Where several classes share the rows the L2 cache is near enough, and a block has
// all.
constexpr int64_t kFewestRows = 8;
constexpr int64_t kCachedNumbers = 3072;
// At most as many chunks, unless they had more blocks than a unit of the pool should take.
constexpr int64_t kMostChunks = 32;
constexpr int64_t kChunkBlocks = 64;
// Numbers of all chunks' gradients.
constexpr int64_t kPartialNumbers = int64_t{1} << 23;
// Numbers that are copied and looked at while they are in the cache.
constexpr int64_t kCopiedNumbers = 2048;

// Copies; returns the first number whose exponent is all ones, an infinity or a NaN, or -1.
template <typename Number, typename Bits>
int64_t copy_finite(const Number* from, Number* to, int64_t count, Bits exponent) {
    for (int64_t begin = 0; begin < count; begin += kCopiedNumbers) {
        const int64_t end = std::min(count, begin + kCopiedNumbers);
        Bits bad = 0;
        for (int64_t i = begin; i < end; i++) {
            Bits bits;
            std::memcpy(&bits, from + i, sizeof bits);
            std::memcpy(to + i, &bits, sizeof bits);
            bad |= static_cast<Bits>((bits & exponent) == exponent);
        }
        if (bad != 0)
            return std::find_if(from + begin, from + end, [](Number x) { return !std::isfinite(x); }) - from;
    }
    return -1;
}

}  // namespace

LinearProblem::LinearProblem(RowKind kind, int64_t rows, int64_t width, int64_t values)
    : kernels_(kernels()), kind_(kind), rows_(rows), width_(width), values_(values) {
    const size_t bytes = kind == RowKind::kFloat ? sizeof(float) : sizeof(double);
    numbers_ = Buffer(static_cast<size_t>(values) * bytes);
    if (kind == RowKind::kSparse) columns_ = Buffer(static_cast<size_t>(values) * sizeof(int32_t));
}

int64_t LinearProblem::put(int64_t first, const float* numbers, int64_t count) {
    BERTHA_CHECK(kind_ == RowKind::kFloat && first >= 0 && count <= values_ - first, "INVALID_ARG",
                 "expected float32 numbers within the rows");
    return copy_finite(numbers, numbers_.floats() + first, count, uint32_t{0x7f800000});
}

int64_t LinearProblem::put(int64_t first, const double* numbers, int64_t count) {
    BERTHA_CHECK(kind_ != RowKind::kFloat && first >= 0 && count <= values_ - first, "INVALID_ARG",
                 "expected float64 numbers within the rows");
    return copy_finite(numbers, numbers_.as<double>() + first, count, uint64_t{0x7ff0} << 48);
}

void LinearProblem::put_columns(int64_t first, const int32_t* columns, int64_t count) {
    BERTHA_CHECK(kind_ == RowKind::kSparse && first >= 0 && count <= values_ - first, "INVALID_ARG",
                 "expected columns of the stored numbers");
    for (int64_t i = 0; i < count; i++)
        BERTHA_CHECK(columns[i] >= 0 && columns[i] < width_, "INVALID_ARG", "expected columns below %lld",
                     static_cast<long long>(width_));
    std::copy(columns, columns + count, columns_.as<int32_t>() + first);
}

void LinearProblem::put_starts(std::vector<int64_t> starts) {
    const bool fits = static_cast<int64_t>(starts.size()) == rows_ + 1 && starts.front() == 0 &&
                      starts.back() == values_ && std::is_sorted(starts.begin(), starts.end());
    BERTHA_CHECK(fits, "INVALID_ARG", "expected %lld rising starts of rows",
                 static_cast<long long>(rows_ + 1));
    starts_ = std::move(starts);
}

void LinearProblem::set_targets(std::vector<int32_t> targets, std::vector<double> weights, int64_t classes) {
    const auto count = static_cast<int64_t>(targets.size());
    BERTHA_CHECK(count == rows_ && (weights.empty() || static_cast<int64_t>(weights.size()) == rows_),
                 "INVALID_ARG", "expected a target and a weight for each row");
    for (int32_t target : targets)
        BERTHA_CHECK(target >= 0 && target < classes, "INVALID_ARG", "expected targets below the classes");
    total_weight_ = weights.empty() ? static_cast<double>(rows_) : 0.0;
    for (double weight : weights) total_weight_ += weight;
    targets_ = std::move(targets);
    sample_weights_ = std::move(weights);
    classes_ = classes;
}

int64_t LinearProblem::chunks(int64_t outputs) const {
    const int64_t blocks = std::max<int64_t>(1, (rows_ + kBlockRows - 1) / kBlockRows);
    const int64_t most = std::max<int64_t>(1, kPartialNumbers / std::max<int64_t>(1, outputs * (width_ + 1)));
    return std::min({blocks, most, std::max(kMostChunks, blocks / kChunkBlocks)});
}

LinearProblem::Range LinearProblem::range(int64_t chunk, int64_t chunks) const {
    const int64_t blocks = (rows_ + kBlockRows - 1) / kBlockRows;
    return {blocks * chunk / chunks * kBlockRows,
            std::min(rows_, blocks * (chunk + 1) / chunks * kBlockRows)};
}

LinearModelArgs LinearProblem::dense_args(Range rows, int64_t outputs) const {
    LinearModelArgs args;
    if (kind_ == RowKind::kFloat)
        args.narrow_rows = numbers_.floats() + rows.begin * width_;
    else
        args.wide_rows = numbers_.as<double>() + rows.begin * width_;
    args.rows = rows.end - rows.begin;
    args.width = width_;
    args.classes = outputs;
    return args;
}

void LinearProblem::widen_rows(Range rows, const double* offset, double* out) const {
    for (int64_t row = rows.begin; row < rows.end; row++, out += width_) {
        if (kind_ == RowKind::kSparse) {
            for (int64_t i = 0; i < width_; i++) out[i] = -offset[i];
            for (int64_t i = starts_[static_cast<size_t>(row)]; i < starts_[static_cast<size_t>(row) + 1];
                 i++)
                out[columns_.as<int32_t>()[i]] += numbers_.as<double>()[i];
        } else if (kind_ == RowKind::kFloat) {
            const float* numbers = numbers_.floats() + row * width_;
            for (int64_t i = 0; i < width_; i++) out[i] = static_cast<double>(numbers[i]) - offset[i];
        } else {
            const double* numbers = numbers_.as<double>() + row * width_;
            for (int64_t i = 0; i < width_; i++) out[i] = numbers[i] - offset[i];
        }
    }
}

int64_t LinearProblem::rows_at_once(int64_t outputs) const {
    if (outputs > 1) return kBlockRows;
    return std::clamp(kCachedNumbers / width_ / kFewestRows * kFewestRows, kFewestRows, kBlockRows);
}

Buffer LinearProblem::make_widened(int64_t outputs) const {
    if (kind_ != RowKind::kFloat) return {};
    return Buffer(static_cast<size_t>(rows_at_once(outputs) * width_) * sizeof(double));
}

void LinearProblem::block_scores(Range rows, int64_t outputs, const double* weights, double* widened,
                                 double* out) const {
    if (kind_ == RowKind::kSparse) {
        for (int64_t row = rows.begin; row < rows.end; row++)
            for (int64_t c = 0; c < outputs; c++) {
                double sum = 0.0;
                for (int64_t i = starts_[static_cast<size_t>(row)]; i < starts_[static_cast<size_t>(row) + 1];
                     i++)
                    sum += numbers_.as<double>()[i] * weights[c * width_ + columns_.as<int32_t>()[i]];
                out[(row - rows.begin) * outputs + c] = sum;
            }
    } else {
        LinearModelArgs args = dense_args(rows, outputs);
        args.weights = weights;
        args.widened = widened;
        args.values = out;
        kernels_.linear_model_scores(args);
    }
    const double* intercepts = weights + outputs * width_;
    for (int64_t row = 0; row < rows.end - rows.begin; row++)
        for (int64_t c = 0; c < outputs; c++) out[row * outputs + c] += intercepts[c];
}

void LinearProblem::block_gradient(Range rows, int64_t outputs, double* widened, double* residuals,
                                   double* gradient) const {
    const int64_t count = rows.end - rows.begin;
    for (int64_t row = 0; row < count; row++)
        for (int64_t c = 0; c < outputs; c++) gradient[outputs * width_ + c] += residuals[row * outputs + c];
    if (kind_ == RowKind::kSparse) {
        for (int64_t row = rows.begin; row < rows.end; row++)
            for (int64_t c = 0; c < outputs; c++) {
                const double residual = residuals[(row - rows.begin) * outputs + c];
                for (int64_t i = starts_[static_cast<size_t>(row)]; i < starts_[static_cast<size_t>(row) + 1];
                     i++)
                    gradient[c * width_ + columns_.as<int32_t>()[i]] += residual * numbers_.as<double>()[i];
            }
        return;
    }
    LinearModelArgs args = dense_args(rows, outputs);
    args.widened = widened;
    args.values = residuals;
    args.gradient = gradient;
    kernels_.linear_model_gradient(args);
}

void LinearProblem::scores(int64_t chunk, int64_t outputs, const double* weights, double* out) const {
    const Range all = range(chunk, chunks(outputs));
    const Buffer widened = make_widened(outputs);
    for (int64_t row = all.begin, count = rows_at_once(outputs); row < all.end; row += count)
        block_scores({row, std::min(all.end, row + count)}, outputs, weights, widened.as<double>(),
                     out + row * outputs);
}

double LinearProblem::residuals(Range rows, double* values) const {
    LogisticArgs args;
    args.values = values;
    args.targets = targets_.data() + rows.begin;
    args.weights = sample_weights_.empty() ? nullptr : sample_weights_.data() + rows.begin;
    args.scale = 1.0 / total_weight_;
    args.rows = rows.end - rows.begin;
    args.outputs = outputs();
    return kernels_.logistic_residuals(args);
}

LinearProblem::Evaluation::Evaluation(std::shared_ptr<const LinearProblem> problem,
                                      const std::vector<double>& weights)
    : problem_(std::move(problem)), weights_(weights.size() * sizeof(double)) {
    std::copy(weights.begin(), weights.end(), weights_.as<double>());
    const int64_t outputs = problem_->outputs();
    chunks_ = problem_->chunks(outputs);
    size_ = outputs * (problem_->width_ + 1) + 1;
    parts_.resize(static_cast<size_t>(chunks_));
    left_.store(chunks_);
}

void LinearProblem::Evaluation::run(int64_t chunk) {
    const LinearProblem& problem = *problem_;
    const int64_t outputs = problem.outputs(), count = problem.rows_at_once(outputs);
    Buffer& part = parts_[static_cast<size_t>(chunk)] = Buffer(static_cast<size_t>(size_) * sizeof(double));
    double* const sums = part.as<double>();
    std::fill_n(sums, size_, 0.0);
    const Buffer values(static_cast<size_t>(count * outputs) * sizeof(double));
    const Buffer widened = problem.make_widened(outputs);
    const Range all = problem.range(chunk, chunks_);
    for (int64_t row = all.begin; row < all.end; row += count) {
        const Range rows{row, std::min(all.end, row + count)};
        problem.block_scores(rows, outputs, weights_.as<double>(), widened.as<double>(), values.as<double>());
        sums[size_ - 1] += problem.residuals(rows, values.as<double>());
        problem.block_gradient(rows, outputs, widened.as<double>(), values.as<double>(), sums);
    }
    if (left_.fetch_sub(1) == 1) add_up();
}

void LinearProblem::Evaluation::add_up() {
    result_.assign(static_cast<size_t>(size_), 0.0);
    for (const Buffer& part : parts_)
        for (size_t i = 0; i < result_.size(); i++) result_[i] += part.as<double>()[i];
}

}  // namespace bertha::cpu

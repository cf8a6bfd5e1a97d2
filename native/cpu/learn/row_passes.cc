#include "cpu/learn/row_passes.h"

#include <algorithm>
#include <utility>

#include "cpu/isa/isa.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kBlockRows = 64;

// Calls take(first row, rows, numbers [rows, width] less the offset) for each block of a chunk.
template <typename Take>
void each_block(const LinearProblem& problem, LinearProblem::Range range, const std::vector<double>& offset,
                Take take) {
    std::vector<double> block(static_cast<size_t>(kBlockRows * problem.width()));
    for (int64_t row = range.begin; row < range.end; row += kBlockRows) {
        const int64_t rows = std::min(kBlockRows, range.end - row);
        problem.widen_rows({row, row + rows}, offset.data(), block.data());
        take(row, rows, block.data());
    }
}

}  // namespace

ChunkSums::ChunkSums(int64_t chunks, int64_t size)
    : size_(static_cast<size_t>(size)), parts_(static_cast<size_t>(chunks)), left_(chunks) {}

double* ChunkSums::begin(int64_t chunk) {
    std::vector<double>& part = parts_[static_cast<size_t>(chunk)];
    part.assign(size_, 0.0);
    return part.data();
}

void ChunkSums::end() {
    if (left_.fetch_sub(1) != 1) return;
    result_.assign(size_, 0.0);
    for (std::vector<double>& part : parts_) {
        for (size_t i = 0; i < size_; i++) result_[i] += part[i];
        part = {};
    }
}

NearestCenters::NearestCenters(ProblemPtr problem, std::vector<double> offset, std::vector<double> centers)
    : problem_(std::move(problem)),
      offset_(std::move(offset)),
      centers_(std::move(centers)),
      count_(static_cast<int64_t>(centers_.size()) / problem_->width()),
      labels_(static_cast<size_t>(problem_->rows())),
      sums_(problem_->chunks(count_), count_ * (problem_->width() + 1)) {
    for (int64_t c = 0; c < count_; c++) {
        double sum = 0.0;
        for (int64_t i = 0; i < problem_->width(); i++) {
            const double value = centers_[static_cast<size_t>(c * problem_->width() + i)];
            sum += value * value;
        }
        half_squares_.push_back(sum / 2);
    }
}

void NearestCenters::run(int64_t chunk) {
    const int64_t width = problem_->width();
    double* sums = sums_.begin(chunk);
    std::vector<double> scores(static_cast<size_t>(kBlockRows * count_));
    const auto range = problem_->range(chunk, sums_.chunks());
    each_block(*problem_, range, offset_, [&](int64_t first, int64_t rows, const double* block) {
        LinearModelArgs args;
        args.wide_rows = block;
        args.weights = centers_.data();
        args.values = scores.data();
        args.rows = rows;
        args.width = width;
        args.classes = count_;
        kernels().linear_model_scores(args);
        for (int64_t row = 0; row < rows; row++) {
            // |x - c|² is smallest where x · c - |c|² / 2 is largest.
            const double* own = scores.data() + row * count_;
            int64_t best = 0;
            for (int64_t c = 1; c < count_; c++)
                if (own[c] - half_squares_[static_cast<size_t>(c)] >
                    own[best] - half_squares_[static_cast<size_t>(best)])
                    best = c;
            labels_[static_cast<size_t>(first + row)] = static_cast<int32_t>(best);
            sums[count_ * width + best] += 1.0;
            for (int64_t i = 0; i < width; i++) sums[best * width + i] += block[row * width + i];
        }
    });
    sums_.end();
}

void center_distances(const LinearProblem& problem, int64_t chunk, int64_t chunks,
                      const std::vector<double>& centers, const std::vector<int32_t>& labels, double* out) {
    const int64_t width = problem.width();
    const std::vector<double> origin(static_cast<size_t>(width), 0.0);
    each_block(
        problem, problem.range(chunk, chunks), origin, [&](int64_t first, int64_t rows, const double* block) {
            for (int64_t row = 0; row < rows; row++) {
                const double* center = centers.data() + labels[static_cast<size_t>(first + row)] * width;
                double sum = 0.0;
                for (int64_t i = 0; i < width; i++) {
                    const double difference = block[row * width + i] - center[i];
                    sum += difference * difference;
                }
                out[first + row] = sum;
            }
        });
}

ColumnProducts::ColumnProducts(ProblemPtr problem, std::vector<double> offset)
    : problem_(std::move(problem)),
      offset_(std::move(offset)),
      sums_(problem_->chunks(problem_->width()), problem_->width() * problem_->width()) {}

void ColumnProducts::run(int64_t chunk) {
    double* sums = sums_.begin(chunk);
    const auto range = problem_->range(chunk, sums_.chunks());
    each_block(*problem_, range, offset_, [&](int64_t, int64_t rows, double* block) {
        LinearModelArgs args;
        args.wide_rows = block;
        args.values = block;
        args.gradient = sums;
        args.rows = rows;
        args.width = problem_->width();
        args.classes = problem_->width();
        kernels().linear_model_gradient(args);
    });
    sums_.end();
}

}  // namespace bertha::cpu

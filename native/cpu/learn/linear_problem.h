// The data of a linear model in native memory, and what fitting and using one computes over it: scores, and
// the loss of logistic regression with its gradient. Everything is summed in float64 over chunks with fixed
// borders, whose sums are added in order: results do not depend on threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/kernels.h"
#include "engine/allocator.h"

namespace bertha::cpu {

enum class RowKind { kFloat, kDouble, kSparse };

class LinearProblem {
public:
    // Throws OUT_OF_MEMORY. `values` counts the numbers of all rows: rows · width, or those that are stored.
    LinearProblem(RowKind kind, int64_t rows, int64_t width, int64_t values);

    RowKind kind() const { return kind_; }
    int64_t rows() const { return rows_; }
    int64_t width() const { return width_; }
    int64_t values() const { return values_; }

    // Copies numbers to their place; returns the first one that is not finite, -1 for none. Throws
    // INVALID_ARG outside of the memory.
    int64_t put(int64_t first, const float* numbers, int64_t count);
    int64_t put(int64_t first, const double* numbers, int64_t count);
    void put_columns(int64_t first, const int32_t* columns, int64_t count);
    // Where each row begins among the stored values [rows + 1]. Throws INVALID_ARG.
    void put_starts(std::vector<int64_t> starts);
    // The class of each row and its weight; no weights: 1. Throws INVALID_ARG.
    void set_targets(std::vector<int32_t> targets, std::vector<double> weights, int64_t classes);

    // Classes that have a row of weights: 1 for two classes.
    int64_t outputs() const { return classes_ == 2 ? 1 : classes_; }
    // Rows of a chunk, and into how many of them a pass cuts the rows that sums up `outputs` rows of numbers.
    struct Range {
        int64_t begin, end;
    };
    int64_t chunks(int64_t outputs) const;
    Range range(int64_t chunk, int64_t chunks) const;
    // Rows less `offset` [width] as [end - begin, width].
    void widen_rows(Range rows, const double* offset, double* out) const;
    // scores [end - begin, outputs] of a chunk: weights [outputs, width], then intercepts [outputs].
    void scores(int64_t chunk, int64_t outputs, const double* weights, double* out) const;

    // One evaluation of the mean logistic loss. The unit that ends last adds the chunks up.
    class Evaluation {
    public:
        Evaluation(std::shared_ptr<const LinearProblem> problem, const std::vector<double>& weights);
        int64_t units() const { return chunks_; }
        void run(int64_t chunk);
        // [outputs, width], intercepts [outputs], the loss.
        const std::vector<double>& result() const { return result_; }

    private:
        void add_up();
        std::shared_ptr<const LinearProblem> problem_;
        Buffer weights_;
        int64_t chunks_, size_;
        std::vector<Buffer> parts_;
        std::atomic<int64_t> left_;
        std::vector<double> result_;
    };

private:
    // Dense rows as the kernels take them, without weights and values.
    LinearModelArgs dense_args(Range rows, int64_t outputs) const;
    int64_t rows_at_once(int64_t outputs) const;
    // Where float32 rows lie in float64 between their scores and their gradient.
    Buffer make_widened(int64_t outputs) const;
    void block_scores(Range rows, int64_t outputs, const double* weights, double* widened, double* out) const;
    void block_gradient(Range rows, int64_t outputs, double* widened, double* residuals,
                        double* gradient) const;
    // Scores become residuals; returns the loss.
    double residuals(Range rows, double* values) const;

    const KernelTable& kernels_;
    const RowKind kind_;
    const int64_t rows_, width_, values_;
    Buffer numbers_, columns_;
    std::vector<int64_t> starts_;
    std::vector<int32_t> targets_;
    std::vector<double> sample_weights_;
    int64_t classes_ = 0;
    double total_weight_ = 0.0;
};

}  // namespace bertha::cpu

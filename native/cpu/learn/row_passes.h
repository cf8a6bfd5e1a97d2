// What clusters and principal components need of rows in native memory: the nearest centre of each, and the
// covariance of the columns. In float64, over chunks with fixed borders whose sums are added in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/learn/linear_problem.h"

namespace bertha::cpu {

using ProblemPtr = std::shared_ptr<const LinearProblem>;

// Sums over chunks. The unit that ends last adds the chunks up.
class ChunkSums {
public:
    ChunkSums(int64_t chunks, int64_t size);
    int64_t chunks() const { return static_cast<int64_t>(parts_.size()); }
    // The sums of a chunk, at first 0.
    double* begin(int64_t chunk);
    void end();
    const std::vector<double>& result() const { return result_; }

private:
    size_t size_;
    std::vector<std::vector<double>> parts_;
    std::atomic<int64_t> left_;
    std::vector<double> result_;
};

// The nearest of `centers` [count, width] for each row, all seen from `offset` [width].
class NearestCenters {
public:
    NearestCenters(ProblemPtr problem, std::vector<double> offset, std::vector<double> centers);
    int64_t units() const { return sums_.chunks(); }
    void run(int64_t chunk);
    // [rows]; of centres equally near the first.
    const std::vector<int32_t>& labels() const { return labels_; }
    // The sums of each centre's rows less the offset [count, width], then how many rows they are [count].
    const std::vector<double>& sums() const { return sums_.result(); }

private:
    ProblemPtr problem_;
    std::vector<double> offset_, centers_, half_squares_;
    int64_t count_;
    std::vector<int32_t> labels_;
    ChunkSums sums_;
};

// Squared distances [end - begin] of a chunk's rows to their centres, summed from differences.
void center_distances(const LinearProblem& problem, int64_t chunk, int64_t chunks,
                      const std::vector<double>& centers, const std::vector<int32_t>& labels, double* out);

// Products of all pairs of columns, less `offset`, summed over the rows [width, width].
class ColumnProducts {
public:
    ColumnProducts(ProblemPtr problem, std::vector<double> offset);
    int64_t units() const { return sums_.chunks(); }
    void run(int64_t chunk);
    const std::vector<double>& result() const { return sums_.result(); }

private:
    ProblemPtr problem_;
    std::vector<double> offset_;
    ChunkSums sums_;
};

}  // namespace bertha::cpu

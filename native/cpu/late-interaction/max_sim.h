// MaxSim of late interaction (ColBERT): for each vector of a query the largest product with a vector of the
// document, summed over the query. Products are those of vector_search.h: float64 sums with the same bits on
// every instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/kernels.h"

namespace bertha::cpu {

class MaxSim {
public:
    // Copies what it is given. query [query_rows, width]; documents [rows, width], document i is rows
    // offsets[i] .. offsets[i + 1], at least one. Throws OUT_OF_MEMORY.
    MaxSim(const float* query, int64_t query_rows, int64_t width, const float* documents,
           std::vector<int32_t> offsets);

    int64_t documents() const { return static_cast<int64_t>(scores_.size()); }
    // Computes the score of one document; several may be computed at once.
    void score(int64_t document);
    const std::vector<double>& scores() const { return scores_; }

private:
    const KernelTable& kernels_;
    const int64_t query_rows_, width_;
    std::vector<double> query_;
    std::vector<float> rows_;
    const std::vector<int32_t> offsets_;
    std::vector<double> scores_;
};

}  // namespace bertha::cpu

// Exact search: the rows nearest to each of some queries, and all cosines or dot products with them. Rows
// come in blocks, of which several may be computed at once; a block is cut into units for the threads. Scores
// are float64 sums that have the same bits on every instruction set, so results do not depend on blocks,
// units or threads either.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cpu/kernels.h"
#include "engine/allocator.h"

namespace bertha::cpu {

// Vectors that the caller keeps: [count, width], float32 or float64.
struct VectorRows {
    const void* data = nullptr;
    bool is_double = false;
    int64_t count = 0;
};

struct Match {
    double score;
    int64_t index;
    // Higher scores are better; of equal ones the lower index.
    bool is_better_than(const Match& other) const {
        return score > other.score || (score == other.score && index < other.index);
    }
};

class VectorSearch {
public:
    struct Options {
        int64_t width = 0;
        bool cosine = true;
        // Keeps the top_k best matches of each query whose score is at least the threshold.
        int64_t top_k = 0;
        double threshold = 0.0;
    };
    // Copies the queries. Throws OUT_OF_MEMORY.
    VectorSearch(const VectorRows& queries, const Options& options);

    int64_t queries() const { return queries_; }
    int64_t width() const { return options_.width; }

    // A copy of rows whose first has the index `first`.
    struct Block {
        Buffer data;
        bool is_double = false;
        int64_t first = 0;
        int64_t count = 0;
    };
    Block copy(const VectorRows& rows, int64_t first);
    void give_back(Block&& block);

    // The units of a block, and one of them. Throws NON_FINITE for a row without a finite length.
    int64_t units(int64_t rows) const { return query_groups_ * segments(rows); }
    void search(const Block& block, int64_t unit);
    // The same without choosing: scores [queries, block.count] in float32.
    void score(const Block& block, int64_t unit, float* scores) const;

    // Sorts what was found, a unit for each group of queries.
    int64_t sort_units() const { return query_groups_; }
    void sort(int64_t unit);
    const std::vector<Match>& matches(int64_t query) const { return matches_[static_cast<size_t>(query)]; }

    // Nobody waits any more: units that have not started do nothing.
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

private:
    template <typename Take>
    void visit(const Block& block, int64_t unit, bool must_be_finite, Take&& take) const;
    int64_t segments(int64_t rows) const { return (rows + segment_rows_ - 1) / segment_rows_; }
    Match cutoff(int64_t query) const;
    void keep(int64_t query, const Match& match);

    const KernelTable& kernels_;
    const Options options_;
    const int64_t queries_;
    const bool is_double_;
    int64_t group_queries_ = 1, query_groups_ = 1, segment_rows_ = 1;
    Buffer values_;                              // [queries, width] float64
    std::vector<double> norms_;                  // [queries]
    std::vector<std::vector<Match>> matches_;    // by query; a heap with the worst in front, until sorted
    std::unique_ptr<std::mutex[]> group_mutex_;  // guards the matches of a group
    std::mutex spare_mutex_;
    std::vector<Buffer> spare_;  // of earlier blocks
    std::atomic<bool> cancelled_{false};
};

}  // namespace bertha::cpu

// The rows of word vectors that are most similar to given vectors. The matrix is read where it lies: one pass
// of float32 products over ranges of rows, which the pool's threads take, and the best of them once more in
// float64.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "cpu/vector_search.h"
#include "cpu/word-vectors/word_kernels.h"
#include "cpu/word-vectors/word_vectors.h"
#include "engine/pool/merged_runs.h"

namespace bertha::cpu {

struct WordQuery {
    std::vector<double> vectors;  // [count, dimensions], not necessarily of length 1
    int64_t count = 0;
    int64_t top_n = 10;
    int64_t rows = 0;               // searched from the front
    std::vector<int64_t> excluded;  // rows that no query finds
    // 3CosMul of Levy and Goldberg 2014: the vectors make one query, the first `num_positive` of them
    // multiply, the others divide; cosines as (1 + cos) / 2. -1: each vector is a query, by its cosine.
    int64_t num_positive = -1;
    // All rows whose cosine is greater, however many they are, instead of the best `top_n`; NaN: no such
    // bound.
    double above = std::numeric_limits<double>::quiet_NaN();
};

// Rows of all queries, one query behind the other, the best first.
struct FoundRows {
    std::vector<int32_t> rows;
    std::vector<double> scores;
    std::vector<int32_t> counts;  // by query
};

class WordSearch {
public:
    WordSearch(std::shared_ptr<const WordVectors> vectors, WordQuery query);

    int64_t units() const { return (query_.rows + unit_rows_ - 1) / unit_rows_; }
    void search(int64_t unit);
    // After all units: a piece of scoring and sorting what was found; false when all is done.
    bool finish_some();
    const FoundRows& found() const { return found_; }
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

private:
    double exact_score(int64_t query, int64_t row) const;
    double cosine(int64_t vector, int64_t row) const;
    bool is_product() const { return query_.num_positive >= 0; }
    bool has_bound() const { return !std::isnan(query_.above); }
    void keep(std::vector<Match>& best, const Match& match) const;
    void keep_all(const std::vector<float>& scores, int64_t query, int64_t begin,
                  std::vector<Match>& all) const;

    const std::shared_ptr<const WordVectors> vectors_;
    const WordQuery query_;
    const WordKernels& kernels_;
    int64_t unit_rows_, kept_;
    std::vector<float> rounded_;  // [count, width], of length 1
    std::vector<double> norms_;   // of the vectors
    std::mutex mutex_;
    std::vector<std::vector<Match>> matches_;  // by query; heaps with the worst in front
    std::atomic<bool> cancelled_{false};
    struct IsBetter {
        bool operator()(const Match& a, const Match& b) const { return a.is_better_than(b); }
    };
    // What is being finished: a query's matches up to `next_match_` have their scores.
    size_t finished_ = 0, next_match_ = 0;
    std::unique_ptr<MergedRuns<Match, IsBetter>> order_;
    bool is_ordered_ = false;
    FoundRows found_;
};

}  // namespace bertha::cpu

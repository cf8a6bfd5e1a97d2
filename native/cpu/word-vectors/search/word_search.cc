#include "cpu/word-vectors/search/word_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cpu/isa/isa.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kUnitProducts = int64_t{1} << 21;  // below a millisecond
constexpr int64_t kMargin = 16;                      // matches kept beyond those wanted, for the exact scores
constexpr double kCosMulEpsilon = 1e-6;
constexpr size_t kMatchesPerStep = 1 << 12;
constexpr double kRounding = 1e-3;  // more than float32 products of vectors of length 1 are off

bool is_worse_in_front(const Match& a, const Match& b) { return a.is_better_than(b); }

}  // namespace

WordSearch::WordSearch(std::shared_ptr<const WordVectors> vectors, WordQuery query)
    : vectors_(std::move(vectors)),
      query_(std::move(query)),
      kernels_(word_kernels()),
      unit_rows_(std::max<int64_t>(16, kUnitProducts / (vectors_->width * query_.count))),
      kept_(query_.top_n + kMargin),
      rounded_(static_cast<size_t>(query_.count * vectors_->width)),
      matches_(static_cast<size_t>(is_product() ? 1 : query_.count)) {
    for (int64_t i = 0; i < query_.count; i++) {
        const double* vector = query_.vectors.data() + i * vectors_->dimensions;
        double squares = 0.0;
        for (int64_t z = 0; z < vectors_->dimensions; z++) squares += vector[z] * vector[z];
        norms_.push_back(std::sqrt(squares));
        for (int64_t z = 0; z < vectors_->dimensions && squares > 0.0; z++)
            rounded_[static_cast<size_t>(i * vectors_->width + z)] = static_cast<float>(vector[z] /
                                                                                        norms_.back());
    }
}

void WordSearch::keep(std::vector<Match>& best, const Match& match) const {
    if (static_cast<int64_t>(best.size()) == kept_) {
        if (!match.is_better_than(best.front())) return;
        std::pop_heap(best.begin(), best.end(), is_worse_in_front);
        best.pop_back();
    }
    best.push_back(match);
    std::push_heap(best.begin(), best.end(), is_worse_in_front);
}

void WordSearch::search(int64_t unit) {
    if (cancelled_.load(std::memory_order_relaxed)) return;
    const int64_t begin = unit * unit_rows_, count = std::min(unit_rows_, query_.rows - begin);
    std::vector<float> products(static_cast<size_t>(count)), scores;
    std::vector<std::vector<Match>> best(matches_.size());
    for (int64_t i = 0; i < query_.count; i++) {
        kernels_.row_products(rounded_.data() + i * vectors_->width, vectors_->row(begin), count,
                              vectors_->width, vectors_->width, products.data());
        for (int64_t row = 0; row < count; row++)
            products[static_cast<size_t>(row)] *= vectors_->inverse_norms[static_cast<size_t>(begin + row)];
        if (is_product()) {
            scores.resize(static_cast<size_t>(count), 1.0f);
            for (size_t row = 0; row < scores.size(); row++) {
                const float share = (1.0f + products[row]) / 2.0f;
                scores[row] = i < query_.num_positive
                                  ? scores[row] * share
                                  : scores[row] / (share + static_cast<float>(kCosMulEpsilon));
            }
            if (i + 1 < query_.count) continue;
        }
        const std::vector<float>& final_scores = is_product() ? scores : products;
        std::vector<Match>& own = best[is_product() ? 0 : static_cast<size_t>(i)];
        if (has_bound()) {
            keep_all(final_scores, i, begin, own);
            continue;
        }
        for (int64_t row = 0; row < count; row++) {
            const Match match{static_cast<double>(final_scores[static_cast<size_t>(row)]), begin + row};
            if (static_cast<int64_t>(own.size()) == kept_ && !match.is_better_than(own.front())) continue;
            if (!std::binary_search(query_.excluded.begin(), query_.excluded.end(), begin + row))
                keep(own, match);
        }
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t query = 0; query < best.size(); query++) {
        if (has_bound())
            matches_[query].insert(matches_[query].end(), best[query].begin(), best[query].end());
        else
            for (const Match& match : best[query]) keep(matches_[query], match);
    }
}

// Of rows from `begin` on, those whose exact scores are above the bound.
void WordSearch::keep_all(const std::vector<float>& scores, int64_t query, int64_t begin,
                          std::vector<Match>& all) const {
    for (size_t i = 0; i < scores.size(); i++) {
        const int64_t row = begin + static_cast<int64_t>(i);
        if (static_cast<double>(scores[i]) < query_.above - kRounding ||
            std::binary_search(query_.excluded.begin(), query_.excluded.end(), row))
            continue;
        const double score = exact_score(query, row);
        if (score > query_.above) all.push_back({score, row});
    }
}

double WordSearch::cosine(int64_t vector, int64_t row) const {
    double product = 0.0, squares = 0.0;
    const double* wanted = query_.vectors.data() + vector * vectors_->dimensions;
    for (int64_t z = 0; z < vectors_->dimensions; z++) {
        const double x = vectors_->row(row)[z];
        product += wanted[z] * x;
        squares += x * x;
    }
    const double lengths = norms_[static_cast<size_t>(vector)] * std::sqrt(squares);
    return lengths > 0.0 ? product / lengths : 0.0;
}

double WordSearch::exact_score(int64_t query, int64_t row) const {
    if (!is_product()) return cosine(query, row);
    double above = 1.0, below = 1.0;
    for (int64_t i = 0; i < query_.count; i++)
        (i < query_.num_positive ? above : below) *= (1.0 + cosine(i, row)) / 2.0;
    return above / (below + kCosMulEpsilon);
}

bool WordSearch::finish_some() {
    if (finished_ == matches_.size()) return false;
    std::vector<Match>& own = matches_[finished_];
    if (order_ == nullptr) {
        order_ = std::make_unique<MergedRuns<Match, IsBetter>>(IsBetter{});
        next_match_ = 0;
        is_ordered_ = false;
        found_.counts.push_back(0);
    }
    const size_t begin = next_match_, end = std::min(own.size(), begin + kMatchesPerStep);
    if (begin < own.size()) {
        for (; next_match_ < end; next_match_++)
            if (!has_bound())
                own[next_match_].score = exact_score(static_cast<int64_t>(finished_), own[next_match_].index);
        order_->add_run(own.data() + begin, own.data() + end);
        if (end < own.size()) return true;
    }
    if (!std::exchange(is_ordered_, true)) order_->begin_merge();
    int32_t& count = found_.counts.back();
    for (size_t i = 0; i < kMatchesPerStep; i++) {
        const Match* const match = has_bound() || count < query_.top_n ? order_->next() : nullptr;
        if (match == nullptr) {
            finished_++;
            order_.reset();
            std::vector<Match>().swap(own);
            return finished_ < matches_.size();
        }
        found_.rows.push_back(static_cast<int32_t>(match->index));
        found_.scores.push_back(match->score);
        count++;
    }
    return true;
}

}  // namespace bertha::cpu

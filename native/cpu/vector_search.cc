#include "cpu/vector_search.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/isa/isa.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

// Multiplications of a unit: about a millisecond, which is how long something interactive may have to wait.
constexpr int64_t kUnitProducts = int64_t{1} << 24;
// Queries that share a panel's transposition; more would not fit the caches beside it.
constexpr int64_t kGroupQueries = 128;
constexpr size_t kMostSpare = 8;

int64_t element_bytes(bool is_double) { return is_double ? 8 : 4; }

struct WorseInFront {
    bool operator()(const Match& a, const Match& b) const { return a.is_better_than(b); }
};

}  // namespace

VectorSearch::VectorSearch(const VectorRows& queries, const Options& options)
    : kernels_(cpu::kernels()),
      options_(options),
      queries_(queries.count),
      is_double_(queries.is_double),
      values_(static_cast<size_t>(queries.count * options.width) * sizeof(double)),
      norms_(static_cast<size_t>(queries.count)),
      matches_(static_cast<size_t>(queries.count)) {
    group_queries_ = std::min({kGroupQueries, queries_, kUnitProducts / (kernels_.lanes * options.width)});
    group_queries_ = std::max<int64_t>(1, group_queries_);
    query_groups_ = (queries_ + group_queries_ - 1) / group_queries_;
    segment_rows_ = std::max<int64_t>(1, kUnitProducts / (group_queries_ * options.width) / kernels_.lanes) *
                    kernels_.lanes;
    group_mutex_.reset(new std::mutex[static_cast<size_t>(std::max<int64_t>(1, query_groups_))]);
    double* values = values_.as<double>();
    const int64_t count = queries_ * options.width;
    if (is_double_)
        std::memcpy(values, queries.data, static_cast<size_t>(count) * sizeof(double));
    else
        std::copy_n(static_cast<const float*>(queries.data), count, values);
    for (int64_t query = 0; query < queries_; query++) {
        double squares = 0.0;
        for (int64_t k = 0; k < options.width; k++, values++) squares += *values * *values;
        norms_[static_cast<size_t>(query)] = std::sqrt(squares);
    }
}

VectorSearch::Block VectorSearch::copy(const VectorRows& rows, int64_t first) {
    Block block;
    const auto bytes = static_cast<size_t>(rows.count * options_.width * element_bytes(rows.is_double));
    {
        const std::lock_guard<std::mutex> lock(spare_mutex_);
        if (!spare_.empty()) {
            block.data = std::move(spare_.back());
            spare_.pop_back();
        }
    }
    block.data.reserve(bytes);
    block.is_double = rows.is_double;
    block.first = first;
    block.count = rows.count;
    if (bytes > 0) std::memcpy(block.data.as<void>(), rows.data, bytes);
    return block;
}

void VectorSearch::give_back(Block&& block) {
    const std::lock_guard<std::mutex> lock(spare_mutex_);
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(block.data));
}

// Calls take(query, row, count, scores) for each query of the unit and each panel of `count` rows.
template <typename Take>
void VectorSearch::visit(const Block& block, int64_t unit, bool must_be_finite, Take&& take) const {
    const int64_t width = options_.width, lanes = kernels_.lanes;
    const int64_t first = unit % query_groups_ * group_queries_,
                  queries = std::min(group_queries_, queries_ - first);
    const int64_t begin = unit / query_groups_ * segment_rows_,
                  end = std::min(block.count, begin + segment_rows_);
    const Buffer scratch(static_cast<size_t>((width + queries) * lanes) * sizeof(double));
    double* panel = scratch.as<double>();
    std::vector<double> norms(static_cast<size_t>(lanes));
    ProductArgs args;
    args.queries = values_.as<double>() + first * width;
    args.panel = panel;
    args.query_norms = options_.cosine ? norms_.data() + first : nullptr;
    args.row_norms = norms.data();
    args.out = panel + width * lanes;
    args.count = queries;
    args.width = width;
    args.exact = !is_double_ && !block.is_double;
    for (int64_t row = begin; row < end && !cancelled_.load(std::memory_order_relaxed); row += lanes) {
        const int64_t count = std::min(lanes, end - row);
        if (block.is_double)
            kernels_.pack_wide_products(block.data.as<double>() + row * width, width, count, width, panel);
        else
            kernels_.pack_products(block.data.as<float>() + row * width, width, count, width, panel);
        if (options_.cosine || must_be_finite) kernels_.panel_squares(panel, width, norms.data());
        for (int64_t i = 0; must_be_finite && i < count; i++)
            BERTHA_CHECK(std::isfinite(norms[static_cast<size_t>(i)]), "NON_FINITE", "%lld",
                         static_cast<long long>(block.first + row + i));
        for (double& norm : norms) norm = std::sqrt(norm);
        kernels_.products(args);
        for (int64_t query = 0; query < queries; query++)
            take(first + query, row, count, args.out + query * lanes);
    }
}

// What a match must be better than to be kept.
Match VectorSearch::cutoff(int64_t query) const {
    const std::vector<Match>& heap = matches_[static_cast<size_t>(query)];
    if (static_cast<int64_t>(heap.size()) == options_.top_k && !heap.empty()) return heap.front();
    return {options_.threshold, std::numeric_limits<int64_t>::max()};
}

void VectorSearch::keep(int64_t query, const Match& match) {
    std::vector<Match>& heap = matches_[static_cast<size_t>(query)];
    if (!match.is_better_than(cutoff(query))) return;
    if (static_cast<int64_t>(heap.size()) == options_.top_k) {
        std::pop_heap(heap.begin(), heap.end(), WorseInFront());
        heap.pop_back();
    }
    heap.push_back(match);
    std::push_heap(heap.begin(), heap.end(), WorseInFront());
}

void VectorSearch::search(const Block& block, int64_t unit) {
    const int64_t first = unit % query_groups_ * group_queries_;
    std::mutex& mutex = group_mutex_[static_cast<size_t>(unit % query_groups_)];
    std::vector<Match> cutoffs;
    {
        const std::lock_guard<std::mutex> lock(mutex);
        for (int64_t query = first; query < std::min(queries_, first + group_queries_); query++)
            cutoffs.push_back(cutoff(query));
    }
    struct Found {
        int64_t query;
        Match match;
    };
    std::vector<Found> found;
    visit(block, unit, true, [&](int64_t query, int64_t row, int64_t count, const double* scores) {
        const Match least = cutoffs[static_cast<size_t>(query - first)];
        for (int64_t i = 0; i < count; i++) {
            const Match match{scores[i], block.first + row + i};
            if (match.is_better_than(least)) found.push_back({query, match});
        }
    });
    const std::lock_guard<std::mutex> lock(mutex);
    for (const Found& each : found) keep(each.query, each.match);
}

void VectorSearch::score(const Block& block, int64_t unit, float* scores) const {
    visit(block, unit, false, [&](int64_t query, int64_t row, int64_t count, const double* values) {
        float* out = scores + query * block.count + row;
        for (int64_t i = 0; i < count; i++) out[i] = static_cast<float>(values[i]);
    });
}

void VectorSearch::sort(int64_t unit) {
    const int64_t first = unit * group_queries_;
    for (int64_t query = first; query < std::min(queries_, first + group_queries_); query++) {
        std::vector<Match>& heap = matches_[static_cast<size_t>(query)];
        std::sort(heap.begin(), heap.end(), WorseInFront());
    }
}

}  // namespace bertha::cpu

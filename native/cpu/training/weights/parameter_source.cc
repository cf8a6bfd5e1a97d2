#include "cpu/training/weights/parameter_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/check.h"

namespace bertha::cpu {

ParameterSource::ParameterSource(const Program& loaded, std::vector<std::vector<LivePart>> parts,
                                 const Program& learning, const Parameters& parameters)
    : loaded_(loaded), parts_(std::move(parts)), learning_(learning), parameters_(parameters) {
    BERTHA_CHECK(parts_.size() == loaded.weights.size(), "INVALID_ARG",
                 "expected parts for %zu weights, got %zu", loaded.weights.size(), parts_.size());
    for (size_t i = 0; i < parts_.size(); i++) check(loaded.weights[i], parts_[i]);
}

void ParameterSource::check(const Weight& shape, const std::vector<LivePart>& parts) const {
    const bool is_vector = shape.kind == WeightKind::kVector;
    int64_t total = 0;
    for (const LivePart& part : parts) {
        BERTHA_CHECK(part.weight >= 0 && part.weight < static_cast<int32_t>(learning_.weights.size()),
                     "INVALID_ARG", "weight %.200s: expected a part of one of %zu weights, got %d",
                     shape.name.c_str(), learning_.weights.size(), static_cast<int>(part.weight));
        const Weight& from = learned(part.weight);
        const bool fits = (from.kind == WeightKind::kVector) == is_vector &&
                          (is_vector || from.cols == shape.cols);
        const int64_t size = is_vector ? from.cols : from.rows;
        BERTHA_CHECK(fits && part.begin >= 0 && part.count > 0 && part.begin <= size - part.count,
                     "INVALID_ARG", "weight %.200s: expected a part that lies in %.200s", shape.name.c_str(),
                     from.name.c_str());
        if (part.branch) check_branch(shape, part);
        total += part.count;
    }
    const int64_t expected = is_vector ? shape.cols : shape.rows;
    BERTHA_CHECK(total == expected, "INVALID_ARG",
                 "weight %.200s: expected parts of %lld rows in all, got %lld", shape.name.c_str(),
                 static_cast<long long>(expected), static_cast<long long>(total));
}

void ParameterSource::check_branch(const Weight& shape, const LivePart& part) const {
    const MergedBranch& branch = *part.branch;
    const auto weights = static_cast<int32_t>(learning_.weights.size());
    const bool exists = shape.kind == WeightKind::kMatrix && branch.a >= 0 && branch.a < weights &&
                        branch.b >= 0 && branch.b < weights;
    const bool fits = exists && learned(branch.a).cols == shape.cols && branch.rank_begin >= 0 &&
                      branch.rank > 0 && branch.rank_begin <= learned(branch.a).rows - branch.rank &&
                      branch.rank_begin <= learned(branch.b).cols - branch.rank && branch.row_begin >= 0 &&
                      branch.row_begin <= learned(branch.b).rows - part.count;
    BERTHA_CHECK(fits, "INVALID_ARG", "weight %.200s: expected a branch of its shape", shape.name.c_str());
}

void ParameterSource::read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) {
    const Weight& shape = loaded_.weights[static_cast<size_t>(weight)];
    const bool is_vector = shape.kind == WeightKind::kVector;
    const int64_t cols = is_vector ? 1 : shape.cols;
    if (is_vector) row_end = shape.cols;
    int64_t part_begin = 0;
    for (const LivePart& part : parts_[static_cast<size_t>(weight)]) {
        const int64_t begin = std::max(row_begin, part_begin),
                      end = std::min(row_end, part_begin + part.count), first = begin - part_begin;
        part_begin += part.count;
        if (begin >= end) continue;
        float* rows = dst + (begin - row_begin) * cols;
        if (is_vector) {
            read_numbers(part, rows);
            continue;
        }
        parameters_.read(part.weight, TensorKind::kValue, part.begin + first,
                         part.begin + first + end - begin, rows);
        if (part.branch) add_branch(part, first, end - begin, cols, rows);
    }
    const int64_t count = (row_end - row_begin) * cols;
    BERTHA_CHECK(std::all_of(dst, dst + count, [](float value) { return std::isfinite(value); }),
                 "NON_FINITE", "tensor %.200s holds a NaN or an infinity", shape.name.c_str());
}

void ParameterSource::read_numbers(const LivePart& part, float* dst) const {
    const float* all = parameters_.row(part.weight);
    std::copy(all + part.begin, all + part.begin + part.count, dst);
}

// The sums and their order are those of the merge of a saved adapter
// (src/checkpoint/adapter/merge-branch.ts).
void ParameterSource::add_branch(const LivePart& part, int64_t first, int64_t count, int64_t cols,
                                 float* dst) const {
    const MergedBranch& branch = *part.branch;
    const int64_t width = learned(branch.b).cols;
    std::vector<float> a(static_cast<size_t>(branch.rank * cols)), b(static_cast<size_t>(width));
    parameters_.read(branch.a, TensorKind::kValue, branch.rank_begin, branch.rank_begin + branch.rank,
                     a.data());
    std::vector<double> sums(static_cast<size_t>(cols));
    for (int64_t row = 0; row < count; row++, dst += cols) {
        const int64_t from = branch.row_begin + first + row;
        parameters_.read(branch.b, TensorKind::kValue, from, from + 1, b.data());
        std::fill(sums.begin(), sums.end(), 0.0);
        for (int64_t r = 0; r < branch.rank; r++) {
            const double factor = branch.scale *
                                  static_cast<double>(b[static_cast<size_t>(branch.rank_begin + r)]);
            for (int64_t col = 0; col < cols; col++)
                sums[static_cast<size_t>(col)] += factor *
                                                  static_cast<double>(a[static_cast<size_t>(r * cols + col)]);
        }
        for (int64_t col = 0; col < cols; col++)
            dst[col] = static_cast<float>(static_cast<double>(dst[col]) + sums[static_cast<size_t>(col)]);
    }
}

}  // namespace bertha::cpu

// What a learner knows, as weights to be loaded: a model made of it is independent of what comes later.
#pragma once

#include <optional>
#include <vector>

#include "cpu/training/weights/parameters.h"
#include "engine/backend.h"

namespace bertha::cpu {

// A low-rank branch of a matrix: scale · B A is added to it, in float64.
struct MergedBranch {
    int32_t a = kNoIndex, b = kNoIndex;  // weights: A in rows of the one, B in columns of the other
    int64_t rank_begin = 0, rank = 0;    // of A's rows and B's columns
    int64_t row_begin = 0;               // B's row for the part's first
    double scale = 1.0;
};

// Rows of a weight that is loaded, or numbers of a vector: those from `begin` on of one that learns.
struct LivePart {
    int32_t weight = kNoIndex;
    int64_t begin = 0;
    int64_t count = 0;
    std::optional<MergedBranch> branch;
};

class ParameterSource final : public WeightSource {
public:
    // `loaded` is the program to be loaded, whose weights are made of parts, one after the other; `learning`
    // the one that `parameters` belong to. Nothing may change the parameters while they are read. Throws
    // INVALID_ARG.
    ParameterSource(const Program& loaded, std::vector<std::vector<LivePart>> parts, const Program& learning,
                    const Parameters& parameters);
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override;

private:
    void check(const Weight& shape, const std::vector<LivePart>& parts) const;
    void check_branch(const Weight& shape, const LivePart& part) const;
    const Weight& learned(int32_t id) const { return learning_.weights[static_cast<size_t>(id)]; }
    void read_numbers(const LivePart& part, float* dst) const;
    void add_branch(const LivePart& part, int64_t first, int64_t count, int64_t cols, float* dst) const;

    const Program& loaded_;
    const std::vector<std::vector<LivePart>> parts_;
    const Program& learning_;
    const Parameters& parameters_;
};

}  // namespace bertha::cpu

// All weights of a model in one block, in the order in which a forward reads them, so that the prefetch at
// the end of one matrix already fetches the next.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/lazy_table.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/program.h"
#include "engine/weight_cache.h"

namespace bertha::cpu {

class PackedWeights {
public:
    // formats[i] says how the matrix of op i is stored (unused for other ops).
    // Maps the block from the cache where it holds it; packs it otherwise, and stores it there. cache: null
    // for none.
    PackedWeights(const Program& program, const std::vector<const MatrixFormat*>& formats, const char* isa,
                  WeightSource& source, Team& team, WeightCache* cache);

    PackedMatrix matrix(int32_t weight) const;
    // Makes sure that the rows of a batch's words are in memory. Throws IO.
    void require_words(const int32_t* ids, int64_t count) const {
        if (words_) words_->require(ids, count);
    }
    // A vector or table; null for kNoIndex and for an input scale that the op's format does not use.
    const float* row(int32_t weight) const {
        if (weight == kNoIndex || offsets_[static_cast<size_t>(weight)] < 0) return nullptr;
        if (weight == words_weight_) return words_->data();
        return reinterpret_cast<const float*>(base_ + offsets_[static_cast<size_t>(weight)]);
    }
    // What a linear's input columns are multiplied with before they are rounded, [k]; null: 1.
    const float* inverse_input_scale(const Op& op) const { return row(op.input_scale); }
    int64_t bytes() const { return bytes_ + (words_ ? words_->bytes() : 0); }

private:
    struct Part {  // what one unit of loading reads
        int32_t weight;
        int64_t row_begin, row_end;
    };
    void pack(const std::vector<Part>& parts, const std::vector<int32_t>& input_scales, WeightSource& source,
              Team& team);
    void load_part(const Part& part, WeightSource& source, float* staging) const;
    void keep_words(int32_t weight, WeightSource& source);
    void load_input_scale(int32_t weight, WeightSource& source);

    const Program& program_;
    std::vector<const MatrixFormat*> format_of_;    // by weight; null for vectors and tables
    std::vector<int64_t> offsets_;                  // by weight, bytes
    std::vector<int32_t> input_scale_of_;           // by matrix: the weight that scales its columns
    std::vector<std::vector<float>> input_scales_;  // by weight; only while loading
    int64_t bytes_ = 0;
    Buffer data_;  // or
    std::unique_ptr<const MappedWeights> mapped_;
    const uint8_t* base_ = nullptr;
    int32_t words_weight_ = kNoIndex;
    std::unique_ptr<LazyTable> words_;  // a large word table, where the source lets rows be read later
};

}  // namespace bertha::cpu

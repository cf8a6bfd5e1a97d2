// A model's weights. Those of one file lie in one memory block, in the order in which a forward reads them,
// so that the prefetch at the end of one matrix already fetches the next; those that another model in memory
// has already are the other's. A matrix that linears of several formats or input scales use is stored once
// for each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/lazy_table.h"
#include "cpu/weights/model_weights.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/program/program.h"
#include "engine/weights/shared_weights.h"
#include "engine/weights/weight_cache.h"

namespace bertha::cpu {

class PackedWeights final : public ModelWeights {
public:
    // formats[i] says how the matrix of op i is stored (unused for other ops).
    // Maps the block from the cache where it holds it; packs it otherwise, and stores it there. cache: null
    // for none.
    PackedWeights(const Program& program, const std::vector<const MatrixFormat*>& formats, const char* isa,
                  WeightSource& source, Team& team, WeightCache* cache);

    PackedMatrix matrix(int32_t op) const override;
    void require_words(const int32_t* ids, int64_t count) const override {
        if (words_ != nullptr) words_->require(ids, count);
    }
    const float* row(int32_t weight) const override {
        if (weight == kNoIndex) return nullptr;
        if (weight == words_weight_) return words_->data();
        return floats_of(block_of_weight_[static_cast<size_t>(weight)]);
    }
    const float* words(int32_t weight, const int32_t* ids, int64_t count, float* output) const override;
    const float* inverse_input_scale(int32_t op) const override {
        return floats_of(inverse_scale_of_op_[static_cast<size_t>(op)]);
    }
    int64_t bytes() const;
    // Of them those that other models hold as well.
    int64_t shared_bytes() const;

private:
    // One weight as it is stored. Equal ones are stored once.
    struct Block {
        int32_t weight;
        const MatrixFormat* format;  // of a matrix; null for vectors and tables
        int32_t input_scale;         // the weight that scales a matrix's columns
        bool is_inverse_scale;       // an input scale, as forwards use it
        bool is_gated;               // panels of the two halves of a matrix's rows by turns
        bool is_coded = false;       // a word table of integers: the rows' scales, then their integers
        std::string key = {};        // what it is made of, for others; empty: not known
        int64_t bytes = 0;
        uint8_t* own = nullptr;                     // where it is to be packed; null when it is there already
        const uint8_t* data = nullptr;              // as it is read; of a lazy table nothing
        SharedWeights::StoredPtr stored = nullptr;  // null: not shared
    };
    struct Part {  // what one unit of loading reads
        const Block* block;
        int64_t row_begin, row_end;
    };
    void place_linear(size_t index, const ops::Linear& op, const MatrixFormat* format, WeightSource& source);
    void place_plain(int32_t id, WeightSource& source);
    int32_t place(Block block, WeightSource& source);
    int64_t bytes_of(const Block& block) const;
    bool is_coded(int32_t weight) const {
        const int32_t block = block_of_weight_[static_cast<size_t>(weight)];
        return block != kNoIndex && blocks_[static_cast<size_t>(block)].is_coded;
    }
    bool is_lazy(const Block& block) const { return block.weight == words_weight_; }
    void pack_alone(const std::string& layout, WeightSource& source, Team& team, WeightCache& cache);
    void pack_with_others(WeightSource& source, Team& team);
    std::vector<Part> parts() const;
    void pack(WeightSource& source, Team& team);
    void load_part(const Part& part, WeightSource& source, float* staging) const;
    void choose_words(int32_t weight, WeightSource& source);
    void load_codes(const Part& part, WeightSource& source, float* staging) const;
    bool pack_codes(const Part& part, WeightSource& source, float* staging, uint8_t* panel) const;
    void load_input_scale(const Block& block, WeightSource& source);
    int64_t panel_at(const Block& block, int64_t row) const;
    const Weight& weight(const Block& block) const {
        return program_.weights[static_cast<size_t>(block.weight)];
    }
    const float* floats_of(int32_t block) const {
        if (block == kNoIndex) return nullptr;
        return reinterpret_cast<const float*>(blocks_[static_cast<size_t>(block)].data);
    }

    const Program& program_;
    const std::string isa_;
    std::vector<Block> blocks_;
    std::vector<int32_t> block_of_weight_;                     // of vectors and tables
    std::vector<int32_t> matrix_of_op_, inverse_scale_of_op_;  // blocks of linears
    std::vector<std::vector<float>> input_scales_;             // by weight; only while loading
    Buffer data_;                                              // of a model that has a cache, or
    std::unique_ptr<const MappedWeights> mapped_;
    int32_t words_weight_ = kNoIndex;  // a large word table, where the source lets rows be read later
    LazyTable* words_ = nullptr;       // its rows; its block holds them
};

}  // namespace bertha::cpu

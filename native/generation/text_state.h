// The keys and values that one text's hypotheses have made so far. A hypothesis is a list of rows; rows of a
// common past exist once.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/allocator.h"
#include "engine/decoding.h"
#include "generation/search.h"

namespace bertha::generation {

class TextState {
public:
    // Bytes of the rows of `capacity` tokens.
    static int64_t bytes(const DecoderLayout& layout, int64_t capacity);

    TextState(const DecoderLayout& layout, int64_t capacity)
        : padding_id_(layout.padding_id), layers_(layout.layers), width_(layout.width), used_(capacity) {}

    // Throws OUT_OF_MEMORY.
    void allocate();
    void release() { memory_.reset(); }
    // The keys and values of the source, by turns, which must stay.
    void set_source(std::vector<const float*> cross, int64_t num_keys);

    // The rows of a prompt's ids, one after the other, the last of which the first step computes.
    void begin(const Ids& prompt);
    // The rows of the next step, in the place of those of the last one. At first there is one, of the
    // prompt's last id.
    void advance(const std::vector<SearchRow>& rows, RowReader* reader);

    const std::vector<DecodingRow>& rows() const { return rows_; }
    const Ids& ids() const { return ids_; }

private:
    struct Hypothesis {
        std::vector<int32_t> slots;
        int32_t next_position = 0;
    };
    void read_by(RowReader* reader);
    void add_row(Hypothesis& hypothesis, int32_t id, int32_t slot);
    int32_t free_slot();

    const int32_t padding_id_;
    const int64_t layers_, width_;
    Buffer memory_;
    DecodingText text_;
    std::vector<bool> used_;  // [capacity]
    std::vector<Hypothesis> hypotheses_;
    std::vector<DecodingRow> rows_;
    Ids ids_;  // of rows_
};

}  // namespace bertha::generation

// A packed batch: the rows of its sequences lie end to end, never padded.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/decoding.h"
#include "engine/program/program.h"

namespace bertha {

struct Batch {
    // The rows that a domain has in this batch.
    struct Rows {
        const int32_t* offsets = nullptr;  // of a packed domain [batch_size + 1]: sequence i is rows
                                           // offsets[i] .. offsets[i + 1]. Null: no sequence has any
        int64_t count = 0;
        int64_t longest = 0;  // rows of the longest sequence of a packed domain
    };

    int64_t batch_size = 0;
    std::vector<Rows> domains;           // by Program::domains
    std::vector<const int32_t*> inputs;  // by Program::inputs [rows, width]; null: all zeros. Those that
                                         // point into a domain hold rows of the batch
    // [batch_size], of a step: each sequence is one row of the decoder's, and no other rows are computed
    const DecodingRow* decoding = nullptr;

    const Rows& rows(int32_t domain) const { return domains[static_cast<size_t>(domain)]; }
    int64_t tokens() const { return rows(kTokenDomain).count; }
    // Null for kNoIndex as well.
    const int32_t* input(int32_t id) const {
        return id == kNoIndex ? nullptr : inputs[static_cast<size_t>(id)];
    }
};

// The rows that a packed domain has in a sequence.
inline int64_t rows_in(const Batch& batch, int32_t domain, int64_t sequence) {
    const int32_t* offsets = batch.rows(domain).offsets;
    return offsets != nullptr ? offsets[sequence + 1] - offsets[sequence] : 0;
}
// And a domain of pairs.
inline int64_t pairs_in(const Batch& batch, const Domain& pairs, int64_t sequence) {
    return rows_in(batch, queries_of(pairs), sequence) * rows_in(batch, keys_of(pairs), sequence);
}

// positions [rows]: each row's place in its sequence. Ids equal to padding_id (a text may hold them) are not
// counted and stand at -1; with a padding_id below 0 every row counts.
inline void count_positions(const int32_t* offsets, int64_t batch_size, const int32_t* ids,
                            int64_t padding_id, int32_t* positions) {
    for (int64_t i = 0; i < batch_size; i++) {
        int32_t next = 0;
        for (int32_t row = offsets[i]; row < offsets[i + 1]; row++)
            positions[row] = ids[row] == padding_id ? -1 : next++;
    }
}

// Sequences begin .. end of a batch.
struct BatchPart {
    const Batch* batch = nullptr;
    int64_t begin = 0, end = 0;
};

// Parts of batches of one program, one after the other, as one batch. What a single part holds in the right
// form is not copied: the parts must outlive it.
class JoinedBatch {
public:
    JoinedBatch(const Program& program, const std::vector<BatchPart>& parts);
    JoinedBatch(const JoinedBatch&) = delete;
    JoinedBatch& operator=(const JoinedBatch&) = delete;

    const Batch& view() const { return batch_; }

private:
    Batch::Rows join_rows(const std::vector<BatchPart>& parts, int32_t domain);
    const int32_t* join_input(const std::vector<BatchPart>& parts, int32_t id);
    // The first row that a part has of a domain.
    int64_t first_row(const BatchPart& part, int32_t domain) const {
        return row_of(part, domain, part.begin);
    }
    int64_t row_of(const BatchPart& part, int32_t domain, int64_t sequence) const;

    const Program& program_;
    Batch batch_;
    std::vector<std::vector<int32_t>> copies_;
    std::vector<DecodingRow> decoding_;
};

// Where one wanted value goes. Rows of the batch in order; pairs one sequence after the other.
struct Output {
    int32_t value = 0;
    float* data = nullptr;  // null: of a step, whose rows have readers
};

}  // namespace bertha

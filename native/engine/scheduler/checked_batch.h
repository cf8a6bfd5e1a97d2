// What a call hands over, checked against what the program declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/batch.h"

namespace bertha {

// Numbers of the caller. No data is the same as none given.
struct Numbers {
    const int32_t* data = nullptr;
    size_t count = 0;
};

// What a call hands over; copied, as far as it is kept.
struct JobInputs {
    std::vector<Numbers> inputs;   // by Program::inputs; those that point into a domain count within their
                                   // own sequence
    std::vector<Numbers> offsets;  // by Program::domains [sequences + 1], of packed ones
    std::vector<int32_t> wanted;   // the program's values that become outputs
};

class CheckedBatch {
public:
    // Copies and checks all numbers and lengths. Throws INVALID_IDS, INVALID_ARG. The program must outlive
    // it.
    CheckedBatch(const Program& program, const JobInputs& given);
    CheckedBatch(const CheckedBatch&) = delete;
    CheckedBatch& operator=(const CheckedBatch&) = delete;

    const Batch& view() const { return batch_; }
    // Throws INVALID_ARG unless what the ops take that compute the wanted values is there.
    void check_taken(const std::vector<int32_t>& wanted) const;

private:
    void add_offsets(int32_t domain, const Numbers& given);
    void add_input(int32_t id, const Numbers& given);

    const Program& program_;
    Batch batch_;
    std::vector<std::vector<int32_t>> kept_;  // that the batch points to
};

}  // namespace bertha

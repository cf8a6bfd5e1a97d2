// Slices of jobs as one batch, and the way of its results back into the jobs.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/batch.h"
#include "engine/scheduler/job.h"

namespace bertha {

// Sequences begin .. end of a job.
struct Slice {
    JobPtr job;
    int64_t begin, end;
};
using Slices = std::vector<Slice>;

class PackedBatch {
public:
    // All slices want the same values of the same weights. Throws OUT_OF_MEMORY.
    explicit PackedBatch(const Slices& slices);

    const Batch& view() const { return joined_.view(); }
    // One job's values are computed straight into its memory; those of several into memory of the batch.
    const std::vector<Output>& outputs() const { return outputs_; }
    // Gives every job its rows. Throws NON_FINITE.
    void deal_out() const;

private:
    const Slices& slices_;
    const JoinedBatch joined_;
    std::vector<Output> outputs_;
    std::vector<Buffer> shared_;  // by output, when there are several slices
};

}  // namespace bertha

// What type each value of a program has on the device, and where it lives in the arena.
#pragma once

#include <vector>

#include "cuda/kernels/kernels.h"
#include "engine/program/program.h"

namespace bertha::cuda {

struct PlannedValue {
    Type type = Type::kFloat;
    int32_t stride = 0;  // elements
    int64_t offset = 0;  // bytes per row: the value starts at offset * rows in the part of its domain
};

// Rows of a domain that one op works in.
struct PlannedScratch {
    PlannedValue rows;  // stride 0: none
    int32_t domain = 0;
};

struct ValuePlan {
    std::vector<PlannedValue> values;
    std::vector<int64_t> row_bytes;  // of the arena's parts, by domain
    // By op: whether it and the next one fit one kernel, which leaves out the value between them. Nothing
    // else reads that value.
    std::vector<bool> fits_next;
    // By op: an attention's queries and keys that have turned, a pool_linear's products.
    std::vector<PlannedScratch> scratch;
};

// Token rows take `type`, except what nothing but the caller and top_k read (logits): that stays fp32, as
// does all that is derived from single rows. Throws INVALID_PROGRAM for what no kernel takes.
ValuePlan plan_values(const Program& program, Type type);

}  // namespace bertha::cuda

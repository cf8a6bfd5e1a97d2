// One walk over a training plan: the forward and backward of one chunk.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/attention/position_tables.h"
#include "cpu/training/weights/parameters.h"
#include "engine/backend.h"
#include "engine/batch.h"
#include "engine/training/gradient.h"

namespace bertha::cpu {

// What the chunks of a call share.
struct WalkContext {
    const TrainingPlan& plan;
    const PositionTables& position_tables;
    const LearningKernels& kernels;
    Parameters& parameters;
    const std::vector<double>& num_items;
    const std::vector<int32_t>& wanted;
    const uint32_t (&seed)[2];
    bool gradients;
    Buffer& arena;
    std::vector<Buffer>& scratch;
    Team& team;
    Control& control;
};

// A chunk, and where it begins in its micro-batch.
struct Chunk {
    const Batch& batch;
    std::vector<int64_t> first_row;  // by domain
    uint32_t micro_step;
};

// Adds each loss, divided, to losses (by plan.losses), and the rows of the wanted values to outputs. Throws
// ABORTED, NON_FINITE, OUT_OF_MEMORY.
void walk_chunk(const WalkContext& context, const Chunk& chunk, std::vector<double>& losses,
                std::vector<std::vector<float>>& outputs);

}  // namespace bertha::cpu

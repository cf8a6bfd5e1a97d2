// One run of a program over one batch on the processor.
#pragma once

#include <vector>

#include "cpu/attention/distance_biases.h"
#include "cpu/attention/position_tables.h"
#include "cpu/kernels.h"
#include "cpu/weights/constants.h"
#include "cpu/weights/model_weights.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/program/plan.h"

namespace bertha::cpu {

// What a model's forwards share.
struct ProgramOnCpu {
    const Program& program;
    const KernelTable& kernels;
    const Plan& plan;
    const std::vector<const MatrixFormat*>& formats;  // by op
    const bool bf16_attention;
    const ModelWeights& weights;
    const DistanceBiases& distance_biases;
    const PositionTables& position_tables;
    const Constants* constants;  // null: each forward computes constant rows
};

class CpuWorkspace final : public Workspace {
public:
    int64_t bytes() const override {
        size_t total = arena.bytes() + positions.bytes();
        for (const Buffer& buffer : scratch) total += buffer.bytes();
        return static_cast<int64_t>(total);
    }

    Buffer arena;
    Buffer positions;             // int32 [tokens]
    std::vector<Buffer> scratch;  // one per team member
};

// Computes the ops that the outputs need, with the team's help. Throws ABORTED, OUT_OF_MEMORY, IO.
void run_forward(const ProgramOnCpu& model, const Batch& batch, const std::vector<Output>& outputs,
                 CpuWorkspace& workspace, Team& team, Control& control);

}  // namespace bertha::cpu

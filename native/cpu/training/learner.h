// Programs that learn on the processor: their weights, which are the same by number, and the walk over the
// plan of one, one chunk of a micro-batch after the other. A chunk is whole sequences up to kChunkTokens, so
// that the memory of activations does not grow with the batch; all chunks add to the same gradients.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/attention/position_tables.h"
#include "cpu/training/weights/parameters.h"
#include "engine/backend.h"
#include "engine/training/gradient.h"

namespace bertha::cpu {

constexpr int64_t kChunkTokens = 2048;

struct TrainingSpec {
    bool bf16 = false;  // products of bf16 numbers with sums in fp32, on copies of fp32 weights
    std::vector<LearningWeight> weights;  // by the programs' weights; needs_transposed is found out
    // By program: chunks are cut at multiples of it; 0: a micro-batch is one chunk
    std::vector<int64_t> sequences_per_group;
    uint32_t seed[2] = {0, 0};  // of dropout
    bool recompute = false;     // layers in the backward instead of keeping what they compute
    bool exact_sums = false;    // of fp32 products and norms: exact_kernels.h
};

struct AccumulateOptions {
    int32_t program = 0;            // that the micro-batches are for
    std::vector<double> num_items;  // what each loss is divided by, by its `items`
    uint32_t micro_step = 0;        // of the first micro-batch, in Philox's counter; the next ones count on
    std::vector<int32_t> outputs;   // values that the caller wants of each micro-batch
    bool gradients = true;          // false: losses and outputs alone
};

struct Accumulated {
    double loss = 0.0;
    std::vector<double> losses;  // by loss op, each divided and weighted
    int64_t tokens = 0;
    std::vector<std::vector<std::vector<float>>> outputs;  // by micro-batch and wanted value: its rows
};

class Learner {
public:
    // Throws INVALID_PROGRAM, PRECISION, OUT_OF_MEMORY, IO, NON_FINITE.
    Learner(const std::vector<Program>& programs, TrainingSpec spec, WeightSource& source, Team& team);

    // Adds the gradients of micro-batches, whose numbers were checked. Throws ABORTED, NON_FINITE (with the
    // loss's op), OUT_OF_MEMORY, INVALID_ARG; the gradients are zero then.
    Accumulated accumulate(const std::vector<const Batch*>& batches, const AccumulateOptions& options,
                           Team& team, Control& control);
    // Changes the weights by the gradients that were added; returns their norm before clipping. Throws
    // NON_FINITE (with the weight); the weights are untouched then. The gradients are zero afterwards.
    double update(const AdamwUpdate& update, Team& team);
    void zero_gradients(Team& team) { parameters_.zero_gradients(team); }

    // A program with what learning added to its values; weights, inputs and domains are as they were.
    const Program& program(int32_t index) const { return plans_[static_cast<size_t>(index)].program; }
    int32_t program_count() const { return static_cast<int32_t>(plans_.size()); }
    Parameters& parameters() { return parameters_; }
    const Parameters& parameters() const { return parameters_; }
    int64_t workspace_bytes() const;

private:
    const std::vector<TrainingPlan> plans_;
    std::vector<PositionTables> position_tables_;  // by program
    const TrainingSpec spec_;
    const LearningKernels kernels_;
    Parameters parameters_;
    Buffer arena_;
    std::vector<Buffer> scratch_;  // by team member
};

}  // namespace bertha::cpu

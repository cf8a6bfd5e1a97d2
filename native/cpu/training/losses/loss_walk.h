// The losses of a training program over the rows of a chunk.
#pragma once

#include <cstdint>

#include "engine/batch.h"
#include "engine/pool/team.h"
#include "engine/program/ops.h"

namespace bertha::cpu {

// What a loss reads, and its gradient times `scale`.
struct LossValues {
    const float* value = nullptr;  // [rows, width]
    float* grad = nullptr;         // [rows, width]
    int64_t rows = 0;
    int64_t width = 0;
    float scale = 0.0f;  // weight / items
};

// The sum of the losses of all rows, not divided. Throws OUT_OF_MEMORY.
double run_loss(const ops::CrossEntropy&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::ChoiceCrossEntropy&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::SpanCrossEntropy&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::BinaryCrossEntropy&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::MeanSquaredError&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::Distill&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::InBatchSoftmax&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::CosineSimilarity&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::Cosent&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::Triplet&, const LossValues&, const Batch&, Team&);
double run_loss(const ops::Given&, const LossValues&, const Batch&, Team&);

}  // namespace bertha::cpu

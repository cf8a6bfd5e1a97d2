// Gradient checkpointing: which parts of a program a backward computes again instead of keeping their values,
// and the ops that do it. As in Chen et al., Training Deep Nets with Sublinear Memory Cost (2016).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/program/program.h"

namespace bertha {

// Ops begin .. end; of what they compute only `output` is read behind them.
struct RecomputedOps {
    int32_t begin = 0;
    int32_t end = 0;
    int32_t output = kNoIndex;
};

// What is before the first layer, then each layer but the last: its backward follows its forward, so that
// nothing would be saved by computing it again. A layer begins behind the last value before its attention
// through which everything goes, beside outputs of earlier layers, which are kept: those of an encoder whose
// decoder reads them in each of its own.
std::vector<RecomputedOps> recomputed_layers(const Program& program, const std::vector<bool>& needed);

// By op and value: the one that computes it again, itself where it is kept.
struct Copies {
    std::vector<int32_t> op;
    std::vector<int32_t> value;
};

// Appends a copy of the ops of layers. The copies write values of their own, and read them and the outputs of
// layers, which are kept. Losses have no copy.
Copies append_copies(Program& program, const std::vector<bool>& needed,
                     const std::vector<RecomputedOps>& layers);

}  // namespace bertha

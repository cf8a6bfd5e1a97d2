// A program that learns, as one list of steps: its forward, its losses, then the backward, each step with the
// values that it reads and writes. Memory is planned over the whole list, so that what the backward needs
// stays and everything else is reused. Nothing is recorded while it runs.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/program/program.h"

namespace bertha {

// What the backward of an op is made of. `grad` is the gradient that comes in, `out` what is written, `add`
// is added to it.
enum class StepKind : int32_t {
    kForward,         // the op itself
    kActivationGrad,  // of a linear: out = grad · activation'(pre-activation); saved, if any = activation
    kDropoutGrad,     // of a linear or dropout: out = grad ∘ factors
    kScaleGrad,       // of a linear: out = scale · grad
    kInputGrad,       // of a linear: out = grad · matrix + add
    kMatrixGrad,      // of a linear: the matrix's gradient += gradᵀ · saved
    kBiasGrad,        // of a linear: the bias's gradient += Σ grad
    // out = gradient of the query, key and value, or of the query where key and value have theirs; of the
    // relative bias too; add, saved = those of disentangled scores' tables
    kAttentionGrad,
    kLayerNormGrad,        // out = gradient of the input + add; saved = statistics of the rows
    kLayerNormWeightGrad,  // the weight's and bias's gradients, from saved
    kEmbedGrad,            // the tables' gradients
    kConstantGrad,         // the table's gradient += grad
    kGatherGrad,           // out = grad's rows where they came from
    kPoolGrad,
    kNormalizeGrad,
    kUnfoldGrad,  // out = grad's columns where they came from
    kSliceGrad,   // out = grad in its columns, 0 elsewhere
    kAdd,         // out = grad + add
};

struct Step {
    StepKind kind = StepKind::kForward;
    int32_t op = 0;
    int32_t grad = kNoIndex;  // slots
    int32_t out = kNoIndex;
    int32_t add = kNoIndex;
    int32_t saved = kNoIndex;
    // Of kAttentionGrad: the gradients of a key and value that do not lie beside the query.
    int32_t key = kNoIndex;
    int32_t value = kNoIndex;
};

// A tensor of the list: the program's values come first, under their own numbers, then gradients. Each is
// written by one step.
struct Slot {
    int32_t domain = kTokenDomain;
    int64_t width = 0;
    int32_t birth = kNoIndex;  // the steps that write it and use it last; kNoIndex: nothing does
    int32_t death = kNoIndex;
    int64_t offset = 0;  // floats per row, within the arena's part for the domain
};

struct TrainingPlan {
    Program program;  // with the values that the backward needs, and the ops that it computes again
    std::vector<Slot> slots;
    std::vector<Step> steps;
    int32_t forward_steps = 0;         // that come first
    std::vector<int64_t> arena_width;  // floats per row, by domain
    std::vector<int32_t> losses;       // ops
    // By weight: whether a gradient goes through it to what is below.
    std::vector<bool> passes_gradient;
};

// The number of floats that kLayerNormGrad saves of a row.
constexpr int64_t kSavedOfNorm = 3;

// What the element-wise function of a linear or activation op is computed of, and which one it is.
std::pair<int32_t, Activation> activated_by(const Op& op);

// `trainable` is by weight. Below the lowest op that learns nothing is saved. Throws INVALID_PROGRAM where an
// op on the way from a loss to a weight has no gradient, or nothing would learn. With `recompute` the values
// of a layer are not kept for its backward but computed again from the layer's input, to the same bits: steps
// kForward stand before the backward of the layer.
TrainingPlan differentiate(const Program& program, const std::vector<bool>& trainable, bool recompute);

}  // namespace bertha

// The weights that learn: values, gradients and AdamW's two moments, each in the layout that the products
// read. A matrix is fp32 panels in all four, so that nothing is packed for a forward and the gradient needs
// no unpacking; tables and vectors are rows. Rows of a matrix exist only while they are read or written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cpu/training/weights/learning_weight.h"
#include "cpu/training/weights/product_panels.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/pool/team.h"
#include "engine/program/program.h"

namespace bertha::cpu {

enum class TensorKind : int32_t { kValue, kGradient, kExpAvg, kExpAvgSq };

// One update of AdamW as torch.optim defines it.
struct AdamwUpdate {
    double learning_rate = 0.0;
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0.0;
    double max_grad_norm = 0.0;  // gradients of a larger norm are scaled down to it; 0: never
    double joint_norm = 0.0;     // of these gradients and those of models that learn with it; 0: of these
    int64_t step = 1;
    // By weight, in place of step: its updates, this one included; 0: it stays as it is. Empty: step for all.
    std::vector<int64_t> steps;
};

class Parameters {
public:
    // Throws OUT_OF_MEMORY with what learning takes, IO, NON_FINITE. The program must outlive it.
    Parameters(const Program& program, std::vector<LearningWeight> learning, const LearningKernels& kernels,
               WeightSource& source, Team& team);

    const LearningWeight& learning(int32_t weight) const { return learning_[static_cast<size_t>(weight)]; }
    // A matrix as KernelTable::fp32 reads it; as the products of a step read it, and its transpose [k, n].
    PackedMatrix master(int32_t weight) const;
    ProductMatrix matrix(int32_t weight) const { return panels_.matrix(weight, master(weight)); }
    ProductMatrix transposed(int32_t weight) const { return panels_.transposed(weight); }
    // The rows of a table or vector; null for kNoIndex. Zeros follow a vector, as tiles load whole panels.
    const float* row(int32_t weight) const;
    // In the layout of the value; null where the weight does not learn. To be added to.
    float* gradient(int32_t weight) const;

    // Rows row_begin .. row_end [rows, cols] in row-major order. Those of a tied matrix are its table's.
    // Gradients of a weight that is tied to another are known after gradient_norm(). Throws INVALID_ARG for
    // moments of a weight that does not learn.
    void read(int32_t weight, TensorKind kind, int64_t row_begin, int64_t row_end, float* out) const;
    // finish_writing() must follow the last of several.
    void write(int32_t weight, TensorKind kind, int64_t row_begin, int64_t row_end, const float* rows);
    // Makes again what is derived from values: panels of tied matrices, and those that products read.
    void finish_writing(Team& team) { refresh(true, team); }

    void zero_gradients(Team& team);
    // The norm of all gradients together, each parameter counted once.
    double gradient_norm(Team& team);
    // The first weight whose gradient is not finite, kNoIndex where all are.
    int32_t first_non_finite() const;
    // Changes all weights that learn, by gradients whose norm is gradient_norm; these are zero afterwards.
    void update(const AdamwUpdate& update, double gradient_norm, Team& team);

    int64_t bytes() const;

private:
    // A run of neighbouring floats of one weight: what one unit of an element-wise pass takes.
    struct Block {
        int32_t weight;
        int64_t offset;   // in floats, of values
        int64_t learned;  // of gradients and moments
        int64_t count;
    };
    struct Place {
        int64_t value = kNoIndex;    // floats into values_
        int64_t learned = kNoIndex;  // into gradients_, exp_avg_, exp_avg_sq_
        int64_t floats = 0;
    };
    const Weight& weight(int32_t id) const { return program_.weights[static_cast<size_t>(id)]; }
    const Place& place(int32_t id) const { return places_[static_cast<size_t>(id)]; }
    bool is_matrix(int32_t id) const { return weight(id).kind == WeightKind::kMatrix; }
    // The weight that holds the parameter.
    int32_t owner_of(int32_t id) const {
        const int32_t tied = learning(id).tied_to;
        return tied == kNoIndex ? id : tied;
    }
    int64_t panel_floats(int64_t rows, int64_t cols) const;
    const Buffer& buffer(TensorKind kind) const;
    float* tensor(int32_t id, TensorKind kind) const;
    void place_all();
    void allocate();
    void load(WeightSource& source, Team& team);
    void refresh(bool all, Team& team);
    void add_tied_gradients(Team& team);
    void clear_outside_of_blocks(Team& team);

    const Program& program_;
    const std::vector<LearningWeight> learning_;
    const KernelTable& kernels_;
    const TrainingKernels& training_;
    ProductPanels panels_;
    std::vector<Place> places_;
    std::vector<Block> blocks_;
    std::vector<double> block_sums_;
    int64_t value_floats_ = 0, learned_floats_ = 0;
    Buffer values_, gradients_, exp_avg_, exp_avg_sq_;
};

}  // namespace bertha::cpu

// What learning needs beside kernels.h, as one table of functions per instruction set. Pointers are fp32
// unless they say otherwise; functions are pure. Sums over rows are made in blocks of kSumRows rows, each
// block in order, the blocks in order: their bits depend on shapes alone, never on threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/kernels.h"
#include "engine/program/op_options.h"

namespace bertha::cpu {

constexpr int64_t kSumRows = 256;
constexpr int64_t kNormStats = 3;  // numbers that layer_norm_grad leaves for layer_norm_grad_weight, a row

// The factors of one dropout site: element (row, column) is 0 or `scale`, by Philox-4x32-10 with the counter
// (column / 8, row, site, micro_step) and the key; docs/training.md has the rule. No pointer to one, or
// threshold 0: all factors are 1.
struct Dropout {
    uint32_t key[2] = {0, 0};
    uint32_t micro_step = 0;
    uint32_t site = 0;       // attention: + 65536 * head
    uint32_t threshold = 0;  // round(65536 p): a 16-bit number below it drops
    float scale = 1.0f;      // 65536 / (65536 - threshold)
};

// dWᵀ += Xᵀ dY: a part of some panels of the gradient of a matrix [n, k], in the layout of KernelTable::fp32.
struct LinearGradWeightArgs {
    const float* input = nullptr;        // X [rows, k], row stride input_stride
    const float* grad_output = nullptr;  // dY [rows, n], row stride grad_stride
    float* grad = nullptr;               // all panels of dW; added to
    float* scratch = nullptr;            // linear_grad_weight_scratch(k) floats
    int64_t rows = 0;
    int64_t n = 0;
    int64_t k = 0;
    int64_t input_stride = 0;
    int64_t grad_stride = 0;
    int64_t panel_begin = 0, panel_end = 0;  // which panels of dW
    int64_t k_begin = 0, k_end = 0;          // which of their k rows
};

// One head of one sequence, as AttentionArgs, with what the backward needs.
struct AttentionTrainArgs {
    AttentionArgs forward;     // scores: null
    float* row_lse = nullptr;  // [seq_len] with stride lse_stride: log2 of the sum of 2^(score · log2 e)
    int64_t lse_stride = 0;    // heads
    Dropout dropout;           // of the probabilities: row = first_row + query, column = key
    uint32_t first_row = 0;    // of the sequence in its micro-batch
};

struct AttentionGradArgs {
    AttentionArgs forward;  // context: as attention wrote it; scratch: attention_grad_scratch(forward) floats
    const float* grad_context = nullptr;  // [seq_len, head_dim], row stride hidden_size
    const float* row_lse = nullptr;       // as attention wrote it
    float* grad_query = nullptr;          // [seq_len] rows grad_stride apart; written
    float* grad_key = nullptr;            // [num_keys] likewise
    float* grad_value = nullptr;          // likewise
    float* grad_relative_bias = nullptr;  // [2 seq_len - 1]: Σ of P∘(dP - D) by distance; written; or null
    // Of the rows of disentangled scores' tables, [rows, head_dim]; added to; or null.
    float* grad_content_to_position = nullptr;
    float* grad_position_to_content = nullptr;
    int64_t grad_stride = 0;
    int64_t lse_stride = 0;
    Dropout dropout;
    uint32_t first_row = 0;
};

struct LayerNormGradArgs {
    const float* input = nullptr;        // z, before the norm [rows, width]
    const float* grad_output = nullptr;  // [rows, width]
    const float* weight = nullptr;       // [width]
    const float* residual = nullptr;     // [rows, width], added to grad_input; or null
    float* grad_input = nullptr;         // [rows, width]; may be grad_output; null: stats alone
    float* stats = nullptr;  // [rows, kNormStats]: mean, mean of the rest, 1 / deviation; both kernels' own
    int64_t rows = 0;
    int64_t width = 0;
    float eps = 0.0f;
};

// One update of `count` neighbouring numbers: torch.optim.AdamW.
struct AdamwArgs {
    float* value = nullptr;
    const float* grad = nullptr;  // null: all 0
    float* m = nullptr;
    float* v = nullptr;
    int64_t count = 0;
    float grad_scale = 1.0f;  // of clipping
    double learning_rate = 0.0;
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0.0;
    double bias_correction1 = 1.0, bias_correction2 = 1.0;  // 1 - beta^step
};

// Rows of logits with one label each. Losses are sums in float64; gradients are times `scale`, weight / items
// of the step, and may be written over the logits. Items: rows that count; with class weights Σ of the
// weights of their labels, as torch.nn.CrossEntropyLoss divides (the smoothed part too). A logit that is not
// finite makes the loss NaN.
struct CrossEntropyArgs {
    const float* logits = nullptr;         // [rows, width]
    const int32_t* labels = nullptr;       // [rows]; below 0: the row does not count
    const float* class_weights = nullptr;  // [width] or null
    float* grad = nullptr;                 // [rows, width]
    int64_t rows = 0;
    int64_t width = 0;
    float label_smoothing = 0.0f;
    float scale = 1.0f;
};

struct ElementLossArgs {
    const float* logits = nullptr;   // [rows, width]
    const float* targets = nullptr;  // [rows, width]; NaN: the element does not count. Items: elements
    float* grad = nullptr;           // [rows, width]
    int64_t rows = 0;
    int64_t width = 0;
    float scale = 1.0f;
};

// α · cross entropy of the labels + (1 - α) · T² · KL(softmax(teacher / T) ‖ softmax(logits / T)). A row
// whose label does not count has neither part. Items: rows.
struct DistillArgs {
    CrossEntropyArgs hard;
    const float* teacher = nullptr;  // [rows, width] logits
    float alpha = 0.5f;
    float temperature = 1.0f;
};

struct TrainingKernels {
    // Panels of a matrix [n, k] as KernelTable::fp32 packs them -> panel `panel` of its transpose [k, n].
    void (*transpose_panel)(const float* panels, int64_t n, int64_t k, int64_t panel, float* out);
    int64_t (*linear_grad_weight_scratch)(int64_t k);
    void (*linear_grad_weight)(const LinearGradWeightArgs&);
    // sums[column] += Σ over rows of x, for columns begin .. end of x [rows, width]
    void (*column_sums)(const float* x, int64_t rows, int64_t width, int64_t begin, int64_t end, float* sums);

    // The forward of attention as the backward needs it; scratch as KernelTable::attention_scratch.
    void (*attention_train)(const AttentionTrainArgs&);
    int64_t (*attention_grad_scratch)(const AttentionArgs& forward);
    void (*attention_grad)(const AttentionGradArgs&);

    // grad_input = grad · activation'(u); recomputed = activation(u), unless null. grad_input may be grad.
    void (*activation_grad)(Activation activation, const float* u, const float* grad, float* grad_input,
                            float* recomputed, int64_t count);
    // Of KernelTable::gate, from its input x [rows, 2 width] and the gradient of its output [rows, width].
    void (*gate_grad)(Activation activation, const float* x, const float* grad, float* grad_input,
                      int64_t rows, int64_t width);
    void (*layer_norm_grad)(const LayerNormGradArgs&);
    // For columns begin .. end: grad_weight += Σ dy · x̂, grad_bias (or null) += Σ dy, from layer_norm_grad's
    // input, grad_output and stats.
    void (*layer_norm_grad_weight)(const LayerNormGradArgs&, int64_t begin, int64_t end, float* grad_weight,
                                   float* grad_bias);
    // out = x ∘ factors (+ residual); rows count from first_row. out may be x.
    void (*dropout)(const float* x, const float* residual, float* out, int64_t rows, int64_t width,
                    uint32_t first_row, const Dropout& dropout);
    // out [width] += scale · the rows order[0 .. count) of x [.., width], in that order
    void (*add_rows)(const float* x, const int32_t* order, int64_t count, int64_t width, float scale,
                     float* out);
    // out = a + b
    void (*add)(const float* a, const float* b, float* out, int64_t count);
    // grad_input [seq_len, width] of one sequence, written, from grad_output [width] of one mode; `add` adds
    // to it instead. input as in PoolArgs (max: the first largest has the gradient).
    void (*pool_grad)(const PoolArgs& forward, const float* grad_output, float* grad_input, bool add);
    // From normalize's input and the gradient of its output. grad_input may be grad_output.
    void (*normalize_grad)(const float* input, const float* grad_output, float* grad_input, int64_t rows,
                           int64_t width);

    // Sums of losses; the functions also write the gradient.
    double (*cross_entropy)(const CrossEntropyArgs&);
    double (*binary_cross_entropy)(const ElementLossArgs&);
    double (*mean_squared_error)(const ElementLossArgs&);
    double (*distill)(const DistillArgs&);

    double (*sum_of_squares)(const float* x, int64_t count);
    void (*adamw)(const AdamwArgs&);
};

// What takes the place of the linear's entries where products are of bf16 (KernelTable::bf16 multiplies);
// sums, gradients and all else stay fp32.
struct Bf16TrainingKernels {
    // Panels of a master [n, k] as KernelTable::fp32 packs them -> panel `panel` of KernelTable::bf16, and of
    // the transpose [k, n].
    void (*round_panel)(const float* panels, int64_t n, int64_t k, int64_t panel, void* out);
    void (*round_transposed_panel)(const float* panels, int64_t n, int64_t k, int64_t panel, void* out);
    // As TrainingKernels' own; X and dY are rounded to bf16, the gradient's panels are fp32.
    int64_t (*linear_grad_weight_scratch)(int64_t k);
    void (*linear_grad_weight)(const LinearGradWeightArgs&);
};

// Null when the table is not compiled for this architecture.
const TrainingKernels* scalar_training_kernels();
const TrainingKernels* avx2_training_kernels();
const TrainingKernels* avx512_training_kernels();
const TrainingKernels* neon_training_kernels();
const Bf16TrainingKernels* avx512_bf16_training_kernels(Bf16Products products);
const Bf16TrainingKernels* neon_bf16_training_kernels();

}  // namespace bertha::cpu

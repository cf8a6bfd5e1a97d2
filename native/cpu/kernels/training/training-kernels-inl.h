// All kernels of learning over one set of lanes: included once per instruction set, inside its namespace and
// target pragma.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"  // the forward's own entry points are not used here
#endif
// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/positions-inl.h"
#include "cpu/kernels/attention_panels-inl.h"
#include "cpu/kernels/disentangled-inl.h"
#include "cpu/kernels/attention-inl.h"
#include "cpu/kernels/rows-inl.h"
#include "cpu/kernels/training/grad-blocks-inl.h"
#include "cpu/kernels/training/linear-grad-inl.h"
#include "cpu/kernels/training/philox-inl.h"
#include "cpu/kernels/training/activation-grad-inl.h"
#include "cpu/kernels/training/rows-grad-inl.h"
#include "cpu/kernels/training/losses-inl.h"
#include "cpu/kernels/training/adamw-inl.h"
#include "cpu/kernels/training/attention-train-inl.h"
#include "cpu/kernels/training/disentangled-grad-inl.h"
#include "cpu/kernels/training/attention-grad-inl.h"
// clang-format on

constexpr TrainingKernels make_training_table() {
    TrainingKernels table{};
    table.transpose_panel = transpose_panel;
    table.linear_grad_weight_scratch = linear_grad_weight_scratch;
    table.linear_grad_weight = linear_grad_weight;
    table.column_sums = column_sums;
    table.activation_grad = activation_grad;
    table.gate_grad = gate_grad;
    table.layer_norm_grad = layer_norm_grad;
    table.layer_norm_grad_weight = layer_norm_grad_weight;
    table.dropout = dropout;
    table.add_rows = add_rows;
    table.add = add_vectors;
    table.pool_grad = pool_grad;
    table.normalize_grad = normalize_grad;
    table.cross_entropy = cross_entropy;
    table.binary_cross_entropy = binary_cross_entropy;
    table.mean_squared_error = mean_squared_error;
    table.distill = distill;
    table.sum_of_squares = sum_of_squares;
    table.adamw = adamw;
    table.attention_train = attention_train;
    table.attention_grad_scratch = attention_grad_scratch;
    table.attention_grad = attention_grad;
    return table;
}

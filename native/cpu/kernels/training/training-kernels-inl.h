// All kernels of learning over one set of lanes: included once per instruction set, inside its namespace and
// target pragma.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"  // the forward's own entry points are not used here
#endif
// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/attention-inl.h"
#include "cpu/kernels/rows-inl.h"
#include "cpu/kernels/training/linear-grad-inl.h"
// clang-format on

constexpr TrainingKernels make_training_table() {
    TrainingKernels table{};
    table.transpose_panel = transpose_panel;
    table.linear_grad_weight_scratch = linear_grad_weight_scratch;
    table.linear_grad_weight = linear_grad_weight;
    table.column_sums = column_sums;
    return table;
}

// All kernels over one set of lanes: included once per instruction set, inside its namespace and target
// pragma. own_kernels() is the table that comes of it: files of the same set call what is in it rather than
// hold a copy.
// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/int8-inl.h"
#include "cpu/kernels/positions-inl.h"
#include "cpu/kernels/attention_panels-inl.h"
#include "cpu/kernels/disentangled-inl.h"
#include "cpu/kernels/attention-inl.h"
#include "cpu/kernels/generation/row_attention-inl.h"
#include "cpu/kernels/rows-inl.h"
#include "cpu/kernels/products-inl.h"
#include "cpu/kernels/learn/linear_model-inl.h"
#include "cpu/kernels/learn/logistic-inl.h"
#include "cpu/kernels/generation/search_rows-inl.h"
// clang-format on

template <typename Int8, typename Int8Fast>
constexpr KernelTable make_table(const char* isa) {
    KernelTable table{};
    table.isa = isa;
    table.lanes = kLanes;
    table.fp32 = kFp32Format;
    table.fp16_weights = kFp16Format;
    table.int8 = int8_format<Int8>("int8");
    table.int8_fast = int8_format<Int8Fast>("int8-fast");
    table.attention_scratch = attention_scratch;
    table.attention = attention;
    table.row_attention = row_attention;
    table.layer_norm = layer_norm;
    table.embed = embed;
    table.pool = pool;
    table.normalize = normalize;
    table.top_k = top_k;
    table.wide_log_sum = wide_log_sum;
    table.best = best;
    table.pick_targets = pick_targets;
    table.activate = activate;
    table.gate = gate;
    table.pack_products = pack_products;
    table.pack_wide_products = pack_wide_products;
    table.panel_squares = panel_squares;
    table.products = products;
    table.linear_model_scores = linear_model_scores;
    table.linear_model_gradient = linear_model_gradient;
    table.logistic_residuals = logistic_residuals;
    return table;
}

// All kernels over one set of lanes: included once per instruction set, inside its namespace and target pragma.
// clang-format off
#include "cpu/math-inl.h"
#include "cpu/gemm-inl.h"
#include "cpu/attention-inl.h"
#include "cpu/rows-inl.h"
// clang-format on

constexpr KernelTable make_table(const char* isa) {
    KernelTable table{};
    table.isa = isa;
    table.lanes = kLanes;
    table.panel_width = kPanelWidth;
    table.max_rows = kTileRows;
    table.pack_panel = pack_panel;
    table.linear = linear;
    table.attention_scratch = attention_scratch;
    table.attention = attention;
    table.layer_norm = layer_norm;
    table.embed = embed;
    table.pool = pool;
    table.normalize = normalize;
    table.top_k = top_k;
    table.activate = activate;
    return table;
}

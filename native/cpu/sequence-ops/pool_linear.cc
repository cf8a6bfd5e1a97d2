#include "cpu/sequence-ops/pool_linear.h"

#include <algorithm>
#include <cmath>

namespace bertha::cpu {
namespace {

// log(1 + max(x, 0)); of that again for two.
float saturate(float x, int32_t logs) {
    if (x <= 0.0f) return 0.0f;
    const float once = std::log1p(x);
    return logs == 1 ? once : std::log1p(once);
}

// Some panels, of which `product` says which.
void pool_panels(const PoolLinearCall& call, const LinearArgs& product, float* scratch) {
    const ops::PoolLinear& op = call.op;
    const MatrixFormat& format = call.format;
    const int32_t* offsets = call.offsets;
    const int64_t sequences = call.sequences;
    float* output = call.output;
    const int64_t n = product.matrix.n, begin = product.panel_begin * format.panel_width,
                  columns = std::min(product.panel_end * format.panel_width, n) - begin;
    const auto row_of = [&](int64_t sequence) { return output + sequence * n + begin; };
    // Everything below 0 becomes 0, so that the maximum may begin there.
    for (int64_t i = 0; i < sequences; i++) std::fill(row_of(i), row_of(i) + columns, 0.0f);
    LinearArgs part = product;
    part.matrix.panels = static_cast<const uint8_t*>(product.matrix.panels) +
                         product.panel_begin * product.matrix.panel_bytes;
    part.matrix.n = columns;
    part.bias = product.bias != nullptr ? product.bias + begin : nullptr;
    part.panel_begin = 0;
    part.panel_end = product.panel_end - product.panel_begin;
    part.output = scratch;
    part.output_stride = columns;
    int64_t sequence = 0;
    for (int64_t row = 0; row < product.rows; row += kPoolLinearRows) {
        part.rows = std::min(kPoolLinearRows, product.rows - row);
        part.input = product.input + row * product.input_stride;
        format.linear(part);
        for (int64_t i = 0; i < part.rows; i++) {
            while (row + i >= offsets[sequence + 1]) sequence++;
            const float* x = scratch + i * columns;
            float* out = row_of(sequence);
            if (op.sums)
                for (int64_t c = 0; c < columns; c++) out[c] += saturate(x[c], op.logs);
            else
                for (int64_t c = 0; c < columns; c++) out[c] = x[c] <= out[c] ? out[c] : x[c];
        }
    }
    if (op.sums) return;
    for (int64_t i = 0; i < sequences; i++)
        for (float *out = row_of(i), *end = out + columns; out < end; out++) *out = saturate(*out, op.logs);
}

}  // namespace

void pool_linear(const PoolLinearCall& call, const std::vector<Buffer>& scratch, Team& team,
                 Control& control) {
    const int64_t width = call.format.panel_width, panels = (call.product.matrix.n + width - 1) / width;
    team.run((panels + kPoolLinearPanels - 1) / kPoolLinearPanels, [&](int64_t unit, int member) {
        if (member == 0) control.at_op_boundary();
        if (control.cancelled()) return;
        LinearArgs part = call.product;
        part.panel_begin = unit * kPoolLinearPanels;
        part.panel_end = std::min(part.panel_begin + kPoolLinearPanels, panels);
        pool_panels(call, part, scratch[static_cast<size_t>(member)].floats());
    });
}

}  // namespace bertha::cpu

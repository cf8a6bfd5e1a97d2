// What a forward has computed, to whoever wants it.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/backend.h"
#include "engine/batch.h"
#include "engine/pool/team.h"

namespace bertha::cpu {

// Rows of one value: into an output that has memory, and those of a step to their readers, between any two of
// which what is urgent may come.
inline void emit_rows(const Output& output, const Batch& batch, float* data, int64_t first, int64_t count,
                      int64_t width, Team& team, Control& control) {
    if (output.data != nullptr) {
        std::memcpy(output.data + first * width, data, static_cast<size_t>(count * width) * sizeof(float));
        return;
    }
    const DecodingRow* rows = batch.decoding + first;
    if (rows->reader == nullptr) return;
    team.run(count, [&](int64_t row, int member) {
        if (member == 0) control.at_op_boundary();
        rows[row].reader->read(rows[row].number, data + row * width);
    });
}

}  // namespace bertha::cpu

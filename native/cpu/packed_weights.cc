#include "cpu/packed_weights.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>

namespace bertha::cpu {
namespace {

constexpr int64_t kTableBytes = int64_t{1} << 20;  // a lookup table is read in parts of about this size
constexpr int64_t kSlack = 1024;                   // floats behind the last panel: prefetch and whole-vector loads of a bias may look there

int64_t round_up(int64_t n, int64_t step) {
    return (n + step - 1) / step * step;
}

}  // namespace

PackedWeights::PackedWeights(const Program& program, const KernelTable& kernels, WeightSource& source, Team& team)
    : program_(program), kernels_(kernels), offsets_(program.weights.size(), -1) {
    int64_t floats = 0, staging_floats = 0;
    std::vector<Part> parts;
    const auto place = [&](int32_t id) {
        if (id == kNoIndex || offsets_[static_cast<size_t>(id)] >= 0) return;
        const Weight& weight = program.weights[static_cast<size_t>(id)];
        offsets_[static_cast<size_t>(id)] = floats;
        int64_t step = weight.rows;
        if (weight.kind == WeightKind::kMatrix) {
            step = kernels.panel_width;
            floats += round_up(weight.rows, kernels.lanes) * weight.cols;
            staging_floats = std::max(staging_floats, step * weight.cols);
        } else {
            if (weight.kind == WeightKind::kTable) step = std::max<int64_t>(1, kTableBytes / (weight.cols * 4));
            floats += round_up(weight.rows * weight.cols, kernels.panel_width);
        }
        floats = round_up(floats, 16);
        for (int64_t row = 0; row < weight.rows; row += step) parts.push_back({id, row, std::min(row + step, weight.rows)});
    };
    for (const Op& op : program.ops)
        for (int32_t id : {op.weight, op.bias, op.position_table, op.type_table, op.relative_bias}) place(id);

    data_ = Buffer(static_cast<size_t>(floats + kSlack) * sizeof(float));
    std::memset(data_.floats() + floats, 0, kSlack * sizeof(float));
    std::vector<Buffer> staging;
    for (int member = 0; member < team.size(); member++) staging.emplace_back(static_cast<size_t>(staging_floats) * sizeof(float));
    std::mutex mutex;
    std::exception_ptr error;
    team.run(static_cast<int64_t>(parts.size()), [&](int64_t unit, int member) {
        try {
            load_part(parts[static_cast<size_t>(unit)], source, staging[static_cast<size_t>(member)].floats());
        } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex);
            if (!error) error = std::current_exception();
        }
    });
    if (error) std::rethrow_exception(error);
}

void PackedWeights::load_part(const Part& part, WeightSource& source, float* staging) const {
    const Weight& weight = program_.weights[static_cast<size_t>(part.weight)];
    float* base = data_.floats() + offsets_[static_cast<size_t>(part.weight)];
    if (weight.kind != WeightKind::kMatrix) {
        source.read(part.weight, part.row_begin, part.row_end, base + part.row_begin * weight.cols);
        const int64_t end = weight.rows * weight.cols, padded = round_up(end, kernels_.panel_width);
        if (part.row_end == weight.rows) std::memset(base + end, 0, static_cast<size_t>(padded - end) * sizeof(float));
        return;
    }
    source.read(part.weight, part.row_begin, part.row_end, staging);
    kernels_.pack_panel(staging, part.row_end - part.row_begin, weight.cols, base + part.row_begin * weight.cols);
}

PackedMatrix PackedWeights::matrix(int32_t weight) const {
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    return {row(weight), shape.rows, shape.cols};
}

}  // namespace bertha::cpu

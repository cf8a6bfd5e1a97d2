#include "cuda/value_plan.h"

#include <algorithm>

#include "engine/check.h"

namespace bertha::cuda {
namespace {

bool is_read(const Program& program, int32_t value) {
    return std::any_of(program.ops.begin(), program.ops.end(), [&](const Op& op) {
        return (op.input == value && op.kind != OpKind::kTopK && op.kind != OpKind::kPickTargets) ||
               op.residual == value;
    });
}

Type type_of_output(const Program& program, const ValuePlan& plan, const Op& op, Type type) {
    const auto planned = [&](int32_t value) { return plan.values[static_cast<size_t>(value)].type; };
    switch (op.kind) {
        case OpKind::kEmbed: return type;
        case OpKind::kLinear:
            if (planned(op.input) == Type::kFloat) return Type::kFloat;
            if (op.residual != kNoIndex) return planned(op.residual);
            return is_read(program, op.output) ? planned(op.input) : Type::kFloat;
        case OpKind::kAttention:
        case OpKind::kLayerNorm: return planned(op.input);
        default: return Type::kFloat;
    }
}

void check_op(const ValuePlan& plan, const Op& op, size_t index) {
    const auto is_float = [&](int32_t value) {
        return plan.values[static_cast<size_t>(value)].type == Type::kFloat;
    };
    if (op.kind == OpKind::kLinear && op.residual != kNoIndex)
        BERTHA_CHECK(is_float(op.residual) == is_float(op.output), "INVALID_PROGRAM",
                     "op %zu (linear): expected a residual of the output's precision", index);
    if (op.kind == OpKind::kTopK || op.kind == OpKind::kPickTargets)
        BERTHA_CHECK(is_float(op.input), "INVALID_PROGRAM", "op %zu (%s): expected fp32 rows", index,
                     op_name(op.kind));
}

bool fits_next(const Program& program, size_t index) {
    if (index + 1 == program.ops.size()) return false;
    const Op &op = program.ops[index], &next = program.ops[index + 1];
    const auto readers = std::count_if(program.ops.begin(), program.ops.end(), [&](const Op& reader) {
        return reader.input == op.output || reader.residual == op.output;
    });
    if (next.input != op.output || readers != 1) return false;
    const int64_t width = program.values[static_cast<size_t>(op.output)].width;
    if (op.kind == OpKind::kEmbed) return next.kind == OpKind::kLayerNorm && width <= kMaxEmbedNormWidth;
    return op.kind == OpKind::kPool && next.kind == OpKind::kNormalize && width <= kMaxPoolNormalizeWidth;
}

// First fit among the values that are alive at the same time.
class Packer {
public:
    int64_t place(int64_t bytes, size_t birth, size_t death) {
        std::vector<Block> alive;
        for (const Block& block : blocks_)
            if (block.death >= birth) alive.push_back(block);
        std::sort(alive.begin(), alive.end(),
                  [](const Block& a, const Block& b) { return a.offset < b.offset; });
        int64_t offset = 0;
        for (const Block& block : alive) {
            if (block.offset - offset >= bytes) break;
            offset = std::max(offset, block.offset + block.bytes);
        }
        blocks_.push_back({offset, bytes, death});
        return offset;
    }

private:
    struct Block {
        int64_t offset, bytes;
        size_t death;
    };
    std::vector<Block> blocks_;
};

}  // namespace

ValuePlan plan_values(const Program& program, Type type) {
    ValuePlan plan;
    plan.values.resize(program.values.size());
    std::vector<size_t> death(program.values.size(), 0);
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        for (int32_t used : {op.input, op.residual, op.output})
            if (used != kNoIndex) death[static_cast<size_t>(used)] = i;
    }
    Packer parts[3];
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        const auto output = static_cast<size_t>(op.output);
        PlannedValue& planned = plan.values[output];
        planned.type = type_of_output(program, plan, op, type);
        check_op(plan, op, i);
        plan.fits_next.push_back(fits_next(program, i));
        planned.stride = static_cast<int32_t>((program.values[output].width + 7) / 8 * 8);
        const auto domain = static_cast<size_t>(program.values[output].rows);
        const int64_t bytes = planned.stride * bytes_of(planned.type);
        planned.offset = parts[domain].place(bytes, i, death[output]);
        plan.row_bytes[domain] = std::max(plan.row_bytes[domain], planned.offset + bytes);
    }
    return plan;
}

}  // namespace bertha::cuda
